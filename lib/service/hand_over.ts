/**
 * Reload and upgrade: a daemon that has given its permissions back cannot read
 * a new configuration, so it starts its own program anew, hands the listening
 * sockets on, and stops accepting when the successor says that it accepts. If
 * the successor fails, the daemon goes on unharmed.
 *
 * @module
 */

import type { DirectEngine } from "../engine/direct.ts";
import type { ListeningSocket } from "../engine/engine.ts";
import type { Log } from "../log/log.ts";
import { handOn, INHERITED_VARIABLE } from "../net/inherited_sockets.ts";
import type { Credentials } from "../posix/credentials.ts";
import { errorText } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { Children, openPipe, readOnce, SIGKILL } from "../posix/process.ts";
import { type StartedProgram, startProgram } from "../posix/program.ts";
import { type OwnProgram, ownProgram } from "./own_program.ts";

/** Names the descriptor on which a successor tells that it accepts. */
export const READY_VARIABLE = "SPAWND_READY_FD";

/** What a hand-over needs of the daemon. */
export interface HandOverOptions {
  readonly credentials: Credentials;
  readonly engine: DirectEngine;
  readonly log: Log;
  readonly sockets: readonly ListeningSocket[];
}

/** A successor that was started. */
export interface Successor {
  readonly pid: number;
  /** Whether it accepts; settled when that is known. */
  readonly accepts: Promise<boolean>;
  /** Signals it. */
  signal(signal: number): void;
}

/** How long a successor may take to accept. */
const START_MS = 60_000;

/** How this program is started anew. */
export class HandOver {
  readonly #libc: Libc;
  readonly #program: OwnProgram;

  /**
   * Takes note of how this program was started, as long as it may.
   *
   * @param libc The C library.
   */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.#program = ownProgram(libc);
  }

  /**
   * Starts the successor.
   *
   * @param options What it is given.
   * @returns The successor; `undefined` if it could not be started.
   */
  start(options: HandOverOptions): Successor | undefined {
    const { credentials, engine, log, sockets } = options;
    const { value, fds } = handOn(sockets);
    const { readFd, writeFd } = openPipe(this.#libc);
    const { path } = this.#program;
    const started = startProgram(this.#libc, {
      ...this.#program,
      asRoot: credentials.canBecome,
      environment: [
        ...this.#program.environment.filter(isNoVariableOfOurs),
        `${INHERITED_VARIABLE}=${value}`,
        `${READY_VARIABLE}=${writeFd}`,
      ],
      fds: [...fds, writeFd].map((fd) => ({ fd, as: fd })),
    });
    this.#libc.c.close(writeFd);
    const cannot = (reason: string): void =>
      log.error("reload-failed", `cannot start ${path} anew: ${reason}`);
    if (typeof started === "number") {
      this.#libc.c.close(readFd);
      cannot(errorText(this.#libc, -started));
      return undefined;
    }
    const { pid } = started;
    let failure: string | undefined;
    const children = new Children(this.#libc);
    let isThere = true;
    const signal = (signal: number): void => {
      if (isThere) credentials.asRoot(() => children.signal(pid, signal));
    };
    this.#onEnd(started, engine, children, () => {
      isThere = false;
      failure = started.failure();
      if (failure !== undefined) cannot(failure);
    });
    const accepts = this.#accepts(readFd, engine, () => signal(SIGKILL))
      .then((accepts) => {
        if (accepts) {
          log.info("reloaded", `process id ${pid} serves from now on`, { pid });
        } else if (failure === undefined) {
          log.error(
            "reload-failed",
            "the new configuration was not taken, see the log of process id " +
              `${pid}; the old one goes on`,
            { pid },
          );
        }
        return accepts;
      });
    return { pid, accepts, signal };
  }

  /** A newline when it accepts; the end of the pipe when it has gone. */
  #accepts(
    readFd: number,
    engine: DirectEngine,
    timeIsUp: () => void,
  ): Promise<boolean> {
    const timer = setTimeout(timeIsUp, START_MS);
    return new Promise((resolve) =>
      engine.watch(readFd, () => {
        clearTimeout(timer);
        const bytes = readOnce(this.#libc, readFd, 1);
        engine.closeWatched(readFd);
        resolve(bytes.length > 0);
      })
    );
  }

  /** The successor may end before this process has. */
  #onEnd(
    { pid, pidFd }: StartedProgram,
    engine: DirectEngine,
    children: Children,
    ended: () => void,
  ): void {
    engine.watch(pidFd, () => {
      if (children.collect(pid) === undefined) return;
      engine.closeWatched(pidFd);
      ended();
    });
  }
}

/** A successor that hands over in its turn has them from its predecessor. */
function isNoVariableOfOurs(word: string): boolean {
  return ![INHERITED_VARIABLE, READY_VARIABLE].some((name) =>
    word.startsWith(`${name}=`)
  );
}
