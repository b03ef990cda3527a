/**
 * The direct engine: the connection itself becomes the command's standard
 * input, output and error, and the daemon never touches a byte of it.
 *
 * One loop around one epoll set holds the listening sockets and a pidfd for
 * every command. It never waits for a command: a child that has not become its
 * command yet is looked after from time to time, and counts as one that runs. A
 * user that stops its own child, or holds its command's file, keeps the few
 * slots of its own service, whose clients wait in the queue then; nobody else
 * notices.
 *
 * Known limit: below a listening socket that the runtime made for a unix path,
 * the runtime's own reactor is woken by each connection too, in vain.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { setImmediate } from "node:timers";
import type { Credentials } from "../posix/credentials.ts";
import { Epoll } from "../posix/epoll.ts";
import {
  errorText,
  isShortage,
  isStartShortage,
  SystemError,
} from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { Children, type DescriptorLimit } from "../posix/process.ts";
import { SIGKILL } from "../posix/signals.ts";
import {
  Acceptor,
  formatOrigin,
  keepAlive,
  type Origin,
} from "../posix/sockets.ts";
import { type Start, Starter, type StartOptions } from "../posix/starter.ts";
import { type DirectCommand, DirectService } from "./direct_service.ts";
import type {
  Engine,
  RunningCommand,
  ServedService,
  ServeOptions,
} from "./engine.ts";
import { COMMAND_PATH } from "./environment.ts";
import { Lingering } from "./lingering.ts";
import { collectOrphans } from "./orphans.ts";
import { Starts } from "./starts.ts";
import { decodeWaitStatus } from "./wait_status.ts";

/** Connections taken from one socket before the others have their turn. */
const ACCEPT_BATCH = 16;

/**
 * How long the loop keeps the main thread before whatever waits for it runs, the
 * writing of the log above all: a round of the runtime's event loop for each
 * batch would cost more than the batch.
 */
const TURN_MS = 5;

/**
 * How long, under full load, before the runtime looks at its clock and for
 * signals. It does so only when the main thread has nothing to do, so that
 * costs a change of thread there and back.
 */
const PAUSE_MS = 50;

/**
 * How long the main thread itself waits for more to do before it hands the
 * wait to another thread: under load this saves two changes of thread a
 * connection.
 */
const WAIT_HERE_MS = 2;

/** The same while commands are on their way. */
const LOOK_MS = 1;

/** How often it is looked whether commands are still on their way. */
const SETTLE_LOOK_MS = 2;

/**
 * From how many commands on a child shares the daemon's table of descriptors
 * until it has one of its own. To copy it, with a descriptor for each command,
 * and to close all that costs more then than what sharing costs: every use of
 * a descriptor is dearer while a table is shared.
 */
const SHARES_FROM_COMMANDS = 300;

/** What an engine is made of. */
export interface DirectEngineOptions {
  /** The way to signal commands, and what children can become. */
  readonly credentials: Credentials;
  /** The limit of descriptors that commands have, if not the daemon's own. */
  readonly descriptorLimit?: DescriptorLimit | undefined;
}

/** A start that was begun, or the error number where it was not. */
interface Begun {
  readonly start: Start | number;
  readonly origin: Origin | undefined;
}

/** The engine for Linux with glibc. */
export class DirectEngine implements Engine {
  readonly name = "direct";
  readonly #libc: Libc;
  readonly #options: DirectEngineOptions;
  readonly #epoll: Epoll;
  readonly #acceptor: Acceptor;
  readonly #children: Children;
  readonly #starter: Starter;
  readonly #listening = new Map<number, DirectService>();
  /** Commands by their pidfds. */
  readonly #running = new Map<number, DirectCommand>();
  readonly #starts = new Starts();
  readonly #lingering: Lingering;
  /** Services with clients that wait for a slot. */
  readonly #crowded = new Set<DirectService>();
  /** Services that wait for a descriptor: the end of a command frees one. */
  readonly #paused = new Set<DirectService>();
  /** Descriptors that others have an interest in, and what to call. */
  readonly #watched = new Map<number, () => void>();
  /** Counts the turns of the loop. */
  #turn = 0;
  #stopped = false;

