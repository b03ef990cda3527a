/**
 * What processes have used: getrusage(2), and the processor clocks of others.
 *
 * @module
 */

import type { Libc } from "./libc.ts";

// bits/resource.h
const RUSAGE_SELF = 0;
/** `struct rusage`: 64-bit words, of which these are read. */
const RUSAGE_BYTES = 144;
/** `ru_utime`, `ru_stime`: seconds and microseconds each; `ru_maxrss`. */
const UTIME_WORD = 0;
const STIME_WORD = 2;
const MAXRSS_WORD = 4;

const MS_PER_SECOND = 1000;
const US_PER_MS = 1000;
const NS_PER_MS = 1e6;
const BYTES_PER_KIB = 1024;

/** The kernel's own numbers of clocks: linux/posix-timers.h. */
const CPUCLOCK_SCHED = 2;

/** What a process has used. */
export interface ResourceUsage {
  readonly processorMs: number;
  /**
   * The most memory that it had resident. A child begins with what its parent
   * has had: less than that cannot be told.
   */
  readonly peakMemoryBytes: number;
}

/** A `struct rusage` for the kernel to write into. */
export class UsageBuffer {
  readonly bytes = new Uint8Array(RUSAGE_BYTES);
  /** The low halves of its words say all: no number here needs more. */
  readonly #halves = new Int32Array(this.bytes.buffer);

  /** What was written last. */
  get usage(): ResourceUsage {
    return {
      processorMs: this.#timeMs(UTIME_WORD) + this.#timeMs(STIME_WORD),
      peakMemoryBytes: this.#word(MAXRSS_WORD) * BYTES_PER_KIB,
    };
  }

  #timeMs(word: number): number {
    return this.#word(word) * MS_PER_SECOND + this.#word(word + 1) / US_PER_MS;
  }

  #word(index: number): number {
    return this.#halves[2 * index] ?? 0;
  }
}

/**
 * Tells what this process has used.
 *
 * @param libc The C library.
 * @returns It.
 */
export function ownUsage(libc: Libc): ResourceUsage {
  const buffer = new UsageBuffer();
  libc.c.getrusage(RUSAGE_SELF, buffer.bytes);
  return buffer.usage;
}

/**
 * Tells how much processor time a process has used by now, without what it
 * waited for: its processor clock, clock_getcpuclockid(3).
 *
 * @param libc The C library.
 * @param pid The process.
 * @returns Milliseconds; `undefined` if there is no such process.
 */
export function processorMsOf(libc: Libc, pid: number): number | undefined {
  const time = new Int32Array(4);
  const clock = (~pid << 3) | CPUCLOCK_SCHED;
  const bytes = new Uint8Array(time.buffer);
  if (libc.c.clock_gettime(clock, bytes) !== 0) return undefined;
  const [seconds = 0, , nanoseconds = 0] = time;
  return seconds * MS_PER_SECOND + nanoseconds / NS_PER_MS;
}
