/**
 * A service's life: which connections it admits, how long their commands may
 * take, what is reported of them, and how it comes to an end.
 *
 * @module
 */

import type {
  Command,
  Engine,
  ListeningSocket,
  RunningCommand,
  ServedService,
  ServiceEvents,
  StartProblem,
} from "../engine/engine.ts";
import { formatWaitStatus, type WaitStatus } from "../engine/wait_status.ts";
import type { Log } from "../log/log.ts";
import { SIGKILL, SIGTERM } from "../posix/process.ts";
import { TIMER_MAX_MS } from "../timer_limit.ts";
import { Fault } from "./fault.ts";

/** How often a service that stays at its limit says so. */
const LIMIT_WARNING_MS = 60_000;

/**
 * How long it stays there before it says so: under load, commands may have
 * ended already that are yet to be collected.
 */
const LIMIT_NOTICE_MS = 100;

/** How long commands that were asked to end may take to. */
const TERMINATE_MS = 5000;

/**
 * How long until a service is tried again for which there was no process, no
 * memory or no descriptor: others may have given some back.
 */
const SHORTAGE_RETRY_MS = 1000;

/** What `setTimeout` returns: a number on Deno 2.7, an object on 2.9. */
type Timer = ReturnType<typeof setTimeout>;

/** What a service is. */
export interface ServiceOptions {
  readonly name: string;
  readonly sockets: readonly ListeningSocket[];
  readonly command: Command;
  /** How long a command may run. */
  readonly timeLimitMs: number;
  /** How many commands may run at once; 0 for no limit. */
  readonly maxProcesses: number;
  readonly engine: Engine;
  readonly log: Log;
  /** Whether to report each connection. */
  readonly verbose: boolean;
  /**
   * How long to leave connections in the kernel's queue after a command that
   * could not be started; 0 to close such a connection and go on.
   */
  readonly throttleMs: number;
  /** Whether to tell the kernel for each connection to keep it alive. */
  readonly keepAlive?: boolean;
  /** Who follows its connections. */
  readonly observer?: ServiceObserver;
  /** Whether it is no news that commands stand at the limit. */
  readonly isQuietAtLimit?: boolean;
}

/** Follows a service's connections, from their start to the command's end. */
export interface ServiceObserver {
  /** How many more connections may be accepted, for as much as it has to say. */
  readonly room: number;
  /** A connection was accepted; its command is being started. */
  started(): void;
  /** A command has ended, and was reported, or did not start. */
  ended(): void;
}

/** A service that is served. */
export class Service implements ServiceEvents {
  readonly #options: ServiceOptions;
  readonly #served: ServedService;
  /** In the order of their deadlines, since all have the same time limit. */
  readonly #running = new Set<RunningCommand>();
  /** Those whose time was up: killed, but not collected yet. */
  readonly #killed = new Set<RunningCommand>();
  readonly #startFault: Fault;
  readonly #acceptFault: Fault;
  readonly #idle = Promise.withResolvers<void>();
  #deadlineTimer: Timer | undefined;
  #limitTimer: Timer | undefined;
  #throttleTimer: Timer | undefined;
  #state: "serving" | "draining" | "terminating" = "serving";
  #isHeld = false;

