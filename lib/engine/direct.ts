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
import { type Client, clientBehind, formatClient } from "../posix/client.ts";
import type { Credentials } from "../posix/credentials.ts";
import { Epoll } from "../posix/epoll.ts";
import {
  EMFILE,
  errorText,
  isShortage,
  isStartShortage,
  SystemError,
} from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import {
  Children,
  type DescriptorLimit,
  duplicateOrError,
  makeBlocking,
} from "../posix/process.ts";
import { SIGKILL } from "../posix/signals.ts";
import {
  type NumberOption,
  setConnectionOptions,
} from "../posix/socket_options.ts";
import { Acceptor, formatOrigin, type Origin } from "../posix/sockets.ts";
import {
  NO_VARIABLES,
  type PreparedCommand,
  type Start,
  Starter,
  type StartOptions,
} from "../posix/starter.ts";
import type { ClientKey } from "./client_counts.ts";
import { type DirectCommand, DirectService } from "./direct_service.ts";
import type {
  Command,
  Engine,
  RunningCommand,
  ServedService,
  ServeOptions,
  WaitingConnection,
} from "./engine.ts";
import { COMMAND_PATH } from "./environment.ts";
import { Lingering } from "./lingering.ts";
import { collectOrphans } from "./orphans.ts";
import { ProxiedConnections } from "./proxied.ts";
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

/** Where a connection came some other way than through a listening socket. */
const NO_SOCKET = -1;

/** What an engine is made of. */
export interface DirectEngineOptions {
  /** The way to signal commands, and what children can become. */
  readonly credentials: Credentials;
  /** The limit of descriptors that commands have, if not the daemon's own. */
  readonly descriptorLimit?: DescriptorLimit | undefined;
  /** Whether a former image of this process had children. */
  readonly isSuccessor?: boolean;
}

/** A start that was begun, or the error number where it was not. */
interface Begun {
  readonly start: Start | number;
  readonly origin: Origin | string | undefined;
  /** Who was admitted, where there is a gate. */
  readonly client: Client | undefined;
  /** What it is counted by, where its command is told how many there are. */
  readonly clientKey: ClientKey;
}

/** A client that was let through a gate, and the variables that it came by. */
interface Admitted {
  readonly client: Client | undefined;
  readonly variables: readonly string[];
}

/** Of whom there is nothing to know. */
const NOBODY = { origin: undefined, client: undefined, clientKey: undefined };