  /**
   * @param libc The C library.
   * @param options What it is made of.
   * @throws {SystemError} If the kernel gives no descriptors, or does not allow
   * the machine code.
   */
  constructor(libc: Libc, options: DirectEngineOptions) {
    this.#libc = libc;
    this.#options = options;
    this.#epoll = new Epoll(libc);
    this.#acceptor = new Acceptor(libc);
    this.#children = new Children(libc);
    this.#starter = new Starter(libc);
    this.#lingering = new Lingering(this.#children, {
      collected: (command, word) => this.#collected(command, word),
      givenUp: (command) => {
        // Nor may it keep a descriptor, of which others have need.
        this.#closePidFd(command);
        this.#tellEnd(command, "gone");
      },
    });
  }

  serve(options: ServeOptions): ServedService {
    const { argv, environment, identity, rootDirectory } = options.command;
    const { credentials, descriptorLimit } = this.#options;
    const prepared = this.#starter.prepare({
      argv,
      environment,
      searchPath: COMMAND_PATH,
      identity: credentials.canBecome ? identity : undefined,
      rootDirectory,
      descriptorLimit,
    });
    const fds = options.sockets.map(({ source }) => {
      if ("fd" in source) return source.fd;
      throw new TypeError("the direct engine accepts from descriptors");
    });
    const service: DirectService = new DirectService({
      serve: options,
      prepared,
      fds,
      engine: {
        watch: (fd, watched) => this.#epoll.watch(fd, watched),
        start: (connection) => this.#startFor(service, connection),
        forget: (fd) => {
          this.#epoll.remove(fd);
          this.#listening.delete(fd);
        },
        adopt: (command) => this.#adopt(service, command),
        signal: (command, signal) =>
          // Handed out by this engine.
          this.#signal(command as DirectCommand, signal),
      },
    });
    for (const fd of fds) {
      this.#epoll.add(fd, false);
      this.#listening.set(fd, service);
    }
    return service;
  }

  async run(): Promise<void> {
    collectOrphans(this.#children, (pid) => this.#collectByPid(pid));
    let turnedMs = performance.now();
    let pausedMs = turnedMs;
    while (!this.#stopped) {
      this.#lookAtStarts();
      const isCrowded = this.#crowded.size > 0 && this.#awaitSlot();
      const isPauseDue = turnedMs - pausedMs >= PAUSE_MS;
      let count = isPauseDue ? 0 : this.#epoll.waitHere(
        isCrowded ? 0 : this.#starts.hasYoung ? LOOK_MS : WAIT_HERE_MS,
      );
      if (isPauseDue || count === 0 && !this.#starts.hasYoung) {
        count = await this.#epoll.waitElsewhere(this.#starts.lookAgainMs);
        turnedMs = pausedMs = performance.now();
      }
      this.#handle(count);
      if (performance.now() - turnedMs < TURN_MS) continue;
      await new Promise<void>((resolve) => setImmediate(resolve));
      turnedMs = performance.now();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#epoll.wake();
  }

  /**
   * Waits until no command is on its way: until then a failure could not be
   * told by what this process executes next. One that stands still is not
   * waited for.
   *
   * @param limitMs How long to wait at the most.
   */
  async settled(limitMs: number): Promise<void> {
    const endMs = performance.now() + limitMs;
    while (!this.#starts.isEmpty && performance.now() < endMs) {
      await delay(SETTLE_LOOK_MS);
    }
  }

  /**
   * Calls back whenever a descriptor is readable.
   *
   * @param fd The descriptor.
   * @param readable What to call.
   * @throws {SystemError} If the kernel has no memory for it.
   */
  watch(fd: number, readable: () => void): void {
    this.#epoll.add(fd);
    this.#watched.set(fd, readable);
  }

  /**
   * Ends a {@linkcode watch}.
   *
   * @param fd The descriptor.
   */
  unwatch(fd: number): void {
    this.#epoll.remove(fd);
    this.#watched.delete(fd);
  }

  /**
   * Ends a {@linkcode watch} and closes the descriptor.
   *
   * @param fd The descriptor.
   */
  closeWatched(fd: number): void {
    this.unwatch(fd);
    this.#libc.c.close(fd);
  }

  /**
   * Clients that wait come first: a command that has ended keeps nobody
   * waiting, as its connection ended with it.
   */
  #handle(count: number): void {
    const { ready } = this.#epoll;
    this.#turn++;
    for (let index = 0; index < count; index++) {
      const fd = ready[index] ?? -1;
      const service = this.#listening.get(fd);
      if (service !== undefined) this.#acceptFrom(fd, service);
    }
    for (let index = 0; index < count; index++) {
      const fd = ready[index] ?? -1;
      const command = this.#running.get(fd);
      if (command !== undefined) this.#collect(command);
      // One that was taken out during this very turn is in no table.
      else this.#watched.get(fd)?.();
    }
  }

  /**
   * Starts a command for the client that waits first, and for the next ones
   * where several are known to come: to find an empty queue takes as long as to
   * take a client from it.
   */
  #acceptFrom(fd: number, service: DirectService): void {
    if (!service.accepting) return;
    const { freeSlots } = service;
    if (freeSlots <= 0) {
      this.#crowded.add(service);
      return;
    }
    const most = service.comesAgain(this.#turn) ? ACCEPT_BATCH : 1;
    const room = Math.min(most, service.events.room, freeSlots);
    const begun: Begun[] = [];
    const how = this.#howToStart(service);
    let failure = 0;
    this.#starter.withoutSignals(() => {
      while (begun.length < room) {
        const connection = this.#acceptor.accept(fd);
        if (connection < 0) {
          failure = -connection;
          break;
        }
        if (service.keepAlive) keepAlive(this.#libc, connection);
        const origin = this.#acceptor.origin(connection);
        begun.push({ start: service.prepared.start(connection, how), origin });
      }
    });
    if (begun.length > 0) this.#tellBegun(service, begun);
    // The service may have had its fill meanwhile.
    if (failure !== 0 && service.accepting) {
      this.#acceptFailed(service, failure);
    }
  }

  /** A queue that is empty, or a client that has gone, is no failure. */
  #acceptFailed(service: DirectService, code: number): void {
    if (!isShortage(code)) return;
    this.#paused.add(service);
    service.pause(errorText(this.#libc, code));
  }

  #startFor(service: DirectService, connection: number): void {
    const how = this.#howToStart(service);
    const begun: Begun[] = [];
    this.#starter.withoutSignals(() => {
      const start = service.prepared.start(connection, how);
      begun.push({ start, origin: undefined });
    });
    this.#tellBegun(service, begun);
  }

  #howToStart({ keepsConnections }: DirectService): StartOptions {
    return {
      keepsConnection: keepsConnections,
      sharesDescriptors: this.#running.size >= SHARES_FROM_COMMANDS,
    };
  }

  #tellBegun(service: DirectService, begun: readonly Begun[]): void {
    const startedMs = performance.now();
    for (const { start, origin } of begun) {
      if (typeof start === "number") {
        service.noteFailure();
        service.events.notStarted({
          reason: errorText(this.#libc, start),
          isShortage: isStartShortage(start),
        });
        continue;
      }
      const command: DirectCommand = {
        pid: start.pid,
        pidFd: start.pidFd,
        peer: service.peers && origin ? formatOrigin(origin) : "",
        origin,
        startedMs,
        command: service.command,
        service,
        start,
        hasFailed: false,
        isKilled: false,
        problem: undefined,
        isTold: false,
        usage: undefined,
      };
      this.#follow(command);
      service.events.starting(command);
      if (start.connection >= 0) this.#awaitOutcome(start);
    }
  }

  /**
   * The client of a connection that is kept sees no end of it until the outcome
   * is known, which as a rule is much less than a millisecond away.
   */
  #awaitOutcome(start: Start): void {
    this.#starter.await(start, LOOK_MS);
    this.#lookAtStarts();
  }

  /**
   * Follows a child to its end. One that cannot be followed cannot be limited
   * or reported either, so it is ended.
   */
  #follow(command: DirectCommand): void {
    this.#running.set(command.pidFd, command);
    this.#starts.add(command);
    try {
      this.#epoll.addOnce(command.pidFd);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      const reason = errorText(this.#libc, error.code);
      command.problem = `it cannot be watched: ${reason}`;
      this.#signal(command, SIGKILL);
      this.#lingering.add(command, false);
    }
  }

  #lookAtStarts(): void {
    this.#starts.look((command) => this.#arrived(command));
  }

  /**
   * Nothing is lost for want of a descriptor: a command that cannot be watched
   * is asked by a timer.
   */
  #adopt(service: DirectService, running: RunningCommand): DirectCommand {
    const command: DirectCommand = {
      ...running,
      pidFd: this.#watch(running.pid),
      service,
      start: undefined,
      hasFailed: false,
      isKilled: false,
      problem: undefined,
      isTold: false,
      usage: undefined,
    };
    if (command.pidFd >= 0) this.#running.set(command.pidFd, command);
    else this.#lingering.add(command, false);
    return command;
  }

  /** Watches a child by a new pidfd; -1 where there is none to be had. */
  #watch(pid: number): number {
    const pidFd = this.#children.watch(pid);
    if (pidFd < 0) return -1;
    try {
      this.#epoll.addOnce(pidFd);
      return pidFd;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#libc.c.close(pidFd);
      return -1;
    }
  }

  /** A child has left its slot: it is the command now, or it has failed. */
  #arrived(command: DirectCommand): void {
    const { start, service } = command;
    if (start === undefined) return;
    if (start.slot.list.hasFailed) {
      // The slot is free when the child was collected, which it soon can be.
      command.hasFailed = true;
      return;
    }
    service.prepared.finish(start);
    command.start = undefined;
    service.noteStart(start);
    service.setCrowded(false);
    service.events.started(command);
  }

  /**
   * Has clients wait for a slot that is about to be free, if there is one. A
   * service whose slots are kept by children that stand still is not watched
   * until one is free again.
   *
   * @returns Whether there is still a service with such clients.
   */
  #awaitSlot(): boolean {
    let awaited: Start | undefined;
    for (const service of this.#crowded) {
      this.#crowded.delete(service);
      if (!service.accepting || service.freeSlots > 0) continue;
      const start = this.#starts.youngOf(service)?.start;
      if (start === undefined) service.setCrowded(true);
      else awaited ??= start;
    }
    if (awaited === undefined) return false;
    this.#starter.await(awaited, LOOK_MS);
    this.#lookAtStarts();
    return true;
  }

  /**
   * Signals a command's process group, with its user's rights; a child that is
   * on its way may be nobody's yet, and in no group of its own.
   */
  #signal(command: DirectCommand, signal: number): void {
    const { pid, start, command: { identity } } = command;
    const { credentials } = this.#options;
    if (signal === SIGKILL) command.isKilled = true;
    if (start === undefined) {
      credentials.asSender(identity, () => {
        this.#children.signalGroup(pid, signal);
      });
    } else {
      credentials.asRoot(() => {
        this.#children.signal(pid, signal);
        this.#children.signalGroup(pid, signal);
      });
    }
  }

  /** An orphan's end is nobody's to know. */
  #collectByPid(pid: number): boolean {
    const command = this.#lingering.find(pid) ??
      this.#running.values().find((command) => command.pid === pid);
    if (command === undefined) return false;
    this.#collect(command);
    return true;
  }

  #collect(command: DirectCommand): void {
    const { pid, service } = command;
    if (command.start !== undefined && !command.hasFailed) {
      this.#starts.delete(command);
      this.#arrived(command);
    }
    // Before it is collected, for its process id names the group until then.
    if (service.endsGroups) service.signal(command, SIGKILL);
    const word = this.#children.collect(pid);
    // A process that traces it comes first.
    if (word === undefined) this.#lingering.add(command, true);
    else this.#collected(command, word);
  }

  #collected(command: DirectCommand, word: number | "gone"): void {
    if (word !== "gone") command.usage = this.#children.usage;
    this.#lingering.delete(command);
    this.#closePidFd(command);
    if (command.hasFailed) this.#goOn(command);
    else this.#tellEnd(command, word);
    if (this.#paused.size > 0) this.#resumePaused();
  }

  #closePidFd(command: DirectCommand): void {
    if (command.pidFd < 0) return;
    this.#libc.c.close(command.pidFd);
    this.#running.delete(command.pidFd);
    command.pidFd = -1;
  }

  /** Tries the next file, if there is one, or tells why none was started. */
  #goOn(command: DirectCommand): void {
    const { start, service } = command;
    if (start === undefined) return;
    let failure: ReturnType<typeof service.prepared.goOn>;
    this.#starter.withoutSignals(() => {
      failure = service.prepared.goOn(start, command.isKilled);
    });
    command.hasFailed = false;
    if (failure === undefined) {
      command.pid = start.pid;
      command.pidFd = start.pidFd;
      this.#follow(command);
      return;
    }
    command.start = undefined;
    service.setCrowded(false);
    service.noteFailure();
    const { reason, code } = failure;
    const isShortage = isStartShortage(code);
    service.events.notStarted({ reason, isShortage, command });
  }

  #tellEnd(command: DirectCommand, word: number | "gone"): void {
    if (command.isTold) return;
    command.isTold = true;
    const { service: { events }, problem: reason } = command;
    if (reason !== undefined) {
      return events.notStarted({ reason, isShortage: true, command });
    }
    events.ended(
      command,
      word === "gone" ? { kind: "unknown" } : decodeWaitStatus(word),
    );
  }

  #resumePaused(): void {
    for (const service of this.#paused) service.resume();
    this.#paused.clear();
  }
}
