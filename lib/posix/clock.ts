/**
 * The machine's monotonic clock, which all processes share: the runtime's own
 * clock begins with the process.
 *
 * @module
 */

import { checked } from "./errno.ts";
import type { Libc } from "./libc.ts";

// linux/time.h
const CLOCK_MONOTONIC = 1;
/** `struct timespec`: seconds and nanoseconds, 64 bits each. */
const TIMESPEC_WORDS = 2;

const MS_PER_SECOND = 1000;
const NS_PER_MS = 1e6;

/**
 * Reads the clock: clock_gettime(2).
 *
 * @param libc The C library.
 * @returns Milliseconds since some moment in the past.
 * @throws {SystemError} If the kernel does not tell.
 */
export function monotonicMs(libc: Libc): number {
  const time = new BigInt64Array(TIMESPEC_WORDS);
  const bytes = new Uint8Array(time.buffer);
  checked(
    libc,
    "clock_gettime",
    libc.c.clock_gettime(CLOCK_MONOTONIC, bytes),
  );
  const [seconds = 0n, nanoseconds = 0n] = time;
  return Number(seconds) * MS_PER_SECOND + Number(nanoseconds) / NS_PER_MS;
}

/**
 * Tells how far `performance.now()` is behind the machine's clock.
 *
 * @param libc The C library.
 * @returns Milliseconds to add to the one to have the other.
 * @throws {SystemError} If the kernel does not tell.
 */
export function monotonicOffsetMs(libc: Libc): number {
  return monotonicMs(libc) - performance.now();
}
