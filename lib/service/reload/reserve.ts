/**
 * Descriptors kept for a reload: clients may have taken all that there are, and
 * a daemon that cannot be reloaded by then could only be ended.
 *
 * @module
 */

import { O_CLOEXEC } from "../../posix/headers.ts";
import { cString, type Libc } from "../../posix/libc.ts";

/** A trial takes a file in memory, a pair of sockets and a pidfd. */
const KEPT = 4;

/** Descriptors of nothing. */
export class Reserve {
  readonly #libc: Libc;
  readonly #path = cString("/dev/null");
  readonly #fds: number[] = [];

  /** @param libc The C library. */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.refill();
  }

  /** Gives them up, for what is opened before anything else can be. */
  release(): void {
    for (const fd of this.#fds.splice(0)) this.#libc.c.close(fd);
  }

  /** Takes them back, as far as there are any. */
  refill(): void {
    while (this.#fds.length < KEPT) {
      const fd = this.#libc.c.open(this.#path, O_CLOEXEC, 0);
      if (fd < 0) return;
      this.#fds.push(fd);
    }
  }
}
