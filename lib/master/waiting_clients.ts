/**
 * The clients of a process that cannot serve. Left in the kernel's queue they
 * would wait for as long as they are willing to, and start one process after
 * the other, even when they have long gone. So they are taken from it, to be
 * closed with the end of the process: spawn(8)'s answer to them.
 *
 * @module
 */

import { Epoll } from "../posix/epoll.ts";
import { EAGAIN, SystemError } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { Acceptor, isListening } from "../posix/sockets.ts";
import { FIRST_LISTEN_FD } from "./status.ts";

/** Takes those who wait. */
export class WaitingClients {
  readonly #acceptor: Acceptor;
  readonly #epoll: Epoll | undefined;

  /**
   * Looks for listening sockets where master(8) puts them: its command line
   * may be what is wrong.
   *
   * @param libc The C library.
   */
  constructor(libc: Libc) {
    this.#acceptor = new Acceptor(libc);
    this.#epoll = watchSockets(libc);
  }

  /** Takes all that wait by now. */
  take(): void {
    while (this.#accept(this.#epoll?.waitHere(0) ?? 0) > 0);
  }

  /**
   * Takes those that come within a time, and returns when it is over.
   *
   * @param durationMs The time.
   */
  async takeFor(durationMs: number): Promise<void> {
    const endMs = performance.now() + durationMs;
    if (this.#epoll === undefined) {
      return await new Promise((over) => setTimeout(over, durationMs));
    }
    for (;;) {
      const leftMs = Math.ceil(endMs - performance.now());
      if (leftMs <= 0) return;
      this.#accept(await this.#epoll.waitElsewhere(leftMs));
    }
  }

  /**
   * One from each socket's queue. What is accepted is never used: the kernel
   * closes it with the process. A socket that gives none, for want of a
   * descriptor say, is left alone.
   */
  #accept(readyCount: number): number {
    for (const fd of this.#epoll?.ready.subarray(0, readyCount) ?? []) {
      const connection = this.#acceptor.accept(fd);
      // Another process may have been faster.
      if (connection < 0 && connection !== -EAGAIN) {
        this.#epoll?.watch(fd, false);
      }
    }
    return readyCount;
  }
}

/** `undefined` where there is no descriptor or memory left to watch with. */
function watchSockets(libc: Libc): Epoll | undefined {
  try {
    const epoll = new Epoll(libc);
    for (let fd = FIRST_LISTEN_FD; isListening(libc, fd); fd++) epoll.add(fd);
    return epoll;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return undefined;
  }
}
