/**
 * Low descriptors, kept free for connections whose command starts in a table
 * that it shares with the daemon: the child then takes a table of its own with
 * only what is below, however many descriptors the daemon has by then. They are
 * taken at start, before there are any.
 *
 * @module
 */

import { O_CLOEXEC } from "./headers.ts";
import type { Libc } from "./libc.ts";
import { duplicate } from "./process.ts";

/** More starts at once than that copy the table. */
const LANDINGS = 8;

/** The descriptors of a process. */
export class Landings {
  readonly #libc: Libc;
  readonly #nothing: number;
  readonly #free: number[];

  /**
   * @param libc The C library.
   * @param nothing An open file to hold them by.
   * @throws {SystemError} If there are no descriptors for it.
   */
  constructor(libc: Libc, nothing: number) {
    this.#libc = libc;
    this.#nothing = nothing;
    this.#free = Array.from(
      { length: LANDINGS },
      () => duplicate(libc, this.#nothing),
    );
  }

  /**
   * Puts a connection on one of them.
   *
   * @param connection Its descriptor, which is closed then.
   * @returns The new one; `undefined` where none is free.
   */
  take(connection: number): number | undefined {
    const landing = this.#free.pop();
    if (landing === undefined) return undefined;
    // It replaces an open file, so there is nothing that it could lack.
    this.#libc.c.dup3(connection, landing, O_CLOEXEC);
    this.#libc.c.close(connection);
    return landing;
  }

  /**
   * Lets the connection go: until then the client sees no end of it.
   *
   * @param landing The descriptor.
   */
  giveBack(landing: number): void {
    this.#libc.c.dup3(this.#nothing, landing, O_CLOEXEC);
    this.#free.push(landing);
  }
}
