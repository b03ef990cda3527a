/**
 * A trial: this program, started anew as a child that reads, checks and opens
 * everything as if to serve, tells whether it could, and ends.
 *
 * @module
 */

import type { DirectEngine } from "../../engine/direct.ts";
import {
  decodeWaitStatus,
  formatWaitStatus,
} from "../../engine/wait_status.ts";
import type { HandedSocket } from "../../net/inherited_sockets.ts";
import { closeSocket } from "../../net/unix_socket.ts";
import type { Credentials } from "../../posix/credentials.ts";
import { errorText, SystemError } from "../../posix/errno.ts";
import type { Libc } from "../../posix/libc.ts";
import { type FdReceiver, socketPair } from "../../posix/passed_fd.ts";
import { Children } from "../../posix/process.ts";
import { SIGKILL } from "../../posix/signals.ts";
import { type StartedProgram, startProgram } from "../../posix/program.ts";
import type { Timer } from "../../timer.ts";
import type { OwnProgram } from "../own_program.ts";
import {
  type Handed,
  HANDED_VARIABLE,
  TRIAL_VARIABLE,
  writeHanded,
} from "./handed.ts";
import type { Reserve } from "./reserve.ts";
import { type Verdict, VerdictReceiver } from "./verdict.ts";

/** How long a trial may take. */
const TRIAL_MS = 60_000;

/** How often a trial is asked after that cannot be watched. */
const UNWATCHED_MS = 100;

/** What a trial is started by. */
export interface TrialOptions {
  readonly libc: Libc;
  readonly credentials: Credentials;
  readonly engine: DirectEngine;
  readonly program: OwnProgram;
  readonly reserve: Reserve;
  readonly receiver: FdReceiver;
  /** What it is given to try with. */
  readonly handed: Handed;
}

/** What came of a trial: its verdict, or why there is none. */
export type TrialResult =
  | Verdict
  | { readonly fault: string }
  /** Why the program could not be executed, in the system's words. */
  | { readonly failure: string };

/** A trial that runs. */
export class Trial {
  readonly #options: TrialOptions;
  readonly #children: Children;
  readonly #started: StartedProgram;
  readonly #fd: number;
  readonly #receiver: VerdictReceiver;
  readonly #result = Promise.withResolvers<TrialResult>();
  readonly #timer: Timer;
  #isRead = false;
  /** How it ended, when it has. */
  #end: string | undefined;
  /** Whether what it has opened is of no use. */
  #isDiscarded = false;

  private constructor(
    options: TrialOptions,
    started: StartedProgram,
    fd: number,
  ) {
    const { libc, receiver } = options;
    this.#options = options;
    this.#children = new Children(libc);
    this.#started = started;
    this.#fd = fd;
    this.#receiver = new VerdictReceiver(libc, fd, receiver);
    this.#timer = setTimeout(() => {
      this.kill();
      const fault = `it gave no verdict within ${TRIAL_MS / 1000} s`;
      this.#result.resolve({ fault });
    }, TRIAL_MS);
  }

  /**
   * Starts a trial.
   *
   * @param options What it is started by.
   * @returns The trial.
   * @throws {SystemError} If it cannot be started.
   */
  static start(options: TrialOptions): Trial {
    const { libc, credentials, program, reserve, handed } = options;
    reserve.release();
    const fds: number[] = [];
    try {
      const handedFd = credentials.asRoot(() => writeHanded(libc, handed));
      fds.push(handedFd);
      const [ours, theirs] = socketPair(libc);
      fds.push(theirs);
      const { path, argv, directoryFd } = program;
      const started = startProgram(libc, {
        ...{ path, argv, directoryFd },
        asRoot: credentials.canBecome,
        environment: [
          ...program.environment,
          `${HANDED_VARIABLE}=${handedFd}`,
          `${TRIAL_VARIABLE}=${theirs}`,
        ],
        fds: [handedFd, theirs, ...handed.sockets.map(({ fd }) => fd)]
          .map((fd) => ({ fd, as: fd })),
      });
      if (typeof started === "number") {
        fds.push(ours);
        const call = `cannot start ${path} anew`;
        throw new SystemError(call, -started, errorText(libc, -started));
      }
      for (const fd of fds.splice(0)) libc.c.close(fd);
      const trial = new Trial(options, started, ours);
      trial.#watch();
      return trial;
    } finally {
      for (const fd of fds) libc.c.close(fd);
      reserve.refill();
    }
  }

  /** What comes of it. */
  get result(): Promise<TrialResult> {
    return this.#result.promise;
  }

  /** The sockets that it has opened. */
  get passed(): readonly HandedSocket[] {
    return this.#receiver.passed;
  }

  /** Ends it. What it has opened is closed and removed. */
  kill(): void {
    if (this.#end === undefined) {
      this.#options.credentials.asRoot(() =>
        this.#children.signal(this.#started.pid, SIGKILL)
      );
    }
    // What it has opened by now may not have been read yet.
    if (!this.#isRead) this.#read();
    this.discard();
  }

  /** Closes and removes what it has opened. */
  discard(): void {
    this.#isDiscarded = true;
    const { libc, credentials } = this.#options;
    for (const { address, file, fd } of this.#receiver.passed.splice(0)) {
      const socket = { path: address, file, fd };
      if (file === undefined) libc.c.close(fd);
      else closeSocket(libc, socket, () => credentials);
    }
  }

  /** Where the kernel has no means to watch it, it is asked after. */
  #watch(): void {
    const { engine } = this.#options;
    if (!this.#tryWatch(this.#fd, () => this.#read())) {
      this.#askAfter(() => {
        if (!this.#isRead) this.#read();
        return this.#isRead;
      });
    }
    const { pidFd } = this.#started;
    const isWatched = this.#tryWatch(pidFd, () => {
      if (!this.#collect()) return;
      engine.closeWatched(pidFd);
      this.#settle();
    });
    if (isWatched) return;
    this.#options.libc.c.close(pidFd);
    this.#askAfter(() => {
      if (!this.#collect()) return false;
      this.#settle();
      return true;
    });
  }

  #tryWatch(fd: number, readable: () => void): boolean {
    try {
      this.#options.engine.watch(fd, readable);
      return true;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return false;
    }
  }

  #askAfter(isOver: () => boolean): void {
    const timer = setInterval(() => {
      if (isOver()) clearInterval(timer);
    }, UNWATCHED_MS);
  }

  #read(): void {
    this.#isRead = this.#receiver.read();
    if (this.#isDiscarded) this.discard();
    if (!this.#isRead) return;
    this.#options.engine.closeWatched(this.#fd);
    this.#settle();
  }

  #collect(): boolean {
    const word = this.#children.collect(this.#started.pid);
    if (word === undefined) return false;
    this.#end = formatWaitStatus(
      word === "gone" ? { kind: "unknown" } : decodeWaitStatus(word),
    );
    return true;
  }

  /** Once there is nothing more to be read, and it has ended. */
  #settle(): void {
    if (!this.#isRead || this.#end === undefined) return;
    clearTimeout(this.#timer);
    this.#options.reserve.refill();
    const failure = this.#started.failure();
    if (failure !== undefined) return this.#result.resolve({ failure });
    const { fault, verdict } = this.#receiver;
    this.#result.resolve(
      fault !== undefined
        ? { fault }
        : verdict ?? { fault: `it gave no verdict: ${this.#end}` },
    );
  }
}
