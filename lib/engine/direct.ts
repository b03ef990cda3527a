/**
 * The direct engine: the connection itself becomes the command's standard
 * input, output and error, and the daemon never touches a byte of it.
 *
 * One loop around one epoll set holds the listening sockets and a pidfd for
 * every running command; a table from pidfd to command is its only state.
 *
 * Known limit: below a listening socket that the runtime made for a unix path,
 * the runtime's own reactor is woken by each connection too, in vain.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Credentials } from "../posix/credentials.ts";
import { Epoll } from "../posix/epoll.ts";
import { errorText, isShortage, SystemError } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { Children, SIGKILL } from "../posix/process.ts";
import { Acceptor, keepAlive } from "../posix/sockets.ts";
import {
  type DescriptorLimits,
  type PreparedCommand,
  Spawner,
} from "../posix/spawn.ts";
import {
  ACCEPT_RETRY_MS,
  type Command,
  type Engine,
  type RunningCommand,
  type ServedService,
  type ServeOptions,
  type ServiceEvents,
} from "./engine.ts";
import { COMMAND_PATH } from "./environment.ts";
import { decodeWaitStatus } from "./wait_status.ts";

/** Connections taken from one socket before the others have their turn. */
const ACCEPT_BATCH = 16;

/**
 * How long the loop keeps the main thread before whatever waits for it runs.
 * Full batches take several milliseconds each: below that, every one of them
 * would pay for a round of the runtime's event loop.
 */
const TURN_MS = 20;

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
const WAIT_HERE_MS = 1;

/**
 * How often those are asked after that no descriptor was left to watch by.
 */
const UNWATCHED_MS = 1000;

/** What `setTimeout` returns: a number on Deno 2.7, an object on 2.9. */
type Timer = ReturnType<typeof setTimeout>;

interface DirectCommand extends RunningCommand {
  /** -1 where there was none left. */
  readonly pidFd: number;
  readonly service: DirectService;
}

/** The engine for Linux with glibc. */
export class DirectEngine implements Engine {
  readonly name = "direct";
  readonly #libc: Libc;
  readonly #credentials: Credentials;
  readonly #epoll: Epoll;
  readonly #acceptor: Acceptor;
  readonly #children: Children;
  readonly #spawner: Spawner;
  readonly #listening = new Map<number, DirectService>();
  readonly #running = new Map<number, DirectCommand>();
  /** Services that wait for a descriptor: the end of a command frees one. */
  readonly #paused = new Set<DirectService>();
  /** Commands that were taken over and cannot be watched. */
  readonly #unwatched = new Set<DirectCommand>();
  #unwatchedTimer: Timer | undefined;
  /** Descriptors that others have an interest in, and what to call. */
  readonly #watched = new Map<number, () => void>();
  #stopped = false;

  /**
   * @param libc The C library.
   * @param credentials The way to become a command's user.
   * @param limits Where commands may have another number of descriptors than
   * the daemon.
   * @throws {SystemError} If the kernel gives no descriptors.
   */
  constructor(
    libc: Libc,
    credentials: Credentials,
    limits?: DescriptorLimits,
  ) {
    this.#libc = libc;
    this.#credentials = credentials;
    this.#epoll = new Epoll(libc);
    this.#acceptor = new Acceptor(libc);
    this.#children = new Children(libc);
    this.#spawner = new Spawner(libc, credentials, limits);
  }

