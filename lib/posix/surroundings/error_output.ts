/**
 * The daemon's standard error for commands. They get an opening of their own:
 * by the daemon's they could have it not wait for a reader, or read what is
 * typed on a terminal.
 *
 * @module
 */

import type { Libc } from "../libc.ts";
import { cString } from "../libc.ts";
import { makeBlocking } from "../process.ts";

// fcntl.h
const O_WRONLY = 0o1;
const O_NOCTTY = 0o400;
const O_APPEND = 0o2000;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;

const STANDARD_ERROR = 2;

/**
 * Opens standard error anew, for writing alone.
 *
 * @param libc The C library.
 * @returns The descriptor, closed on exec; standard error itself where it
 * cannot be opened, as a socket cannot.
 */
export function openErrorOutput(libc: Libc): number {
  // A pipe that nobody reads any more would be waited for.
  const flags = O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
  const path = `/proc/self/fd/${STANDARD_ERROR}`;
  const fd = libc.c.open(cString(path), flags, 0);
  if (fd < 0) return STANDARD_ERROR;
  makeBlocking(libc, fd);
  return fd;
}
