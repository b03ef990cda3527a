/**
 * A service in the direct engine's hands: whether it accepts now, and how many
 * of its commands may be on their way to exec.
 *
 * @module
 */

import { availableParallelism } from "node:os";
import type { ResourceUsage } from "../posix/resource_usage.ts";
import type { Caller } from "../posix/connection_environment.ts";
import {
  connectionOptionList,
  type NumberOption,
} from "../posix/socket_options.ts";
import type { RawAddress } from "../posix/sockets.ts";
import type { PreparedCommand, Start } from "../posix/starter.ts";
import type { Timer } from "../timer.ts";
import { ClientCounts, type ClientKey } from "./client_counts.ts";
import {
  ACCEPT_RETRY_MS,
  type Command,
  type RunningCommand,
  type ServedService,
  type ServeOptions,
  type ServiceEvents,
  type WaitingConnection,
} from "./engine.ts";
import type { Gate } from "./gate.ts";
import type { ProxiedConnections } from "./proxied.ts";

/** A command of the direct engine's. */
export interface DirectCommand extends RunningCommand {
  pid: number;
  /** Readable when the process has ended; -1 where there is none. */
  pidFd: number;
  readonly service: DirectService;
  /** How it is on its way; `undefined` once it runs. */
  start: Start | undefined;
  /** Whether the child in its slot could not become the command. */
  hasFailed: boolean;
  /** Whether SIGKILL was sent to it. */
  isKilled: boolean;
  /** Why it is not told of as a command that has run. */
  problem: string | undefined;
  /** Whether its end was told. */
  isTold: boolean;
  usage: ResourceUsage | undefined;
}

/**
 * How many commands of a service may be on their way at once: as long as some
 * wait for a processor, the next ones are ready for it. Measured with 2, 4 and 8
 * on two processors, more were faster, and their slowest, too.
 */
const SLOTS_PER_PROCESSOR = 4;

const SLOTS = SLOTS_PER_PROCESSOR * availableParallelism();

/** What a service asks of its engine. */
export interface EngineAccess {
  /** Starts a command for a connection that was accepted elsewhere. */
  start(connection: number): void;
  adopt(command: RunningCommand): RunningCommand;
  adoptWaiting(waiting: WaitingConnection): void;
  /** Starts commands for connections that are ready, soon. */
  startReady(): void;
  watch(fd: number, watched: boolean): void;
  forget(fd: number): void;
  signal(command: RunningCommand, signal: number): void;
}

/** What a service is made of. */
export interface DirectServiceOptions {
  readonly serve: ServeOptions;
  readonly prepared: PreparedCommand;
  readonly fds: readonly number[];
  readonly engine: EngineAccess;
  /** Where the engine has the address of who has come. */
  readonly address: RawAddress;
  /** Where proxies say who their clients are. */
  readonly proxied: ProxiedConnections | undefined;
}

/** The service. */
export class DirectService implements ServedService {
  readonly events: ServiceEvents;
  readonly command: Command;
  readonly prepared: PreparedCommand;
  readonly peers: boolean;
  readonly connectionOptions: readonly NumberOption[] | undefined;
  readonly waits: boolean;
  /** What its command is told of a connection, where it is told anything. */
  readonly caller: Caller | undefined;
  readonly #clients: ClientCounts | undefined;
  readonly gate: Gate | undefined;
  readonly proxied: ProxiedConnections | undefined;
  endsGroups = false;
  readonly #options: DirectServiceOptions;
  #isWanted = false;
  #isPaused = false;
  #pauseTimer: Timer | undefined;
  #isCrowded = false;
  #isFull = false;
  #isStopping = false;
  #isWatched = false;
  /** The turn of the loop in which it had a client the last time. */
  #lastTurn = -1;
  /** Whether its command could be started the last time. */
  #starts = false;
  /** Whether it was the first file of the path, and no shell was needed. */
  #startsAtOnce = false;

  /** @param options What it is made of. */
  constructor(options: DirectServiceOptions) {
    const { serve, prepared } = options;
    this.#options = options;
    this.events = serve.events;
    this.command = serve.command;
    this.peers = serve.peers;
    this.connectionOptions = serve.connectionOptions &&
      connectionOptionList(serve.connectionOptions);
    this.waits = serve.waits ?? false;
    this.gate = serve.gate;
    this.proxied = options.proxied;
    this.prepared = prepared;
    const { connectionEnvironment: told = "none" } = serve.command;
    if (told === "none" || this.waits) return;
    this.caller = { address: options.address, listening: -1, count: 1 };
    if (told === "ucspi") this.#clients = new ClientCounts();
  }