  /**
   * @param options What to serve. It accepts nothing before {@linkcode start}.
   */
  constructor(options: ServiceOptions) {
    this.#options = options;
    const { log, command: { argv: [name] } } = options;
    const now = () => performance.now();
    this.#startFault = new Fault({
      log,
      now,
      event: "start-failed",
      text: (reason) => `command ${name} cannot be started: ${reason}`,
      over: (count) =>
        `command ${name} is started again, after ${failures(count)}`,
    });
    this.#acceptFault = new Fault({
      log,
      now,
      event: "accept-failed",
      text: (reason) => `connections cannot be accepted and wait: ${reason}`,
      over: (count) =>
        `connections are accepted again, after ${failures(count)}`,
    });
    this.#served = options.engine.serve({
      sockets: options.sockets,
      command: options.command,
      peers: options.verbose,
      keepAlive: options.keepAlive,
      events: this,
    });
  }

  /** How many commands there are, those on their way included. */
  get count(): number {
    return this.#running.size + this.#killed.size;
  }

  /** How many more connections may be accepted. */
  get room(): number {
    const { observer } = this.#options;
    return Math.min(this.#roomToLimit, observer?.room ?? Infinity);
  }

  get #roomToLimit(): number {
    const { maxProcesses } = this.#options;
    return maxProcesses > 0 ? maxProcesses - this.count : Infinity;
  }

  /** Begins to accept connections. */
  start(): void {
    this.#served.setAccepting(true);
  }

  /**
   * Starts a command for a connection that came some other way.
   *
   * @param connection Its descriptor, which is closed here.
   */
  serveOne(connection: number): void {
    this.#served.take(connection);
  }

  /**
   * Leaves connections to another process that accepts from the same sockets,
   * or takes them again.
   *
   * @param isHeld Whether to leave them.
   */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (this.#state === "serving") this.#goOn();
  }

  /**
   * Stops listening and lets commands finish.
   *
   * @param heir Whether another process listens on the same sockets.
   * @returns When the last has ended.
   */
  drain(heir = false): Promise<void> {
    if (this.#state === "serving") {
      this.#state = "draining";
      this.#served.stopListening(heir);
      clearTimeout(this.#limitTimer);
      clearTimeout(this.#throttleTimer);
      this.#tellIdle();
    }
    return this.#idle.promise;
  }

  /**
   * Stops listening and ends the commands: politely, and after five seconds
   * for good.
   *
   * @returns When the last has ended.
   */
  terminate(): Promise<void> {
    const drained = this.drain();
    if (this.#state !== "terminating") {
      this.#state = "terminating";
      this.#served.endGroups();
      this.#signalAll(SIGTERM);
      setTimeout(() => this.#signalAll(SIGKILL), TERMINATE_MS);
    }
    return drained;
  }

  starting(command: RunningCommand): void {
    this.#running.add(command);
    this.#acceptFault.over();
    // Commands of clients that were accepted together come one by one, and an
    // observer may have ended the service at one of them.
    if (this.#atLimit() && this.#state === "serving") {
      this.#served.setAccepting(false);
      this.#warnOfLimit();
    }
    if (this.#deadlineTimer === undefined) this.#armDeadlineTimer();
    this.#options.observer?.started();
  }

  started({ peer, pid }: RunningCommand): void {
    this.#startFault.over();
    if (!this.#options.verbose) return;
    this.#options.log.info(
      "connected",
      `connect from ${peer}: process id ${pid}`,
      { peer, pid },
    );
  }

  ended(command: RunningCommand, status: WaitStatus): void {
    this.#report(command, status);
    this.#forget(command);
  }

  notStarted({ reason, isShortage, command }: StartProblem): void {
    this.#startFault.met(reason);
    this.#rest(
      isShortage
        ? SHORTAGE_RETRY_MS
        : Math.min(this.#options.throttleMs, TIMER_MAX_MS),
    );
    if (command !== undefined) this.#forget(command);
  }

  #forget(command: RunningCommand): void {
    this.#running.delete(command) || this.#killed.delete(command);
    this.#options.observer?.ended();
    if (this.#state === "serving") this.#goOn();
    else this.#tellIdle();
  }

  /** Leaves connections in the queue for a while. */
  #rest(restMs: number): void {
    if (restMs === 0 || this.#throttleTimer !== undefined) return;
    this.#served.setAccepting(false);
    this.#throttleTimer = setTimeout(() => {
      this.#throttleTimer = undefined;
      if (this.#state === "serving") this.#goOn();
    }, restMs);
  }

  notAccepted(reason: string): void {
    this.#acceptFault.met(reason);
  }

  #goOn(): void {
    this.#served.setAccepting(
      !this.#isHeld && !this.#atLimit() && this.#throttleTimer === undefined,
    );
  }

  #atLimit(): boolean {
    return this.#roomToLimit <= 0;
  }

  /**
   * Warns of a limit that commands stand at for a moment, then once a minute
   * while they do. A service that goes to its limit and back is not warned of
   * each time.
   */
  #warnOfLimit(): void {
    if (this.#limitTimer !== undefined || this.#options.isQuietAtLimit) return;
    this.#limitTimer = setTimeout(() => this.#lookAtLimit(), LIMIT_NOTICE_MS);
  }

  #lookAtLimit(): void {
    this.#limitTimer = undefined;
    if (!this.#atLimit()) return;
    const { log, name, maxProcesses } = this.#options;
    log.warning(
      "process-limit",
      `service ${name} reached its process limit "${maxProcesses}": ` +
        "new clients may experience noticeable delays",
      { limit: maxProcesses },
    );
    this.#limitTimer = setTimeout(() => this.#lookAtLimit(), LIMIT_WARNING_MS);
  }

  /**
   * One timer for all commands, for the head of their queue. A timer for each
   * would cost every connection, and is not needed: deadlines come in order.
   */
  #armDeadlineTimer(): void {
    const [head] = this.#running;
    if (head === undefined) {
      this.#deadlineTimer = undefined;
      return;
    }
    const leftMs = this.#deadlineOf(head) - performance.now();
    this.#deadlineTimer = setTimeout(
      () => this.#expire(),
      Math.min(Math.max(0, Math.ceil(leftMs)), TIMER_MAX_MS),
    );
  }

  #expire(): void {
    const nowMs = performance.now();
    for (const command of this.#running) {
      if (this.#deadlineOf(command) > nowMs) break;
      this.#running.delete(command);
      this.#killed.add(command);
      const { log, command: { argv: [name] } } = this.#options;
      log.warning(
        "time-limit",
        `${name}: process id ${command.pid}: command time limit exceeded`,
        { command: name, pid: command.pid },
      );
      this.#served.signal(command, SIGKILL);
    }
    this.#armDeadlineTimer();
  }

  #deadlineOf({ startedMs }: RunningCommand): number {
    return startedMs + this.#options.timeLimitMs;
  }

  #report(command: RunningCommand, status: WaitStatus): void {
    const { log, verbose, command: { argv: [name] } } = this.#options;
    if (!isNormalEnd(status)) {
      const { kind, ...details } = status;
      const event = kind === "signaled" ? "killed" : "failed";
      log.warning(event, `command ${name} ${formatWaitStatus(status)}`, {
        command: name,
        pid: command.pid,
        ...details,
      });
    }
    if (!verbose) return;
    const { pid, peer, startedMs } = command;
    const seconds = (performance.now() - startedMs) / 1000;
    log.info(
      "disconnected",
      `disconnect from ${peer}: process id ${pid}, ` +
        `${formatWaitStatus(status)}, ${seconds.toFixed(3)} s`,
      { peer, pid, seconds, ...status },
    );
  }

  #signalAll(signal: number): void {
    for (const command of [...this.#running, ...this.#killed]) {
      this.#served.signal(command, signal);
    }
  }

  #tellIdle(): void {
    if (this.count > 0) return;
    clearTimeout(this.#deadlineTimer);
    this.#idle.resolve();
  }
}

function failures(count: number): string {
  return count === 1 ? "1 failure" : `${count} failures`;
}

function isNormalEnd(status: WaitStatus): boolean {
  return status.kind === "exited" && status.code === 0;
}
