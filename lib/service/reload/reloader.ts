/**
 * Reload in place: a daemon that has given its permissions back cannot read a
 * new configuration, so it has its program tried anew, and if that would serve
 * executes it in its own place: the same process, with the same listening
 * sockets and running commands. Whatever fails before leaves the daemon as it
 * is, and the reason in the log.
 *
 * @module
 */

import type { DirectEngine } from "../../engine/direct.ts";
import type { DaemonLog } from "../../log/log.ts";
import { monotonicMs } from "../../posix/clock.ts";
import type { Credentials } from "../../posix/credentials.ts";
import { SystemError } from "../../posix/errno.ts";
import {
  type FileFacts,
  isSameFile,
  lookAtDescriptor,
  lookThrough,
} from "../../posix/files.ts";
import type { Libc } from "../../posix/libc.ts";
import { executeInPlace, type RootIds } from "../../posix/own_image.ts";
import { FdReceiver } from "../../posix/passed_fd.ts";
import { openWorkingDirectory } from "../../posix/process.ts";
import { formatMistake, type Mistake } from "../../result.ts";
import type { OwnProgram } from "../own_program.ts";
import { panic } from "../panic.ts";
import type { SignalQueue } from "../stopping.ts";
import { type Handed, HANDED_VARIABLE, writeHanded } from "./handed.ts";
import { Reserve } from "./reserve.ts";
import { Trial, type TrialResult } from "./trial.ts";

/** How long to wait for commands that are about to be started. */
const SETTLE_MS = 100;

/** What there is to hand on; the reloader knows the rest. */
export type Present = Omit<Handed, "plan" | "isReloadWanted" | "pausedMs">;

/** What a reload needs of the daemon. */
export interface ReloaderOptions {
  readonly libc: Libc;
  readonly credentials: Credentials;
  readonly engine: DirectEngine;
  readonly log: DaemonLog;
  readonly signals: SignalQueue;
  readonly program: OwnProgram;
  /** The ids to start it anew with; `undefined` for those that there are. */
  readonly ids: RootIds | undefined;
  /** Tells what there is to hand on. */
  readonly present: () => Present;
  /** Called when a reload has failed. */
  readonly failed?: () => void;
  /** Waits until no connection is half taken, but not for long. */
  readonly settled?: (limitMs: number) => Promise<void>;
}

/** Reloads the daemon. */
export class Reloader {
  readonly #options: ReloaderOptions;
  readonly #reserve: Reserve;
  readonly #receiver: FdReceiver;
  readonly #workingDirectoryFd: number;
  #trial: Trial | undefined;
  #isAbandoned = false;

  /**
   * @param options What it needs of the daemon, which is in the directory
   * where its commands run.
   * @throws {SystemError} If there are no descriptors left.
   */
  constructor(options: ReloaderOptions) {
    const { libc } = options;
    this.#options = options;
    this.#reserve = new Reserve(libc);
    this.#receiver = new FdReceiver(libc);
    this.#workingDirectoryFd = openWorkingDirectory(libc);
  }

