/**
 * The status channel to master(8): a child tells there whether it could take
 * another connection, and sees there that master has gone or begins anew.
 *
 * @module
 */

import { SystemError } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { writeOnce } from "../posix/process.ts";

/** The descriptor on which master(8) keeps the channel. */
export const STATUS_FD = 5;

/** The first of the listening sockets that master(8) passes on. */
export const FIRST_LISTEN_FD = 6;

const GENERATION_MAX = 0xffffffff;

/** What a child says of itself. */
export type Availability = "taken" | "available";

const WORDS: Readonly<Record<Availability, number>> = {
  taken: 0,
  available: 1,
};

/**
 * Reads which of master's configurations this process belongs to.
 *
 * @param text The variable GENERATION, an octal number.
 * @returns The generation, 0 where it is not set; `undefined` if it is not
 * octal, or has more than 32 bits.
 */
export function parseGeneration(text = "0"): number | undefined {
  const generation = /^[0-7]{1,11}$/.test(text) ? parseInt(text, 8) : NaN;
  return generation <= GENERATION_MAX ? generation : undefined;
}

/**
 * Makes a status message: process id, generation and availability, 32 bits
 * each, in the machine's own order.
 *
 * @param pid This process.
 * @param generation Its generation.
 * @param availability What it says.
 * @returns The message.
 */
export function statusMessage(
  pid: number,
  generation: number,
  availability: Availability,
): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array([pid, generation, WORDS[availability]]);
  return new Uint8Array(words.buffer);
}

/** The child's end of the channel. */
export class StatusChannel {
  readonly #libc: Libc;
  #isOpen = true;
  readonly #messages: Readonly<Record<Availability, Uint8Array<ArrayBuffer>>>;

  /**
   * @param libc The C library.
   * @param generation This process's generation.
   */
  constructor(libc: Libc, generation: number) {
    this.#libc = libc;
    this.#messages = {
      taken: statusMessage(Deno.pid, generation, "taken"),
      available: statusMessage(Deno.pid, generation, "available"),
    };
  }

  /**
   * Tells master(8). Where it has gone, the channel becomes readable, and that
   * is how its end is known: a message that it does not take is lost on nobody.
   *
   * @param availability What to say.
   */
  tell(availability: Availability): void {
    if (!this.#isOpen) return;
    try {
      writeOnce(this.#libc, STATUS_FD, this.#messages[availability]);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
  }

  /** Tells nothing any more; the descriptor is the caller's to close. */
  close(): void {
    this.#isOpen = false;
  }
}
