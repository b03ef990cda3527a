/**
 * Sockets that the runtime cannot make: it can say nothing to a socket before
 * that has its address, and has no datagrams without an unstable flag.
 *
 * The runtime's permission for the network counts all the same: it is asked
 * before anything is made.
 *
 * @module
 */

import {
  EACCES,
  EADDRINUSE,
  EADDRNOTAVAIL,
  errno,
  errorText,
  SystemError,
} from "./errno.ts";
import {
  AF_INET6,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from "./headers.ts";
import { cString, type Libc } from "./libc.ts";
import { type BindOptions, setBindOptions } from "./socket_options.ts";
import { setBacklog } from "./sockets.ts";

// netdb.h
const AI_PASSIVE = 0x1;
const AI_NUMERICHOST = 0x4;
const AI_NUMERICSERV = 0x400;

/** `struct addrinfo`, and the offsets of what is read from it. */
const ADDRINFO_BYTES = 48;
const AI_FAMILY_OFFSET = 4;
const AI_SOCKTYPE_OFFSET = 8;
const AI_ADDRLEN_OFFSET = 16;
const AI_ADDR_OFFSET = 24;

/** What socket is wanted. */
export interface OwnSocketOptions extends BindOptions {
  readonly host: string;
  /** 0 for one that is free. */
  readonly port: number;
  readonly kind: "stream" | "datagram";
  /** How many connections may wait, where there are any. */
  readonly backlogConnections: number;
}

/**
 * Makes a socket with an address, which listens if it is for connections.
 *
 * @param libc The C library.
 * @param options What is wanted.
 * @returns Its descriptor, which does not block and is closed on exec.
 * @throws {Error} As `Deno.listen` does, if the address cannot be had or the
 * permission was not granted.
 * @throws {SystemError} If the kernel refuses an option.
 */
export function openOwnSocket(libc: Libc, options: OwnSocketOptions): number {
  const { host, port, kind, backlogConnections } = options;
  refuseUnlessGranted(host, port);
  const isStream = kind === "stream";
  const type = isStream ? SOCK_STREAM : SOCK_DGRAM;
  const { family, address } = socketAddressOf(libc, { host, port, type });
  const flags = type | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const fd = libc.c.socket(family, flags, 0);
  if (fd < 0) throw listenError(libc);
  try {
    const isInet6 = family === AF_INET6;
    setBindOptions(libc, fd, { ...options, isStream, isInet6 });
    if (libc.c.bind(fd, address, address.length) !== 0) {
      throw listenError(libc);
    }
    if (isStream) setBacklog(libc, fd, backlogConnections);
    return fd;
  } catch (error) {
    libc.c.close(fd);
    throw error;
  }
}

function refuseUnlessGranted(host: string, port: number): void {
  const shown = host.includes(":") ? `[${host.replace(/%.*/, "")}]` : host;
  const name = { name: "net", host: `${shown}:${port}` } as const;
  if (Deno.permissions.querySync(name).state === "granted") return;
  throw new Deno.errors.NotCapable(`Requires net access to "${name.host}"`);
}

/** The address as the kernel has it, the scope of an IPv6 one included. */
function socketAddressOf(
  libc: Libc,
  { host, port, type }: {
    readonly host: string;
    readonly port: number;
    readonly type: number;
  },
): { family: number; address: Uint8Array<ArrayBuffer> } {
  const { c } = libc;
  const hints = new DataView(new ArrayBuffer(ADDRINFO_BYTES));
  hints.setInt32(0, AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV, true);
  hints.setInt32(AI_SOCKTYPE_OFFSET, type, true);
  const found = new BigUint64Array(1);
  const code = c.getaddrinfo(
    cString(host),
    cString(`${port}`),
    new Uint8Array(hints.buffer),
    new Uint8Array(found.buffer),
  );
  const [at = 0n] = found;
  if (code !== 0 || at === 0n) {
    throw new Deno.errors.AddrNotAvailable(`no address: ${host}`);
  }
  try {
    const info = new DataView(new ArrayBuffer(ADDRINFO_BYTES));
    c.memcpy(new Uint8Array(info.buffer), at, BigInt(ADDRINFO_BYTES));
    const length = info.getUint32(AI_ADDRLEN_OFFSET, true);
    const address = new Uint8Array(length);
    c.memcpy(address, info.getBigUint64(AI_ADDR_OFFSET, true), BigInt(length));
    return { family: info.getInt32(AI_FAMILY_OFFSET, true), address };
  } finally {
    c.freeaddrinfo(at);
  }
}

/** The runtime's own errors, for what it has errors for. */
function listenError(libc: Libc): Error {
  const code = errno(libc);
  const text = errorText(libc, code);
  const message = `${text} (os error ${code})`;
  switch (code) {
    case EADDRINUSE:
      return new Deno.errors.AddrInUse(message);
    case EADDRNOTAVAIL:
      return new Deno.errors.AddrNotAvailable(message);
    case EACCES:
      return new Deno.errors.PermissionDenied(message);
    default:
      return new SystemError("socket", code, text);
  }
}
