/**
 * The C library as this machine has it, bound once for all tests.
 *
 * @module
 */

import { isLibc, type Libc, openLibc } from "../../lib/posix/libc.ts";

function bound(): Libc {
  const library = openLibc();
  if (!isLibc(library)) throw new Error(library.unavailable);
  return library;
}

/** The bound library. */
export const libc: Libc = bound();
