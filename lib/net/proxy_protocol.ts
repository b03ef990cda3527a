/**
 * The PROXY protocol, versions 1 and 2, as HAProxy's proxy-protocol.txt has it:
 * the header that a proxy sends before the first byte of its client's, to say
 * who that is.
 *
 * @module
 */

import {
  type IpAddress,
  ipAddressOf,
  parseIpAddress,
} from "../posix/ip_address.ts";

/** No header of version 1 is longer, its line end included. */
const LINE_BYTES_MAX = 107;

/**
 * No header of version 2 may be longer. Addresses and the usual additions take
 * some hundred bytes; the format has room for 64 KiB.
 */
const BINARY_BYTES_MAX = 4096;

/** How many bytes are enough to tell whatever there is to tell. */
export const PROXY_HEADER_BYTES_MAX = BINARY_BYTES_MAX;

/** An end of a connection. */
export interface Endpoint {
  readonly address: IpAddress;
  readonly port: number;
}

/** What a proxy says of the connection that it took. */
export interface ProxiedConnection {
  /** The client. */
  readonly source: Endpoint;
  /** What the client has connected to. */
  readonly destination: Endpoint;
}

/** What bytes are found to begin with. */
export type ProxyHeader =
  /** A header, as long as that; without a connection it is the proxy's own. */
  | {
    readonly kind: "complete";
    readonly lengthBytes: number;
    readonly connection: ProxiedConnection | undefined;
  }
  /** It may come to be a header. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "wrong"; readonly reason: string };

const INCOMPLETE: ProxyHeader = { kind: "incomplete" };
const MISSING: ProxyHeader = { kind: "wrong", reason: "no PROXY header" };

const LINE_START = new TextEncoder().encode("PROXY ");
const SIGNATURE = Uint8Array.of(
  ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d],
  ...[0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a],
);

/**
 * Looks for a header in the first bytes of a connection.
 *
 * @param bytes The bytes that have come by now, or the first
 * {@linkcode PROXY_HEADER_BYTES_MAX} of them.
 * @returns What they begin with.
 */
export function parseProxyHeader(
  bytes: Uint8Array<ArrayBuffer>,
): ProxyHeader {
  if (beginsWith(bytes, LINE_START)) return parseLine(bytes);
  return beginsWith(bytes, SIGNATURE) ? parseBinary(bytes) : MISSING;
}

/** As far as there are bytes. */
function beginsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  const length = Math.min(bytes.length, start.length);
  for (let at = 0; at < length; at++) {
    if (bytes[at] !== start[at]) return false;
  }
  return true;
}

function broken(reason: string): ProxyHeader {
  return { kind: "wrong", reason: `a broken PROXY header: ${reason}` };
}

const NEWLINE = 0x0a;

function parseLine(bytes: Uint8Array): ProxyHeader {
  const newline = bytes.subarray(0, LINE_BYTES_MAX).indexOf(NEWLINE);
  if (newline < 0) {
    return bytes.length < LINE_BYTES_MAX
      ? INCOMPLETE
      : broken(`no end within ${LINE_BYTES_MAX} bytes`);
  }
  const line = String.fromCharCode(...bytes.subarray(0, newline + 1));
  if (!line.endsWith("\r\n")) return broken("it does not end with CR LF");
  const words = line.slice(0, -2).split(" ");
  const lengthBytes = newline + 1;
  const [, protocol] = words;
  // Whatever follows is to be passed over.
  if (protocol === "UNKNOWN") {
    return { kind: "complete", lengthBytes, connection: undefined };
  }
  if (protocol !== "TCP4" && protocol !== "TCP6") {
    return broken("it is for neither TCP4, TCP6 nor UNKNOWN");
  }
  const connection = connectionOf(words.slice(2), protocol === "TCP6");
  return connection === undefined
    ? broken("its addresses are none")
    : { kind: "complete", lengthBytes, connection };
}

function connectionOf(
  words: readonly string[],
  isInet6: boolean,
): ProxiedConnection | undefined {
  if (words.length !== 4) return undefined;
  const [source = "", destination = "", sourcePort, destinationPort] = words;
  if ([source, destination].some((text) => text.includes(":") !== isInet6)) {
    return undefined;
  }
  const from = endpointOf(source, sourcePort);
  const to = endpointOf(destination, destinationPort);
  return from && to && { source: from, destination: to };
}

const PORT_MAX = 65535;