  /**
   * Reloads.
   *
   * @returns Only if that has failed: `undefined`; or the signal, taken, that
   * is to end the daemon instead.
   */
  async reload(): Promise<Deno.Signal | undefined> {
    const { engine, log, signals } = this.#options;
    const settled = this.#options.settled ??
      ((limitMs: number) => engine.settled(limitMs));
    for (;;) {
      const file = this.#programFile();
      const trial = this.#try();
      if (typeof trial === "string") return this.#fail(trial);
      this.#trial = trial;
      const fatal = await signals.fatalBefore(trial.result);
      if (fatal !== undefined) {
        trial.kill();
        return fatal;
      }
      const result = await trial.result;
      if (this.#isAbandoned) return undefined;
      if (!("plan" in result)) {
        trial.discard();
        return this.#fail(this.#reasonOf(result));
      }
      // What was tried is what is to be executed.
      if (!isUnchanged(file, this.#programFile())) {
        trial.discard();
        continue;
      }
      await log.flush();
      await settled(SETTLE_MS);
      if (this.#isAbandoned) return undefined;
      const end = this.#execute(result.plan, trial);
      if (typeof end !== "string") {
        trial.discard();
        return end.fatal;
      }
      trial.discard();
      return this.#fail(end);
    }
  }

  /** Gives a reload up, since the daemon comes to its end. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#trial?.kill();
  }

  /** As root, for its folder may be closed to the daemon's owner. */
  #programFile(): FileFacts | undefined {
    const { libc, credentials, program } = this.#options;
    return credentials.asRoot(() => lookThrough(libc, program.path));
  }

  /** Starts a trial, or tells why there is none. */
  #try(): Trial | string {
    const { libc, program, present } = this.#options;
    if (lookAtDescriptor(libc, program.directoryFd)?.links === 0) {
      return `cannot start ${program.path} anew: the directory that it was ` +
        `started in was removed: ${program.directory}`;
    }
    const handed = {
      sockets: present().sockets,
      services: [],
      isReloadWanted: false,
      pausedMs: 0,
    };
    try {
      return Trial.start({
        ...this.#options,
        reserve: this.#reserve,
        receiver: this.#receiver,
        handed,
      });
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return error.message;
    }
  }

  #reasonOf(result: Exclude<TrialResult, { plan: string }>): string {
    if ("failure" in result) {
      const { path } = this.#options.program;
      return `cannot start ${path} anew: ${result.failure}`;
    }
    if ("fault" in result) {
      return `${this.#options.program.path} was started anew to try the new ` +
        `configuration, but ${result.fault}; the old one goes on`;
    }
    for (const mistake of result.mistakes) this.#tell(mistake);
    const { length } = result.mistakes;
    return "the new configuration was not taken, " +
      `${length === 1 ? "1 error" : `${length} errors`}; the old one goes on`;
  }

  #tell(mistake: Mistake): void {
    const { log } = this.#options;
    log.error("refused", formatMistake(mistake), { ...mistake });
  }

  #fail(reason: string): undefined {
    const { log, failed } = this.#options;
    log.error("reload-failed", reason, { pid: Deno.pid });
    failed?.();
    return undefined;
  }

  /**
   * The last steps, in which nothing else happens.
   *
   * @returns Why it failed; or the signal for which it was not done.
   */
  #execute(
    plan: string,
    trial: Trial,
  ): string | { readonly fatal: Deno.Signal } {
    const { libc, credentials, program, signals, present } = this.#options;
    signals.poll();
    const fatal = signals.takeFatal();
    if (fatal !== undefined) return { fatal };
    const handed: Handed = {
      ...present(),
      plan: { text: plan, passed: trial.passed },
      isReloadWanted: signals.has("SIGHUP"),
      pausedMs: monotonicMs(libc),
    };
    this.#reserve.release();
    let handedFd: number | undefined;
    try {
      handedFd = credentials.asRoot(() => writeHanded(libc, handed));
      const { pidFileFd } = handed;
      const error = executeInPlace(libc, {
        ...program,
        environment: [...program.environment, `${HANDED_VARIABLE}=${handedFd}`],
        directories: {
          start: program.directoryFd,
          now: this.#workingDirectoryFd,
        },
        fds: [
          handedFd,
          ...handed.sockets.map(({ fd }) => fd),
          ...trial.passed.map(({ fd }) => fd),
          ...handed.services.flatMap(({ memory }) =>
            memory.waiting.map(({ fd }) => fd)
          ),
          ...pidFileFd === undefined ? [] : [pidFileFd],
        ],
        ids: this.#options.ids,
        lost: panic,
      });
      return error.message;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return error.message;
    } finally {
      if (handedFd !== undefined) libc.c.close(handedFd);
      this.#reserve.refill();
    }
  }
}

/**
 * A file may be replaced, or be written anew in its place. One that cannot be
 * seen is told of when it is to be executed.
 */
function isUnchanged(
  before: FileFacts | undefined,
  now: FileFacts | undefined,
): boolean {
  if (before === undefined && now === undefined) return true;
  return isSameFile(before, now) && before?.writtenNs === now?.writtenNs;
}
