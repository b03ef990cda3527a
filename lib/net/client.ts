/**
 * Who is at the other end of a connection, as far as the kernel, or a proxy
 * that is trusted to, tells.
 *
 * @module
 */

import { formatIpAddress, type IpAddress } from "../posix/ip_address.ts";
import { formatAddress } from "../posix/sockets.ts";

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