  /**
   * Takes note of who has come.
   *
   * @param listening The socket that it was accepted from; -1 for none.
   * @returns What tells it from other clients, where they are counted.
   */
  meet(listening: number): ClientKey {
    const { caller } = this;
    if (caller === undefined) return undefined;
    caller.listening = listening;
    const client = this.#clients && caller.address.client;
    caller.count = this.#clients?.came(client) ?? 1;
    return client;
  }

  /** Takes note that one of a client's connections is over. */
  leave(client: ClientKey): void {
    this.#clients?.left(client);
  }

  /** Whether the next connection may be accepted. */
  get accepting(): boolean {
    return this.#isWanted && !this.#isPaused;
  }

  /** Whether it has stopped to listen. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Whether a command may be started for what was accepted already. */
  get startsReady(): boolean {
    return (this.#isWanted || this.#isStopping) && this.freeSlots > 0 &&
      this.events.room > 0;
  }

  /**
   * How many commands may be started now. One is enough to find out whether
   * they start at all.
   */
  get freeSlots(): number {
    return (this.#starts ? SLOTS : 1) - this.prepared.takenCount;
  }

  /**
   * Whether a connection is to be kept until its command runs, as another file
   * might have to be tried.
   */
  get keepsConnections(): boolean {
    return !this.#startsAtOnce;
  }

  /**
   * Tells whether clients come one after the other: whether there was one in
   * the turn of the loop before.
   *
   * @param turn This turn.
   * @returns `true` if there was.
   */
  comesAgain(turn: number): boolean {
    const isNext = this.#lastTurn === turn - 1;
    this.#lastTurn = turn;
    return isNext;
  }

  /** Takes note that a command runs. */
  noteStart({ candidate, attempt }: Start): void {
    this.#starts = true;
    this.#startsAtOnce = candidate === 0 && attempt.byShell !== undefined;
  }

  /** Takes note that one does not start: the next is tried alone. */
  noteFailure(): void {
    this.#starts = false;
    this.#startsAtOnce = false;
  }

  setAccepting(accepting: boolean): void {
    if (this.#isWanted === accepting) return;
    this.#isWanted = accepting;
    this.#update();
    if (accepting && this.proxied?.hasReady) this.#options.engine.startReady();
  }

  take(connection: number): void {
    this.#options.engine.start(connection);
  }

  /** Leaves the queue alone for a while. */
  pause(reason: string): void {
    this.#isPaused = true;
    this.#update();
    this.#pauseTimer ??= setTimeout(() => this.resume(), ACCEPT_RETRY_MS);
    this.events.notAccepted(reason);
  }

  /** Takes from the queue again. */
  resume(): void {
    clearTimeout(this.#pauseTimer);
    this.#pauseTimer = undefined;
    this.#isPaused = false;
    this.#update();
  }

  /** Leaves the queue alone while its slots are taken, or not any more. */
  setCrowded(isCrowded: boolean): void {
    if (this.#isCrowded === isCrowded) return;
    this.#isCrowded = isCrowded;
    this.#update();
  }

  /** Leaves the queue alone while others are ready to be started. */
  setFull(isFull: boolean): void {
    if (this.#isFull === isFull) return;
    this.#isFull = isFull;
    this.#update();
  }

  get waiting(): readonly WaitingConnection[] {
    return this.proxied?.all ?? [];
  }

  adoptWaiting(waiting: WaitingConnection): void {
    this.#options.engine.adoptWaiting(waiting);
  }

  dropWaiting(): void {
    this.proxied?.closeAll();
  }

  adopt(command: RunningCommand): RunningCommand {
    this.#clients?.came(command.clientKey);
    return this.#options.engine.adopt(command);
  }

  stopListening(): void {
    this.#isStopping = true;
    this.setAccepting(false);
    for (const fd of this.#options.fds) this.#options.engine.forget(fd);
    for (const socket of this.#options.serve.sockets) socket.close();
  }

  signal(command: RunningCommand, signal: number): void {
    this.#options.engine.signal(command, signal);
  }

  endGroups(): void {
    this.endsGroups = true;
  }

  #update(): void {
    const isWatched = this.accepting && !this.#isCrowded && !this.#isFull;
    if (this.#isWatched === isWatched) return;
    this.#isWatched = isWatched;
    for (const fd of this.#options.fds) {
      this.#options.engine.watch(fd, isWatched);
    }
  }
}
