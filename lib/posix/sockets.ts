/**
 * Sockets: accepting connections, and who is at either end of one.
 *
 * @module
 */

import { checked, EAGAIN, EINTR, EMSGSIZE, ENOBUFS, errno } from "./errno.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./headers.ts";
import { cString, type Libc } from "./libc.ts";
import { mappedInet4Of } from "./mapped_inet4.ts";
import { duplicate } from "./process.ts";

// asm-generic/socket.h
const SO_TYPE = 3;
const SO_PEERCRED = 17;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const SO_ACCEPTCONN = 30;
const MSG_PEEK = 0x2;

/** An IPv4 address and a port are one number: nothing is allocated for them. */
const PORTS = 2 ** 16;

/** `struct sockaddr_storage`: no address is larger. */
const ADDRESS_BYTES = 128;
/** `struct sockaddr_in`: family, port, address, and what fills it up. */
const INET4_BYTES = 16;
/** `struct sockaddr_in6`. */
const INET6_BYTES = 28;
/** The third of the four words of ::ffff:0:0/96, as it lies in memory. */
const MAPPED_WORD = 0xffff0000;
/** `struct sockaddr_un`: the family, then 108 bytes of path. */
const SUN_PATH_OFFSET = 2;
const SUN_PATH_BYTES = 108;
/** `struct ucred`: process, user and group id. */
const CREDENTIALS_BYTES = 12;

/** The longest path that a unix socket can have, in bytes. */
export const UNIX_PATH_BYTES_MAX = SUN_PATH_BYTES - 1;

/** How many descriptors are looked at for one that was just opened. */
const FDS_LOOKED_AT = 64;

/** An address as the kernel gave it. */
export type SocketAddress =
  | { kind: "inet"; host: string; port: number }
  | { kind: "unix"; path: string }
  | { kind: "other"; family: number };

/** The process at the other end of a unix socket, as it was when it connected. */
export interface PeerProcess {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** Whom a connection came from, as the kernel has it. */
export type Origin = number | Uint8Array<ArrayBuffer>;

/**
 * An address as the kernel has it, in a `struct sockaddr_storage` that is used
 * again: nothing is made of it unless somebody asks.
 */
export class RawAddress {
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(ADDRESS_BYTES);
  readonly #length = new Uint32Array(1);
  /** How many bytes the kernel may set, and then how many it has set. */
  readonly lengthBytes: Uint8Array<ArrayBuffer> = new Uint8Array(
    this.#length.buffer,
  );
  readonly #words = new Uint32Array(this.bytes.buffer);
  /** The same bytes, a `struct sockaddr`, to be read. */
  readonly view: DataView<ArrayBuffer> = new DataView(this.bytes.buffer);

  /** How many bytes of it count. */
  get length(): number {
    return this.#length[0] ?? 0;
  }

  /** An IPv4 address and its port as one number; `undefined` for all others. */
  get inet4(): number | undefined {
    if (this.bytes[0] !== AF_INET) return undefined;
    return (this.#words[1] ?? 0) * PORTS + this.view.getUint16(2);
  }

  /** To be called before the kernel is asked for an address. */
  makeRoom(): void {
    this.#length[0] = ADDRESS_BYTES;
  }

  /** Says that there is no address. */
  clear(): void {
    this.#length[0] = 0;
    this.bytes[0] = 0;
  }

  /**
   * Sets it to an address that somebody has told.
   *
   * @param address The address in words, the highest first, and the port.
   */
  setInet({ address, port }: {
    readonly address: readonly number[];
    readonly port: number;
  }): void {
    const isInet6 = address.length > 1;
    const { view } = this;
    this.bytes.fill(0);
    view.setUint16(0, isInet6 ? AF_INET6 : AF_INET, true);
    view.setUint16(2, port);
    for (const [index, word] of address.entries()) {
      view.setUint32((isInet6 ? 8 : 4) + 4 * index, word);
    }
    this.#length[0] = isInet6 ? INET6_BYTES : INET4_BYTES;
  }

  /** Its family, AF_INET or another; 0 where there is no address. */
  get family(): number {
    return this.length >= 2 ? this.view.getUint16(0, true) : 0;
  }

  /** Of which kind it is. */
  get kind(): "inet" | "unix" | "other" {
    const family = this.bytes[0];
    return family === AF_INET || family === AF_INET6
      ? "inet"
      : family === AF_UNIX
      ? "unix"
      : "other";
  }

  /** Whether it stands for every address. */
  get isUnspecified(): boolean {
    const words = this.#words;
    if (this.bytes[0] === AF_INET) return words[1] === 0;
    return words[2] === 0 && words[3] === 0 && words[4] === 0 && words[5] === 0;
  }

  /** Whether it is an IPv4 address that came over an IPv6 socket. */
  get #isMapped(): boolean {
    const words = this.#words;
    return this.bytes[0] === AF_INET6 && words[2] === 0 && words[3] === 0 &&
      words[4] === MAPPED_WORD;
  }

