/**
 * A service's life: which connections it admits, how long their commands may
 * take, what is reported of them, and how it comes to an end.
 *
 * The door of lib/service, which imports from the rooms below it: engine, net,
 * log and posix. A daemon (daemon.ts) serves a `DaemonPlan` (plan.ts), which is
 * a {@linkcode Service} for each `ServicePlan`, until a signal ends it
 * (stopping.ts) or has it executed anew (reload/).
 *
 * @module
 */

import type { AdmissionRules } from "../admission/admission.ts";
import type {
  Command,
  Engine,
  RunningCommand,
  ServedService,
  ServiceEvents,
  StartProblem,
  WaitingConnection,
} from "../engine/engine.ts";
import { formatWaitStatus, type WaitStatus } from "../engine/wait_status.ts";
import type { Log } from "../log/log.ts";
import { quoted } from "../log/quoted.ts";
import type { ListeningSocket } from "../net/listening.ts";
import {
  type CountersRecord,
  ServiceCounters,
} from "../observe/service_counters.ts";
import { SIGKILL, SIGTERM } from "../posix/signals.ts";
import type { ConnectionOptions } from "../posix/socket_options.ts";
import type { Timer } from "../timer.ts";
import { connectionRecord } from "./connection_record.ts";
import { Deadlines } from "./deadlines.ts";
import { Fault } from "./fault.ts";
import { listed } from "./listed.ts";
import type { MachineReadings } from "./machine_readings.ts";
import { ServiceGate } from "./service_gate.ts";

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
 * How long commands that were killed may keep a daemon that comes to its end:
 * one that waits for a disk, or is held by who traces it, may never be gone.
 */
const LEAVE_MS = 3000;

/**
 * How long until the next client is tried after a command that could not be
 * started: by then it may have been installed, or others may have given back
 * the process, the memory or the descriptor that there was none of.
 */
const RETRY_MS = 1000;

/**
 * How often a command that is given the socket may be started within a time: one
 * that does not take what has come would be started for ever.
 */
const RESTARTS = 20;
const RESTARTS_MS = 2000;

/** What a service is. */
export interface ServiceOptions {
  readonly name: string;
  readonly sockets: readonly ListeningSocket[];
  readonly command: Command;
  /** How long a command may run; `Infinity` for as long as it likes. */
  readonly timeLimitMs: number;
  /** How many commands may run at once; 0 for no limit. */
  readonly maxProcesses: number;
  readonly engine: Engine;
  readonly log: Log;
  /** Whether to report each connection that comes, and then its end. */
  readonly verbose: boolean;
  /** Whether to tell of each connection when it has ended, what it took. */
  readonly logsConnections?: boolean;
  /**
   * Tells the peak memory of this process: a command begins with it, so that
   * no less can be told of a command.
   */
  readonly ownPeakMemoryBytes?: () => number;
  /**
   * Whether clients are tried one a second while the command cannot be started;
   * the others wait in the kernel's queue. Otherwise each is, and its connection
   * closed, unless something was lacking that the command cannot help.
   */
  readonly isThrottled: boolean;
  /** See `ServeOptions`. */
  readonly connectionOptions?: ConnectionOptions | undefined;
  /**
   * Whether its command is given the listening socket itself. Then it has one,
   * and one command at a time.
   */
  readonly waits?: boolean;
  /** Who may connect, and how much; `undefined` for everybody without limit. */
  readonly rules?: AdmissionRules | undefined;
  /** How busy the machine is, where the rules have a limit to that. */
  readonly readings?: MachineReadings;
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

/** A command with what its service knows of it. */
export interface FollowedCommand {
  readonly running: RunningCommand;
  /** The time limit that it was started with. */
  readonly limitMs: number;
  /** Whether its time was up: then it was killed, but not collected yet. */
  readonly isKilled: boolean;
}

/** What a service has in memory, for a program that goes on in its place. */
export interface ServiceMemory {
  readonly commands: readonly FollowedCommand[];
  /** Connections of which a proxy is yet to say who its client is. */
  readonly waiting: readonly WaitingConnection[];
  /** How often its command could not be started; 0 where that is over. */
  readonly startFailures: number;
  /** The same, of accepting connections. */
  readonly acceptFailures: number;
  /** What was counted; not there where another edition has not counted it. */
  readonly counters?: CountersRecord | undefined;
}

/** A service that is served. */
export class Service implements ServiceEvents {
  /** What there is to count of it. */
  readonly counters = new ServiceCounters();
  readonly #options: ServiceOptions;
  readonly #served: ServedService;
  readonly #running = new Deadlines<RunningCommand>((command) =>
    this.#expire(command)
  );
  /** Those that were killed, but not collected yet. */
  readonly #killed = new Set<RunningCommand>();
  readonly #gate: ServiceGate | undefined;
  readonly #startFault: Fault;
  readonly #acceptFault: Fault;
  readonly #restartFault: Fault;
  readonly #idle = Promise.withResolvers<void>();
  #limitTimer: Timer | undefined;
  #throttleTimer: Timer | undefined;
  #state: "serving" | "draining" | "terminating" = "serving";
  /** Whether the command could be started the last time. */
  #starts = false;
  /** Since when starts are counted, and how many there were. */
  #restarts = { sinceMs: -Infinity, count: 0 };
  /** One that is to be reported when it is known to run. */
  #unreported: RunningCommand | undefined;

