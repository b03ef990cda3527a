/**
 * The end of a daemon that does not know any more who it is.
 *
 * @module
 */

import { EX, reasonOf } from "../result.ts";

/**
 * Ends the process at once: a daemon of unknown identity must not go on for
 * one more connection, nor for the log.
 *
 * @param error Why its own identity could not be taken again.
 */
export function panic(error: unknown): never {
  console.error(`spawnd: panic: ${reasonOf(error)}`);
  Deno.exit(EX.OSERR);
}