  /** The same, but an IPv4 address that came over an IPv6 socket as what it is. */
  get unmapped(): { readonly bytes: Uint8Array<ArrayBuffer>; length: number } {
    if (!this.#isMapped) return this;
    const { bytes } = this;
    const inet4 = new Uint8Array(INET4_BYTES);
    inet4[0] = AF_INET;
    inet4.set(bytes.subarray(2, 4), 2);
    inet4.set(bytes.subarray(20, 24), 4);
    return { bytes: inet4, length: INET4_BYTES };
  }

  /**
   * What tells clients from each other: a number for an IPv4 address, a text
   * for an IPv6 one; not the port.
   */
  get client(): number | string | undefined {
    const words = this.#words;
    if (this.bytes[0] === AF_INET) return words[1];
    if (this.bytes[0] !== AF_INET6) return undefined;
    if (this.#isMapped) return words[5];
    return `${words[2]}:${words[3]}:${words[4]}:${words[5]}`;
  }
}

/**
 * Asks for the address that a socket is bound to: getsockname(2).
 *
 * @param libc The C library.
 * @param fd The socket.
 * @param into Where to put it.
 * @returns Whether there is one.
 */
export function socketNameInto(
  libc: Libc,
  fd: number,
  into: RawAddress,
): boolean {
  into.makeRoom();
  return libc.c.getsockname(fd, into.bytes, into.lengthBytes) === 0;
}

/**
 * Asks for the address of a connection's other end: getpeername(2).
 *
 * @param libc The C library.
 * @param fd The connection.
 * @param into Where to put it; it is empty where the descriptor is no
 * connection.
 */
export function peerNameInto(libc: Libc, fd: number, into: RawAddress): void {
  into.makeRoom();
  if (libc.c.getpeername(fd, into.bytes, into.lengthBytes) !== 0) into.clear();
}

/** Accepts connections; keeps its buffers from one call to the next. */
export class Acceptor {
  readonly #libc: Libc;
  /** The address of who has connected last. */
  readonly raw: RawAddress = new RawAddress();
  readonly #length = new Uint32Array(1);
  readonly #lengthBytes = new Uint8Array(this.#length.buffer);

  /** @param libc The C library. */
  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /**
   * Takes the next connection from a listening socket's queue. The connection
   * blocks, as commands expect, and is closed on exec.
   *
   * @param fd The listening socket, which does not block.
   * @returns The connection, or the negated error number.
   */
  accept(fd: number): number {
    const { raw } = this;
    raw.makeRoom();
    const connection = this.#libc.c.accept4(
      fd,
      raw.bytes,
      raw.lengthBytes,
      SOCK_CLOEXEC,
    );
    return connection >= 0 ? connection : -errno(this.#libc);
  }

  /**
   * Tells whom the connection accepted last came from, as the kernel has it: to
   * write it down takes longer, and is for who asks.
   *
   * @param connection That connection.
   * @returns What {@linkcode formatOrigin} writes down.
   */
  origin(connection: number): Origin {
    const { inet4 } = this.raw;
    if (inet4 !== undefined) return inet4;
    // A unix client has no address as a rule, but a process.
    const { bytes, length: size } = this.raw;
    if (bytes[0] !== AF_UNIX) return bytes.slice(0, size);
    const origin = new Uint8Array(SUN_PATH_OFFSET + CREDENTIALS_BYTES);
    origin[0] = AF_UNIX;
    this.#length[0] = CREDENTIALS_BYTES;
    const value = origin.subarray(SUN_PATH_OFFSET);
    const { c } = this.#libc;
    const length = this.#lengthBytes;
    const isTold =
      c.getsockopt(connection, SOL_SOCKET, SO_PEERCRED, value, length) === 0;
    return isTold ? origin : origin.subarray(0, SUN_PATH_OFFSET);
  }

  /**
   * Has {@linkcode Acceptor.raw} be that of the other end of a connection
   * that was accepted elsewhere: getpeername(2).
   *
   * @param connection The connection; what is none has no address.
   */
  lookAt(connection: number): void {
    peerNameInto(this.#libc, connection, this.raw);
  }
}

/**
 * Writes down whom a connection came from.
 *
 * @param origin What {@linkcode Acceptor.origin} has given.
 * @returns `host:port`, or a unix peer's process and user.
 */
export function formatOrigin(origin: Origin): string {
  if (typeof origin === "number") return formatInet4(origin);
  if (origin[0] !== AF_UNIX) {
    return formatAddress(decodeAddress(origin, origin.length));
  }
  if (origin.length === SUN_PATH_OFFSET) return "unix";
  const view = new DataView(origin.buffer, origin.byteOffset + SUN_PATH_OFFSET);
  return `unix:pid=${view.getInt32(0, true)},uid=${view.getUint32(4, true)}`;
}

function formatInet4(origin: number): string {
  const address = new Uint8Array(ADDRESS_BYTES);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, origin % PORTS);
  view.setUint32(4, Math.floor(origin / PORTS), true);
  return formatAddress(decodeAddress(address, address.length));
}

/**
 * Connects to a unix socket. What is sent and received waits for the other side,
 * but not for long.
 *
 * @param libc The C library.
 * @param path The socket's path.
 * @param timeoutSeconds How long it waits.
 * @returns The connection.
 * @throws {SystemError} If nobody listens, or may not be connected to.
 */
export function connectUnix(
  libc: Libc,
  path: string,
  timeoutSeconds: number,
): number {
  const type = SOCK_STREAM | SOCK_CLOEXEC;
  const fd = checked(libc, "socket", libc.c.socket(AF_UNIX, type, 0));
  try {
    const timeout = new BigInt64Array([BigInt(timeoutSeconds), 0n]);
    const bytes = new Uint8Array(timeout.buffer);
    for (const option of [SO_RCVTIMEO, SO_SNDTIMEO]) {
      const set = libc.c.setsockopt(
        fd,
        SOL_SOCKET,
        option,
        bytes,
        bytes.length,
      );
      checked(libc, "setsockopt", set);
    }
    const address = unixAddress(path);
    checked(libc, path, libc.c.connect(fd, address, address.length));
    return fd;
  } catch (error) {
    libc.c.close(fd);
    throw error;
  }
}

/**
 * Takes the next connection from a listening socket's queue; it does not block.
 *
 * @param libc The C library.
 * @param fd The listening socket, which does not block either.
 * @returns The connection, or the negated error number.
 */
export function acceptNonBlocking(libc: Libc, fd: number): number {
  const flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
  const connection = libc.c.accept4(fd, null, null, flags);
  return connection >= 0 ? connection : -errno(libc);
}

/**
 * Sends bytes over a stream, as far as there is room, or will be in time.
 *
 * @param libc The C library.
 * @param fd The connection.
 * @param bytes The bytes.
 * @returns How many were taken, 0 for want of room; `undefined` where nobody
 * takes any more.
 */
export function sendSome(
  libc: Libc,
  fd: number,
  bytes: Uint8Array<ArrayBuffer>,
): number | undefined {
  const sent = Number(
    libc.c.sendto(fd, bytes, BigInt(bytes.length), MSG_NOSIGNAL, null, 0),
  );
  if (sent >= 0) return sent;
  return errno(libc) === EAGAIN ? 0 : undefined;
}

/**
 * Takes bytes from a stream, which are there or come in time.
 *
 * @param libc The C library.
 * @param fd The connection.
 * @param bytes Where to put them.
 * @returns How many there were, 0 at the end; `undefined` where there are none.
 */
export function receiveSome(
  libc: Libc,
  fd: number,
  bytes: Uint8Array<ArrayBuffer>,
): number | undefined {
  const count = Number(libc.c.read(fd, bytes, BigInt(bytes.length)));
  if (count >= 0) return count;
  const code = errno(libc);
  return code === EAGAIN || code === EINTR ? undefined : 0;
}

/**
 * Gives the process that is at the other end of a unix socket.
 *
 * @param libc The C library.
 * @param fd The socket.
 * @returns The process, or `undefined` where the kernel does not tell.
 */
export function peerProcess(libc: Libc, fd: number): PeerProcess | undefined {
  const value = new Uint8Array(CREDENTIALS_BYTES);
  const length = new Uint8Array(new Uint32Array([CREDENTIALS_BYTES]).buffer);
  if (libc.c.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, value, length) !== 0) {
    return undefined;
  }
  const view = new DataView(value.buffer);
  return {
    pid: view.getInt32(0, true),
    uid: view.getUint32(4, true),
    gid: view.getUint32(8, true),
  };
}

/**
 * Looks at what has come over a connection, and leaves it there.
 *
 * @param libc The C library.
 * @param fd The connection.
 * @param bytes Where to put it.
 * @returns How many bytes; 0 at the end of the connection; or the negated error
 * number, EAGAIN where nothing has come yet.
 */
export function peek(
  libc: Libc,
  fd: number,
  bytes: Uint8Array<ArrayBuffer>,
): number {
  const length = BigInt(bytes.length);
  const count = libc.c.recv(fd, bytes, length, MSG_PEEK | MSG_DONTWAIT);
  return count >= 0 ? count : -errno(libc);
}

/**
 * Takes the first bytes that have come over a connection, and no more.
 *
 * @param libc The C library.
 * @param fd The connection, over which as many have come.
 * @param bytes As many, to be overwritten.
 * @returns Whether they were there.
 */
export function takeBytes(
  libc: Libc,
  fd: number,
  bytes: Uint8Array<ArrayBuffer>,
): boolean {
  const length = BigInt(bytes.length);
  return libc.c.recv(fd, bytes, length, MSG_DONTWAIT) === bytes.length;
}

/**
 * Finds the descriptor of a socket that the runtime opens and does not name.
 * The kernel gives the lowest free number, so the search begins there.
 *
 * @param libc The C library.
 * @param open Opens one listening socket.
 * @returns What `open` returned, and the descriptor.
 * @throws {Error} If no new descriptor listens.
 */
export function withDescriptor<T>(
  libc: Libc,
  open: () => T,
): { opened: T; fd: number } {
  const lowestFree = duplicate(libc, 0);
  libc.c.close(lowestFree);
  const before = new Set(listeningDescriptors(libc, lowestFree));
  const opened = open();
  const fd = listeningDescriptors(libc, lowestFree)
    .find((fd) => !before.has(fd));
  if (fd === undefined) throw new Error("no descriptor of ours listens");
  return { opened, fd };
}

function listeningDescriptors(libc: Libc, from: number): number[] {
  return Array.from({ length: FDS_LOOKED_AT }, (_, index) => from + index)
    .filter((fd) => isListening(libc, fd));
}

/**
 * Tells whether a descriptor is a socket that listens.
 *
 * @param libc The C library.
 * @param fd The descriptor.
 * @returns `true` if it is.
 */
export function isListening(libc: Libc, fd: number): boolean {
  return socketNumber(libc, fd, SO_ACCEPTCONN) === 1;
}

/**
 * Tells whether a descriptor is a socket for datagrams.
 *
 * @param libc The C library.
 * @param fd The descriptor.
 * @returns `true` if it is.
 */
export function isDatagramSocket(libc: Libc, fd: number): boolean {
  return socketNumber(libc, fd, SO_TYPE) === SOCK_DGRAM;
}

function socketNumber(
  libc: Libc,
  fd: number,
  name: number,
): number | undefined {
  const value = new Uint32Array(1);
  const bytes = new Uint8Array(value.buffer);
  const length = new Uint8Array(new Uint32Array([bytes.length]).buffer);
  const result = libc.c.getsockopt(fd, SOL_SOCKET, name, bytes, length);
  return result === 0 ? value[0] : undefined;
}

/**
 * Gives the address that a socket is bound to: getsockname(2).
 *
 * @param libc The C library.
 * @param fd The socket.
 * @returns The address.
 * @throws {SystemError} If `fd` is no socket.
 */
export function socketAddress(libc: Libc, fd: number): SocketAddress {
  const address = new Uint8Array(ADDRESS_BYTES);
  const length = new Uint32Array([ADDRESS_BYTES]);
  const lengthBytes = new Uint8Array(length.buffer);
  checked(libc, "getsockname", libc.c.getsockname(fd, address, lengthBytes));
  return decodeAddress(address, length[0] ?? 0);
}

/**
 * Sets how many connections may wait in a listening socket's queue.
 *
 * @param libc The C library.
 * @param fd The socket.
 * @param backlogConnections The number; the kernel caps it at net.core.somaxconn.
 * @throws {SystemError} If the socket cannot listen.
 */
export function setBacklog(
  libc: Libc,
  fd: number,
  backlogConnections: number,
): void {
  checked(libc, "listen", libc.c.listen(fd, backlogConnections));
}

/**
 * Asks whether anybody listens on a unix socket, by connecting to it.
 *
 * @param libc The C library.
 * @param path The socket's path.
 * @returns The process that listens, or the error number of the attempt.
 * @throws {SystemError} If there is no descriptor to ask with.
 */
export function whoListens(
  libc: Libc,
  path: string,
): { listener: PeerProcess | undefined } | { code: number } {
  const fd = checked(
    libc,
    "socket",
    libc.c.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
  );
  try {
    const address = unixAddress(path);
    if (libc.c.connect(fd, address, address.length) !== 0) {
      return { code: errno(libc) };
    }
    return { listener: peerProcess(libc, fd) };
  } finally {
    libc.c.close(fd);
  }
}

/** Makes a `struct sockaddr_un`; a name of no file begins with `@`, as in ss(8). */
function unixAddress(path: string): Uint8Array<ArrayBuffer> {
  const isAbstract = path.startsWith("@");
  const name = isAbstract
    ? cString(path.slice(1)).subarray(0, -1)
    : cString(path);
  if (isAbstract) {
    const address = new Uint8Array(SUN_PATH_OFFSET + 1 + name.length);
    new DataView(address.buffer).setUint16(0, AF_UNIX, true);
    address.set(name, SUN_PATH_OFFSET + 1);
    return address;
  }
  const address = new Uint8Array(SUN_PATH_OFFSET + name.length);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(name, SUN_PATH_OFFSET);
  return address;
}

/**
 * What became of a datagram: the reader has it, has no room now, is not there,
 * or takes none that is so large.
 */
export type SendOutcome = "sent" | "full" | "absent" | "too large";

/**
 * Sends datagrams to a unix socket by its name, so that whoever listens there
 * may be started anew meanwhile.
 */
export class DatagramSender {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #address: Uint8Array<ArrayBuffer>;
  readonly #encoder = new TextEncoder();