  serve(options: ServeOptions): ServedService {
    const prepared = this.#spawner.prepare({
      argv: options.command.argv,
      environment: options.command.environment,
      searchPath: COMMAND_PATH,
      identity: options.command.identity,
    });
    const fds = options.sockets.map(({ source }) => {
      if ("fd" in source) return source.fd;
      throw new TypeError("the direct engine accepts from descriptors");
    });
    const service: DirectService = new DirectService(options, prepared, fds, {
      watch: (fd, watched) => this.#epoll.watch(fd, watched),
      start: (connection) => this.#start(service, [connection], [""]),
      adopt: (command) => this.#adopt(service, command),
      forget: (fd) => {
        this.#epoll.remove(fd);
        this.#listening.delete(fd);
      },
      signal: ({ pid, command }, signal) => {
        this.#credentials.asSender(
          command.identity,
          () => this.#children.signalGroup(pid, signal),
        );
      },
    });
    for (const fd of fds) {
      this.#epoll.add(fd, false);
      this.#listening.set(fd, service);
    }
    return service;
  }

  async run(): Promise<void> {
    let turnedMs = performance.now();
    let pausedMs = turnedMs;
    while (!this.#stopped) {
      let count = 0;
      if (turnedMs - pausedMs < PAUSE_MS) {
        count = this.#epoll.waitHere(WAIT_HERE_MS);
      }
      if (count === 0) {
        count = await this.#epoll.waitElsewhere();
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
   * Waits until no command is about to be started any more: until then a
   * failure could not be told by whatever this process executes next. Here
   * each start is over before the loop goes on.
   *
   * @param _limitMs How long to wait at the most.
   */
  settled(_limitMs: number): Promise<void> {
    return Promise.resolve();
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
   * Takes what waits first and starts the commands then, as that takes a
   * change of credentials there and back, however many they are.
   */
  #acceptFrom(fd: number, service: DirectService): void {
    if (!service.accepting) return;
    const room = Math.min(ACCEPT_BATCH, service.events.room);
    const connections: number[] = [];
    const peers: string[] = [];
    let failure = 0;
    while (connections.length < room) {
      const connection = this.#acceptor.accept(fd);
      if (connection < 0) {
        failure = -connection;
        break;
      }
      if (service.keepAlive) keepAlive(this.#libc, connection);
      connections.push(connection);
      peers.push(service.peers ? this.#acceptor.peer(connection) : "");
    }
    if (connections.length > 0) this.#start(service, connections, peers);
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

  /** Nothing is told before the daemon is itself again. */
  #start(
    service: DirectService,
    connections: readonly number[],
    peers: readonly string[],
  ): void {
    let pids: readonly number[];
    try {
      pids = service.prepared.start(connections);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      for (const _ of connections) service.events.notStarted(error.message);
      return;
    }
    const startedMs = performance.now();
    for (let index = 0; index < pids.length; index++) {
      this.#tell(service, pids[index] ?? -1, peers[index] ?? "", startedMs);
    }
  }

  #tell(
    service: DirectService,
    pid: number,
    peer: string,
    startedMs: number,
  ): void {
    const { events, command: configured } = service;
    if (pid < 0) return events.notStarted(errorText(this.#libc, -pid));
    const pidFd = this.#watch(pid);
    if (typeof pidFd === "string") return events.notStarted(pidFd);
    const command = {
      ...{ pid, peer, startedMs, pidFd, service },
      command: configured,
    };
    this.#running.set(pidFd, command);
    events.started(command);
  }

  /**
   * Watches a child. The descriptor of its connection was closed before, so that
   * one is free here; the kernel as a whole may still have none, or no memory.
   * A command that cannot be watched cannot be limited or reported either, so
   * it is ended.
   *
   * @returns The pidfd, or why there is none.
   */
  #watch(pid: number): number | string {
    const pidFd = this.#children.watch(pid);
    let reason = "";
    if (pidFd < 0) reason = errorText(this.#libc, -pidFd);
    else {
      try {
        this.#epoll.addOnce(pidFd);
        return pidFd;
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        this.#libc.c.close(pidFd);
        reason = error.message;
      }
    }
    this.#credentials.asRoot(() => this.#children.signalGroup(pid, SIGKILL));
    this.#children.collectDying(pid);
    return `it cannot be watched: ${reason}`;
  }

  /** Nothing is lost for want of a descriptor: the command is asked after. */
  #adopt(service: DirectService, running: RunningCommand): DirectCommand {
    let pidFd = this.#children.watch(running.pid);
    if (pidFd >= 0) {
      try {
        this.#epoll.addOnce(pidFd);
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        this.#libc.c.close(pidFd);
        pidFd = -1;
      }
    }
    const command = { ...running, pidFd: Math.max(pidFd, -1), service };
    if (pidFd >= 0) this.#running.set(pidFd, command);
    else {
      this.#unwatched.add(command);
      this.#askAfterUnwatched();
    }
    return command;
  }

  #askAfterUnwatched(): void {
    this.#unwatchedTimer ??= setTimeout(() => {
      this.#unwatchedTimer = undefined;
      for (const command of this.#unwatched) this.#collect(command);
      if (this.#unwatched.size > 0) this.#askAfterUnwatched();
    }, UNWATCHED_MS);
  }

  #collect(command: DirectCommand): void {
    const { pid, pidFd, service } = command;
    // Before it is collected, for its process id names the group until then.
    if (service.endsGroups && pidFd >= 0) service.signal(command, SIGKILL);
    const word = this.#children.collect(pid);
    if (word === undefined) {
      // A debugger that is attached to it comes first.
      if (pidFd >= 0) this.#epoll.watchOnce(pidFd);
      return;
    }
    if (pidFd >= 0) {
      this.#libc.c.close(pidFd);
      this.#running.delete(pidFd);
    } else this.#unwatched.delete(command);
    if (this.#paused.size > 0) this.#resumePaused();
    service.events.ended(
      command,
      word === "gone" ? { kind: "unknown" } : decodeWaitStatus(word),
    );
  }

  #resumePaused(): void {
    for (const paused of this.#paused) paused.resume();
    this.#paused.clear();
  }
}

/** What a service asks of its engine. */
interface EngineAccess {
  start(connection: number): void;
  adopt(command: RunningCommand): RunningCommand;
  watch(fd: number, watched: boolean): void;
  forget(fd: number): void;
  signal(command: RunningCommand, signal: number): void;
}

class DirectService implements ServedService {
  readonly events: ServiceEvents;
  readonly command: Command;
  readonly prepared: PreparedCommand;
  readonly peers: boolean;
  readonly keepAlive: boolean;
  endsGroups = false;
  readonly #sockets: ServeOptions["sockets"];
  readonly #fds: readonly number[];
  readonly #engine: EngineAccess;
  #wanted = false;
  #paused = false;
  #pauseTimer: ReturnType<typeof setTimeout> | undefined;
  #watched = false;

  constructor(
    options: ServeOptions,
    prepared: PreparedCommand,
    fds: readonly number[],
    engine: EngineAccess,
  ) {
    this.events = options.events;
    this.command = options.command;
    this.peers = options.peers;
    this.keepAlive = options.keepAlive ?? false;
    this.prepared = prepared;
    this.#sockets = options.sockets;
    this.#fds = fds;
    this.#engine = engine;
  }

  /** Whether the next connection may be accepted. */
  get accepting(): boolean {
    return this.#wanted && !this.#paused;
  }

  setAccepting(accepting: boolean): void {
    if (this.#wanted === accepting) return;
    this.#wanted = accepting;
    this.#update();
  }

  take(connection: number): void {
    this.#engine.start(connection);
  }

  /** Leaves the queue alone for a while. */
  pause(reason: string): void {
    this.#paused = true;
    this.#update();
    this.#pauseTimer ??= setTimeout(() => this.resume(), ACCEPT_RETRY_MS);
    this.events.notAccepted(reason);
  }

  /** Takes from the queue again. */
  resume(): void {
    clearTimeout(this.#pauseTimer);
    this.#pauseTimer = undefined;
    this.#paused = false;
    this.#update();
  }

  adopt(command: RunningCommand): RunningCommand {
    return this.#engine.adopt(command);
  }

  stopListening(): void {
    this.setAccepting(false);
    for (const fd of this.#fds) this.#engine.forget(fd);
    for (const socket of this.#sockets) socket.close();
  }

  signal(command: RunningCommand, signal: number): void {
    this.#engine.signal(command, signal);
  }

  endGroups(): void {
    this.endsGroups = true;
  }

  #update(): void {
    if (this.#watched === this.accepting) return;
    this.#watched = this.accepting;
    for (const fd of this.#fds) this.#engine.watch(fd, this.#watched);
  }
}