  /**
   * @param options What to serve. It accepts nothing before {@linkcode start}.
   */
  constructor(options: ServiceOptions) {
    this.#options = options;
    const { log, command: { argv: [name] } } = options;
    const shown = quoted(name);
    const now = () => performance.now();
    this.#startFault = new Fault({
      log,
      now,
      event: "start-failed",
      text: (reason) => `command ${shown} cannot be started: ${reason}`,
      over: (count) =>
        `command ${shown} is started again, after ${failures(count)}`,
    });
    this.#acceptFault = new Fault({
      log,
      now,
      event: "accept-failed",
      text: (reason) => `connections cannot be accepted and wait: ${reason}`,
      over: (count) =>
        `connections are accepted again, after ${failures(count)}`,
    });
    this.#restartFault = new Fault({
      log,
      now,
      event: "restarts",
      text: (reason) =>
        `command ${shown} ${reason}: what comes waits meanwhile`,
      over: () => `command ${shown} is started again as before`,
    });
    const { rules, readings } = options;
    this.#gate = rules && new ServiceGate({
      ...{ rules, readings, log, counter: this.counters },
      changed: () => {
        if (this.#state === "serving") this.#goOn();
      },
    });
    this.#served = options.engine.serve({
      sockets: options.sockets,
      command: options.command,
      peers: options.verbose,
      connectionOptions: options.connectionOptions,
      waits: options.waits,
      events: this,
      gate: this.#gate,
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

  /** What it is called. */
  get name(): string {
    return this.#options.name;
  }

  /** Whether it listens: not any more once it is to end. */
  get isServing(): boolean {
    return this.#state === "serving";
  }

  /** How many commands may run at once; 0 for no limit. */
  get limit(): number {
    return this.#options.maxProcesses;
  }

  /** What it listens on while it is serving. */
  get sockets(): readonly ListeningSocket[] {
    return this.#options.sockets;
  }

  /** Its commands, and whether each was killed. */
  *commands(): Generator<
    readonly [command: RunningCommand, isKilled: boolean]
  > {
    for (const [command] of this.#running.entries()) yield [command, false];
    for (const command of this.#killed) yield [command, true];
  }

  /** What is to be known of it to go on in its place. */
  get memory(): ServiceMemory {
    const { timeLimitMs } = this.#options;
    return {
      commands: [
        ...[...this.#running.entries()].map(([running, limitMs]) => ({
          ...{ running, limitMs },
          isKilled: false,
        })),
        ...[...this.#killed].map((running) => ({
          ...{ running, limitMs: timeLimitMs },
          isKilled: true,
        })),
      ],
      waiting: this.#served.waiting,
      startFailures: this.#startFault.count,
      acceptFailures: this.#acceptFault.count,
      counters: this.counters.record,
    };
  }

  /**
   * Goes on where a former image of this process was. To be called before
   * {@linkcode start}.
   *
   * @param memory What that had in memory.
   */
  resume(memory: ServiceMemory): void {
    const { commands, waiting, startFailures, acceptFailures, counters } =
      memory;
    if (counters !== undefined) this.counters.resume(counters);
    this.#startFault.resume(startFailures);
    this.#acceptFault.resume(acceptFailures);
    for (const { running, limitMs, isKilled } of commands) {
      const command = this.#served.adopt(running);
      if (running.client !== undefined) this.#gate?.resume(running.client);
      if (isKilled) this.#killed.add(command);
      else {
        this.#running.add(command, { startedMs: running.startedMs, limitMs });
      }
    }
    for (const connection of waiting) this.#served.adoptWaiting(connection);
  }

  /** Begins to accept connections, as far as its limit allows. */
  start(): void {
    this.#goOn();
    if (this.#atLimit()) this.#warnOfLimit();
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
   * Stops listening and lets commands finish.
   *
   * @returns When the last has ended, but for those that do not although they
   * were killed when their time was up.
   */
  drain(): Promise<void> {
    if (this.#state === "serving") {
      this.#state = "draining";
      this.#served.stopListening();
      this.#gate?.stop();
      clearTimeout(this.#limitTimer);
      clearTimeout(this.#throttleTimer);
      this.#leaveLater([...this.#killed]);
      // It is a server of its own, which nobody would end otherwise.
      if (this.#options.waits) this.#signalAll(SIGTERM);
      this.#tellIdle();
    }
    return this.#idle.promise;
  }

  /**
   * Stops listening and ends the commands: politely, and after five seconds
   * for good.
   *
   * @returns When the last has ended, or is left as it does not.
   */
  terminate(): Promise<void> {
    const drained = this.drain();
    if (this.#state !== "terminating") {
      this.#state = "terminating";
      this.#served.dropWaiting();
      this.#served.endGroups();
      this.#signalAll(SIGTERM);
      setTimeout(() => this.#killAll(), TERMINATE_MS);
    }
    return drained;
  }

  /**
   * Ends commands that run, because somebody wants it: politely, and after five
   * seconds for good.
   *
   * @param isMeant Which ones.
   * @returns Those.
   */
  endByHand(isMeant: (command: RunningCommand) => boolean): RunningCommand[] {
    const ended = [...this.commands()]
      .flatMap(([command, isKilled]) => isKilled ? [] : [command])
      .filter(isMeant);
    for (const command of ended) {
      this.counters.endedByHand();
      this.#served.signal(command, SIGTERM);
    }
    if (ended.length === 0) return ended;
    setTimeout(() => {
      for (const command of ended) {
        // It is signalled only while it is followed: not collected.
        if (!this.#running.delete(command)) continue;
        this.#killed.add(command);
        this.#served.signal(command, SIGKILL);
        if (this.#state === "draining") this.#leaveLater([command]);
      }
    }, TERMINATE_MS);
    return ended;
  }

  #killAll(): void {
    this.#signalAll(SIGKILL);
    for (const [command] of [...this.commands()]) {
      if (this.#running.delete(command)) this.#killed.add(command);
    }
    setTimeout(() => this.#leave([...this.#killed]), LEAVE_MS);
  }

  /** What a drain has waited for may still get its signals by terminate(). */
  #leaveLater(killed: readonly RunningCommand[]): void {
    if (killed.length === 0) return;
    setTimeout(() => {
      if (this.#state === "draining") this.#leave(killed);
    }, LEAVE_MS);
  }

  /** Commands that do not end must not keep a daemon that does. */
  #leave(killed: readonly RunningCommand[]): void {
    const pids = killed.filter((command) => this.#killed.delete(command))
      .map(({ pid }) => pid);
    if (pids.length === 0) return;
    this.#options.log.warning(
      "left",
      `killed, but not gone, and left: process id ${listed(pids.map(String))}`,
      { pids },
    );
    this.#tellIdle();
  }

  starting(command: RunningCommand): void {
    this.#running.add(command, {
      startedMs: command.startedMs,
      limitMs: this.#options.timeLimitMs,
    });
    this.#acceptFault.over();
    if (this.#options.waits) this.#countRestart();
    this.counters.connected(command.startedMs);
    // Commands of clients that were accepted together come one by one, and an
    // observer may have ended the service at one of them.
    if (this.#atLimit() && this.#state === "serving") {
      this.#served.setAccepting(false);
      this.#warnOfLimit();
    }
    this.#options.observer?.started();
    // In the order in which they came, where there is no doubt of the command.
    if (this.#starts) this.#reportConnection(command);
    else this.#unreported = command;
  }

  started(command: RunningCommand): void {
    this.#starts = true;
    this.#startFault.over();
    if (this.#unreported === command) this.#reportConnection(command);
  }

  ended(command: RunningCommand, status: WaitStatus): void {
    this.#report(command, status);
    if (this.#options.waits) this.#restIfRestarted();
    this.#forget(command);
  }

  #countRestart(): void {
    const nowMs = performance.now();
    if (nowMs - this.#restarts.sinceMs >= RESTARTS_MS) {
      if (this.#restarts.count < RESTARTS) this.#restartFault.over();
      this.#restarts = { sinceMs: nowMs, count: 0 };
    }
    this.#restarts.count++;
  }

  #restIfRestarted(): void {
    const { sinceMs, count } = this.#restarts;
    const leftMs = sinceMs + RESTARTS_MS - performance.now();
    if (count < RESTARTS || leftMs <= 0) return;
    const seconds = RESTARTS_MS / 1000;
    this.#restartFault.met(`was started ${count} times in ${seconds} seconds`);
    this.#rest(leftMs);
  }

  notStarted({ reason, isShortage, command, client }: StartProblem): void {
    if (client !== undefined) this.#gate?.giveBack(client);
    this.#startFault.met(reason);
    this.counters.notStarted();
    this.#starts = false;
    if (isShortage || this.#options.isThrottled) this.#rest();
    if (command !== undefined) this.#forget(command);
  }

  #reportConnection({ peer, pid }: RunningCommand): void {
    this.#unreported = undefined;
    if (!this.#options.verbose) return;
    this.#options.log.info(
      "connected",
      `connect from ${peer}: process id ${pid}`,
      { peer, pid },
    );
  }

  #forget(command: RunningCommand): void {
    this.#running.delete(command) || this.#killed.delete(command);
    if (command.client !== undefined) this.#gate?.giveBack(command.client);
    this.#options.observer?.ended();
    if (this.#state === "serving") this.#goOn();
    else this.#tellIdle();
  }

  /** Leaves connections in the queue for a while. */
  #rest(delayMs = RETRY_MS): void {
    if (this.#throttleTimer !== undefined) return;
    this.#served.setAccepting(false);
    this.#throttleTimer = setTimeout(() => {
      this.#throttleTimer = undefined;
      if (this.#state === "serving") this.#goOn();
    }, delayMs);
  }

  notAccepted(reason: string): void {
    this.#acceptFault.met(reason);
  }

  noneWaiting(): void {
    if (this.#state !== "serving") this.#tellIdle();
  }

  #goOn(): void {
    this.#served.setAccepting(
      !this.#atLimit() && this.#throttleTimer === undefined &&
        !this.#gate?.isResting,
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
    const { isQuietAtLimit, waits } = this.#options;
    if (this.#limitTimer !== undefined || isQuietAtLimit || waits) return;
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

  #expire(running: RunningCommand): void {
    this.#killed.add(running);
    this.counters.timedOut();
    const { pid, command: { argv: [name] } } = running;
    this.#options.log.warning(
      "time-limit",
      `${name}: process id ${pid}: command time limit exceeded`,
      { command: name, pid },
    );
    this.#served.signal(running, SIGKILL);
    if (this.#state === "draining") this.#leaveLater([running]);
  }

  #report(running: RunningCommand, status: WaitStatus): void {
    const { pid, peer, startedMs, command: { argv: [name] } } = running;
    const { log, logsConnections = false } = this.#options;
    const durationMs = performance.now() - startedMs;
    const isNormal = isNormalEnd(status);
    this.counters.ended(isNormal ? "well" : "failed", {
      durationMs,
      used: running.usage,
    });
    if (!isNormal) {
      const { kind, ...details } = status;
      const event = kind === "signaled" ? "killed" : "failed";
      log.warning(event, `command ${name} ${formatWaitStatus(status)}`, {
        command: name,
        pid,
        ...details,
      });
    }
    if (logsConnections) {
      const { ownPeakMemoryBytes = () => 0 } = this.#options;
      const { text, fields } = connectionRecord(running, {
        ...{ status, durationMs },
        leastPeakBytes: ownPeakMemoryBytes(),
      });
      log.info("connection", text, fields);
    }
    // Whoever was told as it came: what it was before a reload counts.
    if (peer === "") return;
    const seconds = durationMs / 1000;
    log.info(
      "disconnected",
      `disconnect from ${peer}: process id ${pid}, ` +
        `${formatWaitStatus(status)}, ${seconds.toFixed(3)} s`,
      { peer, pid, seconds, ...status },
    );
  }

  #signalAll(signal: number): void {
    for (const [command] of [...this.commands()]) {
      this.#served.signal(command, signal);
    }
  }

  #tellIdle(): void {
    if (this.count > 0 || this.#served.waiting.length > 0) return;
    this.#running.stop();
    this.#idle.resolve();
  }
}

function failures(count: number): string {
  return count === 1 ? "1 failure" : `${count} failures`;
}

function isNormalEnd(status: WaitStatus): boolean {
  return status.kind === "exited" && status.code === 0;
}