  /**
   * @param libc The C library.
   * @param path The socket.
   * @throws {SystemError} If there is no descriptor for it.
   */
  constructor(libc: Libc, path: string) {
    this.#libc = libc;
    this.#address = unixAddress(path);
    this.#fd = checked(
      libc,
      "socket",
      libc.c.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
    );
  }

  /**
   * Sends a text, or not at all: it never waits.
   *
   * @param text The text.
   * @returns What became of it.
   */
  send(text: string): SendOutcome {
    const bytes = this.#encoder.encode(text);
    const sent = this.#libc.c.sendto(
      this.#fd,
      bytes,
      BigInt(bytes.length),
      MSG_NOSIGNAL,
      this.#address,
      this.#address.length,
    );
    if (sent >= 0n) return "sent";
    switch (errno(this.#libc)) {
      case EAGAIN:
      case ENOBUFS:
        return "full";
      case EMSGSIZE:
        return "too large";
      default:
        return "absent";
    }
  }
}

/**
 * Writes an address as a user would.
 *
 * @param address The address.
 * @returns `192.0.2.1:25`, `[2001:db8::1]:25` or a path.
 */
export function formatAddress(address: SocketAddress): string {
  switch (address.kind) {
    case "inet":
      return address.host.includes(":")
        ? `[${address.host}]:${address.port}`
        : `${address.host}:${address.port}`;
    case "unix":
      return address.path;
    case "other":
      return `family ${address.family}`;
  }
}

/**
 * Decodes a `struct sockaddr` (netinet/in.h, sys/un.h). An IPv4 address that
 * came over an IPv6 socket is given as what it is.
 *
 * @param bytes The structure.
 * @param length How many bytes of it the kernel set.
 * @returns The address.
 */
export function decodeAddress(
  bytes: Uint8Array<ArrayBuffer>,
  length: number,
): SocketAddress {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const family = length >= 2 ? view.getUint16(0, true) : 0;
  switch (family) {
    case AF_INET:
      return {
        kind: "inet",
        host: bytes.subarray(4, 8).join("."),
        port: view.getUint16(2),
      };
    case AF_INET6:
      return {
        kind: "inet",
        host: inet6Host(bytes.subarray(8, 24), view.getUint32(24, true)),
        port: view.getUint16(2),
      };
    case AF_UNIX: {
      const path = bytes.subarray(SUN_PATH_OFFSET, length);
      const end = path.indexOf(0);
      const text = end < 0 ? path : path.subarray(0, end);
      return { kind: "unix", path: new TextDecoder().decode(text) };
    }
    default:
      return { kind: "other", family };
  }
}

function inet6Host(address: Uint8Array<ArrayBuffer>, scope: number): string {
  const inet4 = mappedInet4Of(address);
  if (inet4 !== undefined) return inet4;
  const view = new DataView(address.buffer, address.byteOffset, 16);
  const groups = Array.from(
    { length: 8 },
    (_, index) => view.getUint16(2 * index).toString(16),
  );
  // The URL parser writes an IPv6 address in its canonical, shortest form.
  const canonical = new URL(`http://[${groups.join(":")}]`).hostname;
  const host = canonical.slice(1, -1);
  return scope === 0 ? host : `${host}%${scope}`;
}
