/**
 * Opening the sockets of a service. The runtime listens, so that its own
 * permission for the network counts; for the direct engine the descriptor is
 * found once, here, and it is all that the engine goes on with. What the
 * runtime cannot do is done below it, under the same permission.
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
import { openOwnSocket } from "../posix/own_socket.ts";
import { duplicate } from "../posix/process.ts";
import {
  asksBeforeBind,
  type BindOptions,
  NO_BIND_OPTIONS,
} from "../posix/socket_options.ts";
import {
  formatAddress,
  setBacklog,
  socketAddress,
  withDescriptor,
} from "../posix/sockets.ts";
import { EX, failure, reasonOf, type Result, success } from "../result.ts";
import {
  type ConnectionTuning,
  DEFAULT_TUNING,
  tuneConnections,
} from "./connection_tuning.ts";
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
  /** Whether datagrams come to it, and no connections. */
  readonly isDatagram?: boolean | undefined;
  /**
   * Whether commands are given it: then it is theirs as well, to make block or
   * to keep, and nothing is to be accepted from it here.
   */
  readonly isGiven?: boolean | undefined;
  /** What to accept from. */
  readonly source:
    | { readonly fd: number }
    | { readonly listener: Deno.Listener };
  /**
   * Stops listening for good: a unix socket is removed from its directory.
   */
  close(): void;
}

/** What a socket is wanted for. */
export interface SocketUse {
  readonly isDatagram?: boolean;
  /** Whether commands are to be given it. */
  readonly isGiven?: boolean;
}

/** Sockets that listen already, since others have opened them. */
export interface SocketsAtHand {
  /**
   * Takes one over by its address.
   *
   * @param address Its address.
   * @param use What it is wanted for.
   * @returns The socket, or `undefined` if there is none.
   */
  take(address: string, use?: SocketUse): ListeningSocket | undefined;
  /**
   * Tells whether there is one that cannot be taken, as commands were given it.
   *
   * @param address Its address.
   * @param use What it is wanted for.
   * @returns Whether there is.
   */
  wasGiven(address: string, use: SocketUse): boolean;
}

/** How a socket is to listen. */
export interface ListenOptions {
  /** What is to be accepted from: a descriptor, or the runtime's listener. */
  readonly acceptFrom: "fd" | "listener";
  /** The C library, if it can be called. */
  readonly libc: Libc | undefined;
  /** How many connections may wait in the kernel's queue. */
  readonly backlogConnections: number;
  /** How the kernel treats connections; as ever, if nothing is said. */
  readonly tuning?: ConnectionTuning | undefined;
  /** What is to be said before a socket has its address. */
  readonly bind?: BindOptions | undefined;
  /** Whether datagrams are to come, and no connections. */
  readonly isDatagram?: boolean | undefined;
  /** Whether commands are to be given the socket. */
  readonly isGiven?: boolean | undefined;
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
    const { isDatagram = false, isGiven = false } = options;
    const use = { isDatagram, isGiven };
    const inherited = options.inherited?.take(address, use);
    if (inherited !== undefined) {
      sockets.push(inherited);
      continue;
    }
    if (options.inherited?.wasGiven(address, use)) return given(address);
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

/**
 * Refuses to take a socket back from commands: one may have kept it, and have
 * it block whoever accepts.
 *
 * @param address Its address.
 * @returns The mistake, as a result.
 */
export function given(address: string): Result<never> {
  return failure({
    text: `cannot take ${address} back: commands were given it`,
    mend: "restart, or let the service wait",
    exitCode: EX.OSERR,
  });
}

interface Opened {
  readonly socket: ListeningSocket;
  readonly port: number;
}

function listenOn(endpoint: InetEndpoint, options: ListenOptions): Opened {
  const { libc, acceptFrom, backlogConnections, isDatagram, isGiven } = options;
  const { host: hostname, port } = endpoint;
  const { bind = NO_BIND_OPTIONS, tuning = DEFAULT_TUNING } = options;
  if (libc !== undefined && (isDatagram || asksBeforeBind(bind))) {
    const fd = openOwnSocket(libc, {
      ...bind,
      ...endpoint,
      backlogConnections,
      kind: isDatagram ? "datagram" : "stream",
    });
    if (!isDatagram) tuneConnections(libc, fd, tuning);
    const opened = descriptorSocket(libc, fd, endpoint);
    const socket = { ...opened.socket, isDatagram, isGiven };
    return { ...opened, socket };
  }
  const open = () => Deno.listen({ hostname, port });
  if (libc === undefined) return listenerSocket(open());
  const { listener, fd } = openListener(libc, open, backlogConnections);
  tuneConnections(libc, fd, tuning);
  if (acceptFrom === "listener") return listenerSocket(listener);
  // The runtime's reactor would be woken by every connection, in vain: it
  // gives its descriptor up, and the socket lives on in a copy.
  const own = duplicate(libc, fd);
  listener.close();
  const opened = descriptorSocket(libc, own, endpoint);
  return { ...opened, socket: { ...opened.socket, isGiven } };
}

function descriptorSocket(
  libc: Libc,
  fd: number,
  { host, port }: InetEndpoint,
): Opened {
  const bound = socketAddress(libc, fd);
  const close = (): void => {
    libc.c.close(fd);
  };
  const asked = port === 0
    ? undefined
    : formatAddress({ kind: "inet", host, port });
  return {
    socket: { address: formatAddress(bound), asked, source: { fd }, close },
    port: bound.kind === "inet" ? bound.port : port,
  };
}

function listenerSocket(listener: Deno.Listener): Opened {
  const { hostname: host, port } = listener.addr as Deno.NetAddr; // inet's
  const address = formatAddress({ kind: "inet", host, port });
  const close = () => listener.close();
  return { socket: { address, source: { listener }, close }, port };
}