/** Where there is no gate. */
const EVERYBODY: Admitted = { client: undefined, variables: NO_VARIABLES };

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
  /** Services with connections of which a proxy has said who the client is. */
  readonly #ready = new Set<DirectService>();
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
    const prepared = this.#prepare(options.command);
    const fds = options.sockets.map(({ source }) => {
      if ("fd" in source) return source.fd;
      throw new TypeError("the direct engine accepts from descriptors");
    });
    const service: DirectService = new DirectService({
      serve: options,
      ...{ prepared, fds, address: this.#acceptor.raw },
      proxied: this.#proxiedFor(options, () => service),
      engine: {
        startReady: () => this.#epoll.wake(),
        adoptWaiting: (waiting) => this.#adoptWaiting(service, waiting),
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
      if (service.waits) makeBlocking(this.#libc, fd);
      this.#epoll.add(fd, false);
      this.#listening.set(fd, service);
    }
    return service;
  }

  #prepare({ identity, ...command }: Command): PreparedCommand {
    const { credentials, descriptorLimit } = this.#options;
    const prepare = (): PreparedCommand =>
      this.#starter.prepare({
        ...command,
        searchPath: COMMAND_PATH,
        identity: credentials.canBecome ? identity : undefined,
        descriptorLimit,
      });
    return command.surroundings === undefined
      ? prepare()
      : credentials.asRoot(prepare);
  }

  #proxiedFor(
    { gate }: ServeOptions,
    service: () => DirectService,
  ): ProxiedConnections | undefined {
    const timeoutMs = gate?.proxyTimeoutMs;
    if (gate === undefined || timeoutMs === undefined) return undefined;
    return new ProxiedConnections({
      libc: this.#libc,
      timeoutMs,
      watch: (fd, readable) => {
        this.#epoll.addChanging(fd);
        this.#watched.set(fd, readable);
      },
      unwatch: (fd) => this.unwatch(fd),
      refused: (proxy, why) => gate.refusedHeader(proxy, why),
      changed: () => this.#waitingChanged(service()),
    });
  }

  async run(): Promise<void> {
    collectOrphans(this.#children, {
      collectOurs: (pid) => this.#collectByPid(pid),
      isSuccessor: this.#options.isSuccessor ?? false,
    });
    let turnedMs = performance.now();
    let pausedMs = turnedMs;
    while (!this.#stopped) {
      this.#lookAtStarts();
      // By now there may be a slot for them.
      if (this.#ready.size > 0) this.#startReady();
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
    const { freeSlots, gate, proxied } = service;
    const gateRoom = gate === undefined ? Infinity : gate.room();
    if (gateRoom <= 0) return;
    if (proxied !== undefined) return this.#acceptProxied(fd, service);
    if (freeSlots <= 0) {
      this.#crowded.add(service);
      return;
    }
    const most = service.comesAgain(this.#turn) ? ACCEPT_BATCH : 1;
    const room = Math.min(most, service.events.room, freeSlots, gateRoom);
    const begun: Begun[] = [];
    const how = this.#howToStart(service);
    let failure = 0;
    this.#starter.withoutSignals(() => {
      for (let taken = 0; taken < room; taken++) {
        if (!this.#starter.hasReserve) {
          failure = EMFILE;
          break;
        }
        const connection = service.waits
          ? duplicateOrError(this.#libc, fd)
          : this.#acceptor.accept(fd);
        if (connection < 0) {
          failure = -connection;
          break;
        }
        const one = this.#begin(service, { connection, listening: fd, how });
        if (one !== undefined) begun.push(one);
      }
    });
    if (begun.length > 0) this.#tellBegun(service, begun);
    // The service may have had its fill meanwhile.
    if (failure !== 0 && service.accepting) {
      this.#acceptFailed(service, failure);
    }
  }

  /** Starts a command; nobody is started for who is not admitted. */
  #begin(
    service: DirectService,
    { connection, listening, how }: {
      readonly connection: number;
      readonly listening: number;
      readonly how: StartOptions;
    },
  ): Begun | undefined {
    const { prepared } = service;
    if (service.waits) {
      const start = prepared.start(connection, how);
      return { start, ...NOBODY };
    }
    const admitted = this.#admit(service, connection);
    if (admitted === undefined) return undefined;
    const { client, variables } = admitted;
    if (service.connectionOptions !== undefined) {
      this.#setOptions(connection, service.connectionOptions);
    }
    const origin = this.#acceptor.origin(connection);
    const clientKey = service.meet(listening);
    const start = prepared.start(connection, how, variables);
    return { start, origin, client, clientKey };
  }

  /** A connection that has ended already takes no options, which is all right. */
  #setOptions(connection: number, options: readonly NumberOption[]): void {
    try {
      setConnectionOptions(this.#libc, connection, options);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
  }

  /** A queue that is empty, or a client that has gone, is no failure. */
  #acceptFailed(service: DirectService, code: number): void {
    if (!isShortage(code)) return;
    this.#paused.add(service);
    service.pause(errorText(this.#libc, code));
  }

  /** The connection is the last one that the acceptor has looked at. */
  #admit(
    service: DirectService,
    connection: number,
  ): Admitted | undefined {
    const { gate } = service;
    if (gate === undefined) return EVERYBODY;
    const client = clientBehind(this.#libc, {
      acceptor: this.#acceptor,
      connection,
      asksForUsers: gate.asksForUsers,
    });
    return this.#admitClient(service, connection, client);
  }

  /** Lets a client through the gate, or closes its connection. */
  #admitClient(
    { gate }: DirectService,
    connection: number,
    client: Client,
  ): Admitted | undefined {
    const variables = gate?.admit(client);
    if (variables === undefined) {
      this.#libc.c.close(connection);
      return undefined;
    }
    const isPlain = variables.length === 0;
    return { client, variables: isPlain ? NO_VARIABLES : variables };
  }

  #startFor(service: DirectService, connection: number): void {
    if (service.gate !== undefined || service.caller !== undefined) {
      this.#acceptor.lookAt(connection);
    }
    const admitted = this.#admit(service, connection);
    if (admitted === undefined) return;
    const { client, variables } = admitted;
    const how = this.#howToStart(service);
    const begun: Begun[] = [];
    const clientKey = service.meet(NO_SOCKET);
    this.#starter.withoutSignals(() => {
      const start = service.prepared.start(connection, how, variables);
      begun.push({ start, origin: undefined, client, clientKey });
    });
    this.#tellBegun(service, begun);
  }

  /** Takes the next connections in, to be told of them who their clients are. */
  #acceptProxied(fd: number, service: DirectService): void {
    const { gate, proxied } = service;
    if (gate === undefined || proxied === undefined) return;
    const most = service.comesAgain(this.#turn) ? ACCEPT_BATCH : 1;
    for (let taken = 0; taken < most; taken++) {
      const connection = this.#acceptor.accept(fd);
      if (connection < 0) return this.#acceptFailed(service, -connection);
      const proxy = clientBehind(this.#libc, {
        acceptor: this.#acceptor,
        connection,
        asksForUsers: gate.asksForUsers,
      });
      if (!gate.admitProxy(proxy)) {
        this.#libc.c.close(connection);
        continue;
      }
      if (service.connectionOptions !== undefined) {
        this.#setOptions(connection, service.connectionOptions);
      }
      const sinceMs = performance.now();
      proxied.add({ fd: connection, proxy, sinceMs });
    }
  }

  /** One that is not waited for any more would wait for ever. */
  #adoptWaiting(service: DirectService, waiting: WaitingConnection): void {
    if (service.proxied === undefined) this.#libc.c.close(waiting.fd);
    else service.proxied.add(waiting);
  }

  #waitingChanged(service: DirectService): void {
    const { proxied } = service;
    if (proxied === undefined) return;
    service.setFull(proxied.hasReady);
    if (proxied.hasReady) this.#ready.add(service);
    else {
      this.#ready.delete(service);
      if (proxied.isEmpty) service.events.noneWaiting();
    }
  }

  /** Starts commands for those who were said to be somebody. */
  #startReady(): void {
    for (const service of this.#ready) {
      const { proxied, gate } = service;
      if (proxied === undefined || gate === undefined) continue;
      if (!service.startsReady) continue;
      const gateRoom = service.isStopping ? Infinity : gate.room();
      const room = Math.min(
        ...[ACCEPT_BATCH, service.events.room, service.freeSlots, gateRoom],
      );
      const how = this.#howToStart(service);
      const begun: Begun[] = [];
      this.#starter.withoutSignals(() => {
        for (let taken = 0; taken < room; taken++) {
          if (!this.#starter.hasReserve) break;
          const ready = proxied.take();
          if (ready === undefined) break;
          const { waiting: { fd }, client } = ready;
          const admitted = this.#admitClient(service, fd, client);
          if (admitted === undefined) continue;
          const { variables } = admitted;
          const clientKey = this.#meetProxied(service, fd, client);
          const start = service.prepared.start(fd, how, variables);
          const origin = formatClient(client);
          begun.push({ start, origin, client, clientKey });
        }
      });
      this.#tellBegun(service, begun);
      this.#waitingChanged(service);
    }
  }

  /** A command is told of the client that the proxy has named. */
  #meetProxied(
    service: DirectService,
    connection: number,
    client: Client,
  ): ClientKey {
    if (service.caller === undefined) return undefined;
    if (client.kind === "inet") this.#acceptor.raw.setInet(client);
    else this.#acceptor.lookAt(connection);
    return service.meet(NO_SOCKET);
  }

  #howToStart({ keepsConnections, caller }: DirectService): StartOptions {
    return {
      keepsConnection: keepsConnections,
      sharesDescriptors: this.#running.size >= SHARES_FROM_COMMANDS,
      caller,
    };
  }

  #tellBegun(service: DirectService, begun: readonly Begun[]): void {
    const startedMs = performance.now();
    for (const { start, origin, client, clientKey } of begun) {
      if (typeof start === "number") {
        service.leave(clientKey);
        service.noteFailure();
        service.events.notStarted({
          reason: errorText(this.#libc, start),
          isShortage: isStartShortage(start),
          client,
        });
        continue;
      }
      const command: DirectCommand = {
        pid: start.pid,
        pidFd: start.pidFd,
        peer: service.peers && origin !== undefined ? formatPeer(origin) : "",
        origin,
        startedMs,
        command: service.command,
        client,
        clientKey,
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
    // The connection that it kept may have been the one that was lacking.
    if (this.#paused.size > 0) this.#resumePaused();
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
    service.leave(command.clientKey);
    service.setCrowded(false);
    service.noteFailure();
    const { reason, code } = failure;
    const isShortage = isStartShortage(code);
    service.events.notStarted({ reason, isShortage, command });
  }

  #tellEnd(command: DirectCommand, word: number | "gone"): void {
    if (command.isTold) return;
    command.isTold = true;
    const { service, clientKey, problem: reason } = command;
    const { events } = service;
    service.leave(clientKey);
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

/** What a proxy has said is written down already. */
function formatPeer(origin: Origin | string): string {
  return typeof origin === "string" ? origin : formatOrigin(origin);
}
