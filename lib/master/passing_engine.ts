/**
 * The direct engine for services of the type `pass`: what is accepted there is
 * not a client but a program of Postfix's, postscreen(8) say, which passes on
 * a client's connection that it has accepted itself, with attributes of the
 * client.
 *
 * They are taken one after the other, so that a limit of processes holds
 * exactly. Whoever may connect to such a socket is trusted by Postfix; one that
 * hangs is given up after a while.
 *
 * @module
 */

import type { DirectEngine } from "../engine/direct.ts";
import {
  ACCEPT_RETRY_MS,
  type Engine,
  type RunningCommand,
  type ServedService,
  type ServeOptions,
  type WaitingConnection,
} from "../engine/engine.ts";
import { errorText, isShortage, SystemError } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { FdReceiver } from "../posix/passed_fd.ts";
import { makeBlocking } from "../posix/process.ts";
import { Acceptor } from "../posix/sockets.ts";
import { PassedAttributes } from "./passed_attributes.ts";

/** How long a passing program may take. */
const PASS_MS = 5000;

/** Takes connections that are passed on. */
export class PassingEngine implements Engine {
  readonly name = "direct";
  readonly #libc: Libc;
  readonly #direct: DirectEngine;
  readonly #services: PassingService[] = [];

  /**
   * @param libc The C library.
   * @param direct The engine that runs the commands.
   */
  constructor(libc: Libc, direct: DirectEngine) {
    this.#libc = libc;
    this.#direct = direct;
  }

  serve(options: ServeOptions): ServedService {
    const served = this.#direct.serve({ ...options, sockets: [] });
    const service = new PassingService(
      options,
      served,
      this.#libc,
      this.#direct,
    );
    this.#services.push(service);
    return service;
  }

  /**
   * Waits until no connection is being passed on: it would be lost with this
   * image of the process.
   *
   * @param limitMs How long to wait at the most, beside {@linkcode PASS_MS}.
   */
  async settled(limitMs: number): Promise<void> {
    await this.#direct.settled(limitMs);
    for (const service of this.#services) await service.settled;
  }

  run(): Promise<void> {
    return this.#direct.run();
  }

  stop(): void {
    this.#direct.stop();
  }
}

class PassingService implements ServedService {
  readonly #options: ServeOptions;
  readonly #served: ServedService;
  readonly #libc: Libc;
  readonly #direct: DirectEngine;
  readonly #acceptor: Acceptor;
  readonly #receiver: FdReceiver;
  readonly #fds: readonly number[];
  #isWanted = false;
  /** Whether a program is passing a connection on. */
  #isBusy = false;
  #idle = Promise.withResolvers<void>();
  #isWatched = false;

  constructor(
    options: ServeOptions,
    served: ServedService,
    libc: Libc,
    direct: DirectEngine,
  ) {
    this.#options = options;
    this.#served = served;
    this.#libc = libc;
    this.#direct = direct;
    this.#acceptor = new Acceptor(libc);
    this.#receiver = new FdReceiver(libc);
    this.#fds = options.sockets.flatMap(({ source }) =>
      "fd" in source ? [source.fd] : []
    );
  }

  setAccepting(accepting: boolean): void {
    this.#isWanted = accepting;
    this.#update();
  }

  /** Settled when no program is passing a connection on. */
  get settled(): Promise<void> {
    return this.#isBusy ? this.#idle.promise : Promise.resolve();
  }

  take(connection: number): void {
    this.#served.take(connection);
  }

  adopt(command: RunningCommand): RunningCommand {
    return this.#served.adopt(command);
  }

  /** What is passed on comes from who has accepted it, and knows its client. */
  readonly waiting: readonly WaitingConnection[] = [];

  adoptWaiting(waiting: WaitingConnection): void {
    this.#served.adoptWaiting(waiting);
  }

  dropWaiting(): void {}

  stopListening(): void {
    this.setAccepting(false);
    for (const socket of this.#options.sockets) socket.close();
    this.#served.stopListening();
  }

  signal: ServedService["signal"] = (command, signal) =>
    this.#served.signal(command, signal);

  endGroups(): void {
    this.#served.endGroups();
  }

  #update(): void {
    const isWatched = this.#isWanted && !this.#isBusy;
    if (this.#isWatched === isWatched) return;
    this.#isWatched = isWatched;
    for (const fd of this.#fds) {
      if (isWatched) this.#direct.watch(fd, () => this.#acceptFrom(fd));
      else this.#direct.unwatch(fd);
    }
  }

  #acceptFrom(fd: number): void {
    const { gate } = this.#options;
    if (!this.#isWatched || gate !== undefined && gate.room() <= 0) return;
    const from = this.#acceptor.accept(fd);
    if (from >= 0) this.#receiveFrom(from);
    else if (isShortage(-from)) {
      this.#setBusy(true);
      setTimeout(() => this.#setBusy(false), ACCEPT_RETRY_MS);
      this.#options.events.notAccepted(errorText(this.#libc, -from));
    }
  }

  #setBusy(isBusy: boolean): void {
    this.#isBusy = isBusy;
    if (!isBusy) {
      this.#idle.resolve();
      this.#idle = Promise.withResolvers();
    }
    this.#update();
  }

  #receiveFrom(from: number): void {
    const attributes = new PassedAttributes();
    let connection: number | undefined;
    let isWatched = false;
    const timer = setTimeout(() => over("it takes too long"), PASS_MS);
    const over = (reason?: string): void => {
      clearTimeout(timer);
      if (isWatched) this.#direct.closeWatched(from);
      else this.#libc.c.close(from);
      if (reason === undefined && connection !== undefined) {
        makeBlocking(this.#libc, connection);
        this.take(connection);
      } else {
        if (connection !== undefined) this.#libc.c.close(connection);
        this.#options.events.notStarted({
          reason: `no connection was passed on: ${reason}`,
          isShortage: false,
        });
      }
      this.#setBusy(false);
    };
    const read = (): boolean => {
      try {
        const received = this.#receiver.receive(from);
        if (received === undefined) return false;
        for (const fd of received.fds) {
          if (connection === undefined) connection = fd;
          else this.#libc.c.close(fd);
        }
        const state = attributes.add(received.data);
        if (state === "complete" && connection !== undefined) over();
        else if (received.data.length === 0 || state !== "incomplete") {
          over("what has arrived is not complete");
        } else return false;
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        over(error.message);
      }
      return true;
    };
    // As a rule all is there by now, and the command starts in this very turn.
    if (read()) return;
    isWatched = true;
    this.#direct.watch(from, read);
    this.#setBusy(true);
  }
}