function endpointOf(text: string, port = ""): Endpoint | undefined {
  const address = parseIpAddress(text);
  return address === undefined || !/^\d{1,5}$/.test(port) ||
      Number(port) > PORT_MAX
    ? undefined
    : { address, port: Number(port) };
}

// proxy-protocol.txt, 2.2
const VERSION_OFFSET = 12;
const FAMILY_OFFSET = 13;
const LENGTH_OFFSET = 14;
const ADDRESSES_OFFSET = 16;
const VERSION_2 = 0x20;
const COMMAND = { local: 0x0, proxy: 0x1 } as const;
/** The kinds of connections, and how many bytes their addresses have. */
const UNSPECIFIED = 0x00;
const TCP4 = { kind: 0x11, bytes: 12 } as const;
const TCP6 = { kind: 0x21, bytes: 36 } as const;
const UNIX_STREAM = { kind: 0x31, bytes: 216 } as const;

function parseBinary(bytes: Uint8Array<ArrayBuffer>): ProxyHeader {
  const command = (bytes[VERSION_OFFSET] ?? VERSION_2) - VERSION_2;
  if (command !== COMMAND.local && command !== COMMAND.proxy) {
    return broken("neither LOCAL nor PROXY of version 2");
  }
  if (bytes.length < ADDRESSES_OFFSET) return INCOMPLETE;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const lengthBytes = ADDRESSES_OFFSET + view.getUint16(LENGTH_OFFSET);
  if (lengthBytes > BINARY_BYTES_MAX) {
    return broken(`longer than ${BINARY_BYTES_MAX} bytes`);
  }
  if (bytes.length < lengthBytes) return INCOMPLETE;
  // What the proxy has to say of its own connection is to be passed over.
  if (command === COMMAND.local) {
    return { kind: "complete", lengthBytes, connection: undefined };
  }
  const header = bytes.subarray(0, lengthBytes);
  const kind = view.getUint8(FAMILY_OFFSET);
  if (kind === UNSPECIFIED) {
    return { kind: "complete", lengthBytes, connection: undefined };
  }
  const known = [TCP4, TCP6, UNIX_STREAM].find((each) => each.kind === kind);
  if (known === undefined) return broken("an unknown kind of connection");
  const additions = ADDRESSES_OFFSET + known.bytes;
  if (lengthBytes < additions) return broken("its addresses are cut off");
  const wrong = wrongAddition(header, additions);
  if (wrong !== undefined) return broken(wrong);
  const connection = known === UNIX_STREAM
    ? undefined
    : binaryConnection(view, known === TCP6);
  return { kind: "complete", lengthBytes, connection };
}

/** Sixteen bytes or four for each address, then two for each port. */
function binaryConnection(view: DataView, isInet6: boolean): ProxiedConnection {
  const bytes = isInet6 ? 16 : 4;
  const ports = ADDRESSES_OFFSET + 2 * bytes;
  const endpoint = (index: number): Endpoint => ({
    address: ipAddressOf(view, {
      offset: ADDRESSES_OFFSET + index * bytes,
      isInet6,
    }),
    port: view.getUint16(ports + 2 * index),
  });
  return { source: endpoint(0), destination: endpoint(1) };
}

/** A type, then a length of two bytes, then as much. */
const ADDITION_HEADER_BYTES = 3;
const PP2_TYPE_CRC32C = 0x03;
const CRC32C_BYTES = 4;

/** Only a checksum says anything to us, where there is one. */
function wrongAddition(
  header: Uint8Array<ArrayBuffer>,
  from: number,
): string | undefined {
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  for (let at = from; at < header.length;) {
    const value = at + ADDITION_HEADER_BYTES;
    if (value > header.length) return "an addition is cut off";
    const length = view.getUint16(at + 1);
    if (value + length > header.length) return "an addition is cut off";
    if (header[at] === PP2_TYPE_CRC32C) {
      if (length !== CRC32C_BYTES) return "its checksum is none";
      const wanted = view.getUint32(value);
      const summed = Uint8Array.from(header);
      summed.fill(0, value, value + CRC32C_BYTES);
      if (crc32c(summed) !== wanted) return "its checksum is wrong";
    }
    at = value + length;
  }
  return undefined;
}

/** Castagnoli's polynomial, its bits turned round: RFC 4960, appendix B. */
const POLYNOMIAL = 0x82f63b78;

/**
 * Sums bytes up as a checksum of CRC-32C.
 *
 * @param bytes The bytes.
 * @returns The checksum.
 */
export function crc32c(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      sum = sum & 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
    }
  }
  return (sum ^ 0xffffffff) >>> 0;
}
