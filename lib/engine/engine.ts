/**
 * What an engine is: the part that takes connections, starts a command for
 * each, and tells when it has ended. Two stand behind this interface: `direct`
 * hands the connection itself to the command; `relay` carries the bytes, where
 * the C library cannot be called.
 *
 * An engine knows no limits, no texts and no log. It calls a service's
 * {@linkcode ServiceEvents}, and the service decides.
 *
 * The door of lib/engine, which imports from net, config and posix. A service
 * gives a {@linkcode Command} and its sockets to an {@linkcode Engine}, and
 * has a {@linkcode ServedService} to steer it by; each connection is a
 * {@linkcode RunningCommand} from then on.
 *
 * @module
 */

import type { ListeningSocket } from "../net/listening.ts";
import type { Client } from "../posix/client.ts";
import type { ConnectionEnvironment } from "../posix/connection_environment.ts";
import type { Identity } from "../posix/credentials.ts";
import type { Gate } from "./gate.ts";
import type { ResourceUsage } from "../posix/resource_usage.ts";
import { formatOrigin, type Origin } from "../posix/sockets.ts";
import type { ConnectionOptions } from "../posix/socket_options.ts";
import type { Surroundings } from "../posix/surroundings/surroundings.ts";
import type { WaitStatus } from "./wait_status.ts";

/** The engines, by name. */
export type EngineName = "direct" | "relay";

/** A command as it was checked: what to run for every connection. */
export interface Command {
  /** The command's name as configured, then its arguments. */
  readonly argv: readonly [string, ...string[]];
  /** The whole environment, as `NAME=VALUE` words. */
  readonly environment: readonly string[];
  /** Whose rights it has. */
  readonly identity: Identity;
  /** The directory that is its root, and in which it starts, if it has one. */
  readonly rootDirectory?: string | undefined;
  /** What else is asked for its process. */
  readonly surroundings?: Surroundings | undefined;
  /** Whose variables tell it of its connection; nobody's, if none are said. */
  readonly connectionEnvironment?: ConnectionEnvironment | undefined;
}

/** A command that is there, started or about to be, and whose end was not told. */
export interface RunningCommand {
  readonly pid: number;
  /** Where the connection came from; empty unless peers were asked for. */
  readonly peer: string;
  /** The same for who comes to ask; written down already, or not yet. */
  readonly origin?: Origin | string | undefined;
  /** What it has used, when it has ended and the kernel has told. */
  readonly usage?: ResourceUsage | undefined;
  /** When it was started, in milliseconds of `performance.now()`. */
  readonly startedMs: number;
  /** The command as it was configured by then. */
  readonly command: Command;
  /** What its client is counted by, where commands are told how many. */
  readonly clientKey?: number | string | undefined;
  /** Who was admitted, where there is a gate. */
  readonly client?: Client | undefined;
}

/** A connection of which a proxy is yet to say who its client is. */
export interface WaitingConnection {
  readonly fd: number;
  readonly proxy: Client;
  /** When it came, in milliseconds of `performance.now()`. */
  readonly sinceMs: number;
}

/**
 * Tells where the connection of a command came from, also where nobody wanted to
 * know it at the time.
 *
 * @param command The command.
 * @returns It; empty where it is not known.
 */
export function clientOf({ peer, origin = peer }: RunningCommand): string {
  if (peer !== "") return peer;
  return typeof origin === "string" ? origin : formatOrigin(origin);
}

/** Why the command of a connection did not start. */
export interface StartProblem {
  /** In the system's words. */
  readonly reason: string;
  /**
   * Whether the system lacked a process, a descriptor or memory: nothing that
   * the command could help.
   */
  readonly isShortage: boolean;
  /** The command, if it was told of as starting. */
  readonly command?: RunningCommand | undefined;
  /** If it was not: who was admitted, where there is a gate. */
  readonly client?: Client | undefined;
}

/** What an engine tells a service, always from the event loop's thread. */
export interface ServiceEvents {
  /**
   * How many more commands may be started now, while the service accepts;
   * `Infinity` where nothing limits them.
   */
  readonly room: number;
  /** A connection was accepted; its command counts from now on. */
  starting(command: RunningCommand): void;
  /** The command runs. */
  started(command: RunningCommand): void;
  /** A command has ended and was collected. */
  ended(command: RunningCommand, status: WaitStatus): void;
  /** A connection was closed again: its command did not start. */
  notStarted(problem: StartProblem): void;
  /**
   * Connections cannot be accepted for want of a descriptor or of memory. They
   * wait in the kernel's queue; the engine tries again every second.
   */
  notAccepted(reason: string): void;
  /** The last connection that {@linkcode ServedService.waiting} had has gone. */
  noneWaiting(): void;
}

/** What an engine serves. */
export interface ServeOptions {
  readonly sockets: readonly ListeningSocket[];
  readonly command: Command;
  readonly events: ServiceEvents;
  /** Whether to find out where each connection comes from. */
  readonly peers: boolean;
  /**
   * How the kernel is to treat each connection. It need not be said for sockets
   * that were told so before the first client came.
   */
  readonly connectionOptions?: ConnectionOptions | undefined;
  /**
   * Whether the command is given the listening socket itself, to take from it
   * what comes; by the service's limit one at a time.
   */
  readonly waits?: boolean | undefined;
  /** Who decides on clients; everybody is taken where there is none. */
  readonly gate?: Gate | undefined;
}

/** A service in an engine's hands. It accepts nothing until it is told to. */
export interface ServedService {
  /**
   * Says whether to accept connections. While not, they wait in the kernel's
   * queue. Takes effect at once, also from within an event.
   */
  setAccepting(accepting: boolean): void;
  /**
   * Starts a command for a connection that was accepted elsewhere.
   *
   * @param connection Its descriptor, which is closed here.
   * @throws {TypeError} If the engine knows no descriptors.
   */
  take(connection: number): void;
  /**
   * Takes a command over that this process has started before it executed its
   * program anew: it is followed and reported as any other.
   *
   * @param command The command; it may have ended meanwhile.
   * @returns What the service's events will know it by.
   * @throws {TypeError} If the engine knows no processes.
   */
  adopt(command: RunningCommand): RunningCommand;
  /**
   * Stops listening for good; running commands go on, and what was accepted is
   * served.
   */
  stopListening(): void;
  /** Connections whose clients are not known yet, or cannot be served yet. */
  readonly waiting: readonly WaitingConnection[];
  /**
   * Takes a connection over that a former image of this process has had wait.
   *
   * @param waiting The connection.
   */
  adoptWaiting(waiting: WaitingConnection): void;
  /** Closes the connections that wait. */
  dropWaiting(): void;
  /** Signals a running command's whole process group. */
  signal(command: RunningCommand, signal: number): void;
  /**
   * From now on a command's end is the end of its whole process group: what
   * it leaves behind is killed. Otherwise that lives on, as with spawn(8).
   */
  endGroups(): void;
}

/** An engine. */
export interface Engine {
  readonly name: EngineName;
  /**
   * Takes a service in.
   *
   * @param options What to serve.
   * @returns The handle on it.
   */
  serve(options: ServeOptions): ServedService;
  /** Runs until {@linkcode stop}. */
  run(): Promise<void>;
  /** Ends {@linkcode run} soon. Whatever runs then is left to itself. */
  stop(): void;
}

/** How long an engine waits before it accepts anew after a failure. */
export const ACCEPT_RETRY_MS = 1000;
