/**
 * Who is at the other end of a connection, as far as the kernel, or a proxy
 * that is trusted to, tells.
 *
 * @module
 */

import { ERANGE, errno } from "./errno.ts";
import { AF_INET, AF_INET6, AF_UNIX, SOL_SOCKET } from "./headers.ts";
import { formatIpAddress, type IpAddress, ipAddressOf } from "./ip_address.ts";
import type { Libc } from "./libc.ts";
import { type Acceptor, formatAddress, peerProcess } from "./sockets.ts";

// asm-generic/socket.h
const SO_PEERGROUPS = 59;

/** A `gid_t`. */
const GID_BYTES = 4;

/** More supplementary groups than most users have. */
const GROUPS_GUESSED = 64;

/** A client. */
export type Client =
  | {
    readonly kind: "inet";
    readonly address: IpAddress;
    readonly port: number;
  }
  /** A process of this machine, by a unix socket. */
  | {
    readonly kind: "unix";
    readonly pid: number;
    readonly uid: number;
    /** Its own group first. */
    readonly gids: readonly number[];
  }
  /** What is no socket, or of a kind that nobody knows. */
  | { readonly kind: "unknown" };

/**
 * Writes a client with all that tells it from its other connections.
 *
 * @param client The client.
 * @returns `192.0.2.1:4711`, `[2001:db8::1]:4711` or `unix:pid=1,uid=0`.
 */
export function formatClient(client: Client): string {
  switch (client.kind) {
    case "inet":
      return formatAddress({
        kind: "inet",
        host: formatIpAddress(client.address),
        port: client.port,
      });
    case "unix":
      return `unix:pid=${client.pid},uid=${client.uid}`;
    case "unknown":
      return "unix";
  }
}

/**
 * Writes a client without what tells it from its other connections.
 *
 * @param client The client.
 * @returns `192.0.2.1`, `2001:db8::1` or `unix:uid=0`.
 */
export function formatClientHost(client: Client): string {
  switch (client.kind) {
    case "inet":
      return formatIpAddress(client.address);
    case "unix":
      return `unix:uid=${client.uid}`;
    case "unknown":
      return "unix";
  }
}

/** What there is to know a client by. */
export interface ClientOptions {
  /** What has its address. */
  readonly acceptor: Acceptor;
  readonly connection: number;
  /** Whether to ask for the user of one without an address. */
  readonly asksForUsers: boolean;
}

const UNKNOWN: Client = { kind: "unknown" };

/**
 * Tells who has connected.
 *
 * @param libc The C library.
 * @param options What there is to know the client by.
 * @returns The client.
 */
export function clientBehind(
  libc: Libc,
  { acceptor, connection, asksForUsers }: ClientOptions,
): Client {
  const { family, view } = acceptor.raw;
  const isInet6 = family === AF_INET6;
  if (isInet6 || family === AF_INET) {
    return {
      kind: "inet",
      address: ipAddressOf(view, { offset: isInet6 ? 8 : 4, isInet6 }),
      port: view.getUint16(2),
    };
  }
  const process = asksForUsers && family === AF_UNIX
    ? peerProcess(libc, connection)
    : undefined;
  if (process === undefined) return UNKNOWN;
  const { pid, uid, gid } = process;
  const gids = [gid, ...peerGroups(libc, connection)];
  return { kind: "unix", pid, uid, gids };
}

/** The supplementary groups: none where the kernel does not tell. */
function peerGroups(libc: Libc, fd: number): readonly number[] {
  const length = new Uint32Array([GROUPS_GUESSED * GID_BYTES]);
  const lengthBytes = new Uint8Array(length.buffer);
  for (;;) {
    const bytes = new Uint8Array(length[0] ?? 0);
    const result = libc.c.getsockopt(
      fd,
      SOL_SOCKET,
      SO_PEERGROUPS,
      bytes,
      lengthBytes,
    );
    if (result === 0) {
      return [
        ...new Uint32Array(bytes.buffer, 0, (length[0] ?? 0) / GID_BYTES),
      ];
    }
    // It has told how much room it needs.
    const needed = length[0] ?? 0;
    if (errno(libc) !== ERANGE || needed <= bytes.length) return [];
  }
}
