/**
 * Opening the sockets of a service. The runtime listens, so that its own
 * permission for the network counts; for the direct engine the descriptor is
 * found once, here, and it is all that the engine goes on with.
 *
 * The door of lib/net, which imports from config and posix: names become
 * addresses (inet_endpoint.ts), addresses and paths become sockets that listen
 * (here and in unix_socket.ts), and those outlive an exec
 * (inherited_sockets.ts). Whatever the way, it is a
 * {@linkcode ListeningSocket}; whoever accepts from it is above.
 *
 * @module
 */

import type { FileId } from "../posix/files.ts";
import type { Libc } from "../posix/libc.ts";
import { duplicate } from "../posix/process.ts";
import {
  formatAddress,
  keepAlive,
  setBacklog,
  withDescriptor,
} from "../posix/sockets.ts";
import { EX, failure, reasonOf, type Result, success } from "../result.ts";
import type { InetEndpoint, InetEndpoints } from "./inet_endpoint.ts";

/** A socket that listens. */
export interface ListeningSocket {
  /** Its address, as a user writes it. */
  readonly address: string;
  /** The address that was asked for, where the kernel calls it another. */
  readonly asked?: string | undefined;
  /** The socket's name in the file system, where it has one. */
  readonly file?: FileId | undefined;
  /** What the service manager calls it that has opened it. */
  readonly name?: string | undefined;
  /** What to accept from. */
  readonly source:
    | { readonly fd: number }
    | { readonly listener: Deno.Listener };
  /**
   * Stops listening for good: a unix socket is removed from its directory.
   */
  close(): void;
}

/** Sockets that listen already, since others have opened them. */
export interface SocketsAtHand {
  /**
   * Takes one over by its address.
   *
   * @param address Its address.
   * @returns The socket, or `undefined` if there is none.
   */
  take(address: string): ListeningSocket | undefined;
}

/** How a socket is to listen. */
export interface ListenOptions {
  /** What is to be accepted from: a descriptor, or the runtime's listener. */
  readonly acceptFrom: "fd" | "listener";
  /** The C library, if it can be called. */
  readonly libc: Libc | undefined;
  /** How many connections may wait in the kernel's queue. */
  readonly backlogConnections: number;
  /** What was handed on: taken in place of a new socket. */
  readonly inherited?: SocketsAtHand | undefined;
}

/**
 * Calls `Deno.listen`, finds the descriptor and sets the queue's length.
 *
 * @param libc The C library.
 * @param open Calls `Deno.listen`.
 * @param backlogConnections How many connections may wait.
 * @returns The runtime's listener and its descriptor.
 * @throws {Error} What `Deno.listen` threw.
 */
export function openListener(
  libc: Libc,
  open: () => Deno.Listener,
  backlogConnections: number,
): { listener: Deno.Listener; fd: number } {
  const { opened, fd } = withDescriptor(libc, open);
  setBacklog(libc, fd, backlogConnections);
  return { listener: opened, fd };
}

/**
 * Turns what `Deno.listen` threw into a mistake.
 *
 * @param error What it threw.
 * @param address What was to be listened on.
 * @returns The mistake, as a result.
 */
export function listenFailure(error: unknown, address: string): Result<never> {
  const text = `cannot listen on ${address}: ${reasonOf(error)}`;
  if (error instanceof Deno.errors.PermissionDenied) {
    return failure({ text, mend: "start as root", exitCode: EX.NOPERM });
  }
  const mend = error instanceof Deno.errors.AddrInUse
    ? `another program listens there; "ss -lntup" shows which`
    : error instanceof Deno.errors.AddrNotAvailable
    ? `this machine has no such address; "ip address" shows those it has`
    : undefined;
  return failure({ text, mend, exitCode: EX.OSERR });
}

/**
 * Listens on every address of an inet service.
 *
 * @param name The addresses.
 * @param options How to listen.
 * @returns One socket an address.
 */
export function listenInet(
  name: InetEndpoints,
  options: ListenOptions,
): Result<ListeningSocket[]> {
  const sockets: ListeningSocket[] = [];
  let port: number | undefined;
  for (const endpoint of name.endpoints) {
    // Port 0 is one port for all addresses of the service.
    const { host } = endpoint;
    const wanted = { host, port: port ?? endpoint.port };
    const address = formatAddress({ kind: "inet", ...wanted });
    const inherited = options.inherited?.take(address);
    if (inherited !== undefined) {
      sockets.push(inherited);
      continue;
    }
    try {
      const opened = listenOn(wanted, options);
      port = opened.port;
      sockets.push(opened.socket);
    } catch (error) {
      if (name.everywhere && canDoWithout(host, error, sockets)) continue;
      for (const socket of sockets) socket.close();
      return listenFailure(error, address);
    }
  }
  return success(sockets);
}

/**
 * Where no host is named: a machine may be without IPv6; and the socket for
 * all IPv6 addresses takes IPv4 as well, unless the system was set otherwise.
 */
function canDoWithout(
  host: string,
  error: unknown,
  opened: readonly ListeningSocket[],
): boolean {
  return host.includes(":")
    ? !(error instanceof Deno.errors.AddrInUse) &&
      !(error instanceof Deno.errors.PermissionDenied)
    : host === "0.0.0.0" && error instanceof Deno.errors.AddrInUse &&
      opened.length > 0;
}

function listenOn(
  { host, port }: InetEndpoint,
  { libc, acceptFrom, backlogConnections }: ListenOptions,
): { socket: ListeningSocket; port: number } {
  const open = () => Deno.listen({ hostname: host, port });
  if (libc === undefined) return listenerSocket(open());
  const { listener, fd } = openListener(libc, open, backlogConnections);
  // A client that has vanished would keep its command for as long as that may run.
  keepAlive(libc, fd);
  if (acceptFrom === "listener") return listenerSocket(listener);
  // The runtime's reactor would be woken by every connection, in vain: it
  // gives its descriptor up, and the socket lives on in a copy.
  const { socket, port: bound } = listenerSocket(listener);
  const own = duplicate(libc, fd);
  listener.close();
  const close = () => {
    libc.c.close(own);
  };
  const asked = port === 0
    ? undefined
    : formatAddress({ kind: "inet", host, port });
  const { address } = socket;
  return {
    socket: { address, asked, source: { fd: own }, close },
    port: bound,
  };
}

function listenerSocket(
  listener: Deno.Listener,
): { socket: ListeningSocket; port: number } {
  const { hostname: host, port } = listener.addr as Deno.NetAddr; // inet's
  const address = formatAddress({ kind: "inet", host, port });
  const close = () => listener.close();
  return { socket: { address, source: { listener }, close }, port };
}
