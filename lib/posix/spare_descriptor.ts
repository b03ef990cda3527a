/**
 * A descriptor kept in reserve: a child's pidfd is made while the connection
 * that it is for still has its own, so that with the last descriptor a client
 * could be accepted, but not served.
 *
 * @module
 */

import { EMFILE } from "./errno.ts";
import { F_DUPFD_CLOEXEC } from "./headers.ts";
import type { Libc } from "./libc.ts";
import { duplicate, FIRST_FD_OF_OURS } from "./process.ts";

/** The descriptor. */
export class SpareDescriptor {
  readonly #libc: Libc;
  readonly #nothing: number;
  #fd: number;

  /**
   * @param libc The C library.
   * @param nothing An open file to hold it by.
   * @throws {SystemError} If there is none left.
   */
  constructor(libc: Libc, nothing: number) {
    this.#libc = libc;
    this.#nothing = nothing;
    this.#fd = duplicate(libc, nothing);
  }

  /**
   * Runs what needs a descriptor, with the one in reserve if there is no other.
   *
   * @param action What to do; it returns a negated error number if it fails.
   * @returns What it returned.
   */
  use(action: () => number): number {
    const result = action();
    if (result !== -EMFILE || this.#fd < 0) return result;
    this.#libc.c.close(this.#fd);
    this.#fd = -1;
    return action();
  }

  /**
   * Takes one in reserve again, where it was used.
   *
   * @returns Whether there is one now.
   */
  refill(): boolean {
    if (this.#fd >= 0) return true;
    const { c } = this.#libc;
    this.#fd = c.fcntl(
      this.#nothing,
      F_DUPFD_CLOEXEC,
      BigInt(FIRST_FD_OF_OURS),
    );
    return this.#fd >= 0;
  }
}
