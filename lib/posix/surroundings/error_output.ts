/**
 * The daemon's standard error for commands. They get an opening of their own:
 * by the daemon's they could have it not wait for a reader, or read what is
 * typed on a terminal.
 *
 * @module
 */

import { O_CLOEXEC, O_NONBLOCK } from "../headers.ts";
import { cString, type Libc } from "../libc.ts";
import { makeBlocking } from "../process.ts";

// fcntl.h
const O_WRONLY = 0o1;
const O_NOCTTY = 0o400;
const O_APPEND = 0o2000;

/** Its descriptor: unistd.h. */
export const STDERR_FILENO = 2;

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
  const path = `/proc/self/fd/${STDERR_FILENO}`;
  const fd = libc.c.open(cString(path), flags, 0);
  if (fd < 0) return STDERR_FILENO;
  makeBlocking(libc, fd);
  return fd;
}
