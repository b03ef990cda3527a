/**
 * Options of sockets, setsockopt(2): those of a listening socket, which the
 * connections that are accepted from it inherit, and those of connections that
 * have come to a socket of somebody else's.
 *
 * @module
 */

import { checked, lastError } from "./errno.ts";
import { SOL_SOCKET } from "./headers.ts";
import type { Libc } from "./libc.ts";

// asm-generic/socket.h, netinet/in.h, linux/in6.h, netinet/tcp.h
const SO_REUSEADDR = 2;
const SO_KEEPALIVE = 9;
const SO_REUSEPORT = 15;
const SO_BINDTODEVICE = 25;
const IPPROTO_IP = 0;
const IP_FREEBIND = 15;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const TCP_DEFER_ACCEPT = 9;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** How the kernel treats connections. */
export interface ConnectionOptions {
  /** Whether it asks from time to time if the other end is still there. */
  readonly keepAlive: boolean;
  /** After how long without a word it asks; 0 for the system's. */
  readonly keepAliveIdleSeconds: number;
  /** How long it waits for an answer; 0 for the system's. */
  readonly keepAliveIntervalSeconds: number;
  /** How often it asks; 0 for the system's. */
  readonly keepAliveCount: number;
  /** Whether it sends little at once, and does not wait for more. */
  readonly noDelay: boolean;
}

/** What is to be said before a socket has its address. */
export interface BindOptions {
  /** Whether several sockets may have the address, and share what comes. */
  readonly reusePort: boolean;
  /** Whether the address may be one that the machine does not have yet. */
  readonly freeBind: boolean;
  /** Whether an IPv6 socket takes IPv6 alone, whatever the system's default is. */
  readonly v6Only: boolean;
  /** The interface by which all must come; empty for any. */
  readonly device: string;
}

/** Where there is nothing to be said. */
export const NO_BIND_OPTIONS: BindOptions = {
  reusePort: false,
  freeBind: false,
  v6Only: false,
  device: "",
};

/**
 * Tells whether there is anything to be said before a socket has its address.
 *
 * @param options What is asked for.
 * @returns Whether it is.
 */
export function asksBeforeBind(
  { reusePort, freeBind, v6Only, device }: BindOptions,
): boolean {
  return reusePort || freeBind || v6Only || device !== "";
}

/**
 * Says what is to be said before a socket has its address.
 *
 * @param libc The C library.
 * @param fd The socket.
 * @param options What is asked for, and of which kind it is.
 * @throws {SystemError} If the kernel refuses.
 */
export function setBindOptions(
  libc: Libc,
  fd: number,
  options: BindOptions & {
    readonly isStream: boolean;
    readonly isInet6: boolean;
  },
): void {
  const set = (level: number, name: number, what: string): void =>
    setNumber(libc, fd, numberOption([level, name, what], 1));
  // Of datagrams it would let anybody have the same port.
  if (options.isStream) set(SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR");
  if (options.reusePort) set(SOL_SOCKET, SO_REUSEPORT, "SO_REUSEPORT");
  if (options.freeBind) set(IPPROTO_IP, IP_FREEBIND, "IP_FREEBIND");
  if (options.v6Only && options.isInet6) {
    set(IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY");
  }
  if (options.device === "") return;
  const device = new TextEncoder().encode(options.device);
  checked(
    libc,
    `SO_BINDTODEVICE ${options.device}`,
    libc.c.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, device.length),
  );
}

/** An option that is a number. */
export interface NumberOption {
  readonly level: number;
  readonly name: number;
  /** What it is called, for messages. */
  readonly what: string;
  /** Its value, as the kernel takes it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Lays the options of connections out, once for all of them.
 *
 * @param options What is asked for. What is 0 or off is not among them: a new
 * socket has it.
 * @returns The options.
 */
export function connectionOptionList(
  options: ConnectionOptions,
): readonly NumberOption[] {
  return everyOption(options)
    .filter(({ bytes }) => bytes.some((byte) => byte !== 0));
}

/**
 * The same for a socket that was told something else, perhaps.
 *
 * @param options What is asked for, with numbers for what the system has.
 * @returns All of the options.
 */
export function everyOption(
  options: ConnectionOptions,
): readonly NumberOption[] {
  return [
    numberOption(
      [SOL_SOCKET, SO_KEEPALIVE, "SO_KEEPALIVE"],
      options.keepAlive ? 1 : 0,
    ),
    numberOption(
      [IPPROTO_TCP, TCP_KEEPIDLE, "TCP_KEEPIDLE"],
      options.keepAliveIdleSeconds,
    ),
    numberOption(
      [IPPROTO_TCP, TCP_KEEPINTVL, "TCP_KEEPINTVL"],
      options.keepAliveIntervalSeconds,
    ),
    numberOption(
      [IPPROTO_TCP, TCP_KEEPCNT, "TCP_KEEPCNT"],
      options.keepAliveCount,
    ),
    numberOption(
      [IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY"],
      options.noDelay ? 1 : 0,
    ),
  ];
}

/**
 * Says how the kernel is to treat connections, to a connection, or to a
 * listening socket for all that are accepted from it.
 *
 * @param libc The C library.
 * @param fd The socket.
 * @param options What is asked for.
 * @throws {SystemError} If the kernel refuses.
 */
export function setConnectionOptions(
  libc: Libc,
  fd: number,
  options: readonly NumberOption[],
): void {
  for (const option of options) setNumber(libc, fd, option);
}

/**
 * Has connections wait with the kernel until the client has sent something.
 *
 * @param libc The C library.
 * @param fd The listening socket.
 * @param seconds For how long at the most; 0 for not at all.
 * @throws {SystemError} If the kernel refuses.
 */
export function deferAccept(libc: Libc, fd: number, seconds: number): void {
  const option = numberOption(
    [IPPROTO_TCP, TCP_DEFER_ACCEPT, "TCP_DEFER_ACCEPT"],
    seconds,
  );
  setNumber(libc, fd, option);
}

function numberOption(
  [level, name, what]: readonly [level: number, name: number, what: string],
  value: number,
): NumberOption {
  const bytes = new Uint8Array(new Int32Array([value]).buffer);
  return { level, name, what, bytes };
}

function setNumber(
  libc: Libc,
  fd: number,
  { level, name, what, bytes }: NumberOption,
): void {
  const { setsockopt } = libc.c;
  const result = setsockopt(fd, level, name, bytes, bytes.length);
  if (result < 0) throw lastError(libc, `setsockopt(${what})`);
}
