/**
 * The deputy of a process that master(8) has begun anew without.
 *
 * After a reload, master counts on every process that said that it could take
 * a connection, until that process ends; while its commands run it would take
 * connections with a configuration that is no longer the one. So it starts
 * this program anew, as master would, on the same sockets, and is to it what
 * master is: it hears on a status channel whether its deputy takes
 * connections, and by its own end it tells the deputy to take no more.
 *
 * @module
 */

import type { DirectEngine } from "../engine/direct.ts";
import type { Log } from "../log/log.ts";
import type { Credentials } from "../posix/credentials.ts";
import { errorText } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { Children, openPipe, readOnce } from "../posix/process.ts";
import { startProgram } from "../posix/program.ts";
import type { OwnProgram } from "../service/own_program.ts";
import { parseStatus, STATUS_BYTES, STATUS_FD } from "./status.ts";

/** Set where a process is a deputy: it says at first that it is available. */
export const DEPUTY_VARIABLE = "SPAWND_DEPUTY";

/** What a deputy is started with, and by. */
export interface DeputyOptions {
  readonly libc: Libc;
  readonly credentials: Credentials;
  readonly engine: DirectEngine;
  readonly log: Log;
  readonly program: OwnProgram;
  readonly listenFds: readonly number[];
  /** Called when connections are the deputy's to take, or are not any more. */
  readonly serves: (serves: boolean) => void;
}

/** A process that takes connections in this one's place. */
export class Deputy {
  readonly #options: DeputyOptions;
  readonly #children: Children;
  /** Beside the one that serves, those whose last commands run. */
  readonly #pids = new Set<number>();
  #isDismissed = false;
  /** What closes their status channels. */
  readonly #channels = new Set<() => void>();

  /** @param options What to start, and whom to tell. */
  constructor(options: DeputyOptions) {
    this.#options = options;
    this.#children = new Children(options.libc);
  }

  /**
   * Starts the process. When its turn is over there will be another; where it
   * fails instead, connections are this process's own again.
   */
  start(): void {
    const { libc, credentials, engine, program, listenFds, log } =
      this.#options;
    const { readFd, writeFd } = openPipe(libc);
    const started = startProgram(libc, {
      ...program,
      asRoot: credentials.canBecome,
      environment: [...program.environment, `${DEPUTY_VARIABLE}=1`],
      fds: [
        { fd: writeFd, as: STATUS_FD },
        ...listenFds.map((fd) => ({ fd, as: fd })),
      ],
    });
    libc.c.close(writeFd);
    if (typeof started === "number") {
      libc.c.close(readFd);
      const reason = errorText(libc, -started);
      log.error("reload-failed", `cannot start ${program.path}: ${reason}`);
      return;
    }
    const { pid, pidFd } = started;
    this.#pids.add(pid);
    let serves = false;
    const tell = (now: boolean): void => {
      if (serves === now) return;
      serves = now;
      this.#options.serves(now);
    };
    let isOver = false;
    const close = (): void => {
      this.#channels.delete(close);
      engine.closeWatched(readFd);
    };
    this.#channels.add(close);
    engine.watch(readFd, () => {
      const message = readOnce(libc, readFd, STATUS_BYTES);
      if (message.length < STATUS_BYTES) return close();
      const available = parseStatus(message) === "available";
      tell(available);
      if (available) {
        const text = `process id ${pid} serves from now on`;
        log.info("reloaded", text, { pid });
      }
      if (available || isOver) return;
      isOver = true;
      this.start();
    });
    engine.watch(pidFd, () => {
      const word = this.#children.collect(pid);
      if (word === undefined) return;
      engine.closeWatched(pidFd);
      this.#pids.delete(pid);
      const failure = started.failure();
      if (failure !== undefined) {
        log.error("reload-failed", `cannot start ${program.path}: ${failure}`);
      }
      tell(false);
      if (word === 0 && !isOver && !this.#isDismissed) this.start();
    });
  }

  /** Tells it to take no more connections. There will be no other. */
  dismiss(): void {
    this.#isDismissed = true;
    for (const close of this.#channels) close();
  }

  /**
   * Signals it.
   *
   * @param signal The signal's number.
   */
  signal(signal: number): void {
    this.#options.credentials.asRoot(() => {
      for (const pid of this.#pids) this.#children.signal(pid, signal);
    });
  }
}
