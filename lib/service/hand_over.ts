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
import { Children, commandLine, openPipe, readOnce } from "../posix/process.ts";
import { spawnSuccessor } from "../posix/spawn.ts";

/** Names the descriptor on which a successor tells that it accepts. */
export const READY_VARIABLE = "SPAWND_READY_FD";

/** What a hand-over needs of the daemon. */
export interface HandOverOptions {
  readonly credentials: Credentials;
  readonly engine: DirectEngine;
  readonly log: Log;
  readonly sockets: readonly ListeningSocket[];
}

/** How this program is started anew. */
export class HandOver {
  readonly #libc: Libc;
  readonly #path: string;
  readonly #argv: readonly string[];
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(libc: Libc) {
    this.#libc = libc;
    this.#path = Deno.execPath();
    this.#argv = commandLine(libc);
    this.#environment = Deno.env.toObject();
  }

  /**
   * Takes note of how this program was started, as long as it may.
   *
   * @param libc The C library.
   * @returns The way to start it anew.
   */
  static prepare(libc: Libc): HandOver {
    return new HandOver(libc);
  }

  /**
   * Starts the successor and waits until it accepts, or has failed.
   *
   * @param options What it is given.
   * @returns Whether it accepts.
   */
  async start(
    { credentials, engine, log, sockets }: HandOverOptions,
  ): Promise<boolean> {
    const { value, fds } = handOn(sockets);
    const { readFd, writeFd } = openPipe(this.#libc);
    const environment = {
      ...this.#environment,
      [INHERITED_VARIABLE]: value,
      [READY_VARIABLE]: String(writeFd),
    };
    const pid = spawnSuccessor(this.#libc, credentials, {
      path: this.#path,
      argv: this.#argv,
      environment: Object.entries(environment)
        .map(([name, value]) => `${name}=${value}`),
      fds: [...fds, writeFd],
    });
    this.#libc.c.close(writeFd);
    if (pid < 0) {
      this.#libc.c.close(readFd);
      const reason = errorText(this.#libc, -pid);
      log.error("reload-failed", `cannot start ${this.#path} anew: ${reason}`);
      return false;
    }
    this.#collectLater(pid, engine);
    // A newline when it accepts, or the end of the pipe when it has gone.
    const ready = await new Promise<boolean>((resolve) =>
      engine.watch(readFd, () => {
        const bytes = readOnce(this.#libc, readFd, 1);
        engine.closeWatched(readFd);
        resolve(bytes.length > 0);
      })
    );
    if (ready) {
      log.info("reloaded", `process id ${pid} serves from now on`, { pid });
    } else {
      log.error(
        "reload-failed",
        `the new configuration was not taken, see the log of process id ${pid}; ` +
          "the old one goes on",
        { pid },
      );
    }
    return ready;
  }

  /** The successor may end before this process has. */
  #collectLater(pid: number, engine: DirectEngine): void {
    const children = new Children(this.#libc);
    const pidFd = children.watch(pid);
    if (pidFd < 0) return;
    engine.watch(pidFd, () => {
      if (children.collect(pid) === undefined) return;
      engine.closeWatched(pidFd);
    });
  }
}
