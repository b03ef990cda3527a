/**
 * Whether journald reads this process's standard error: sd-daemon(3).
 *
 * @module
 */

import { lookAtDescriptor } from "../posix/files.ts";
import type { Libc } from "../posix/libc.ts";
import { textVariable } from "../text_variable.ts";

const STANDARD_ERROR = 2;

/**
 * Compares standard error with the socket that systemd names in
 * JOURNAL_STREAM. The variable alone proves nothing: it is inherited by
 * processes whose standard error was redirected.
 *
 * @param libc The C library.
 * @returns `true` if journald reads it.
 */
export function underJournal(libc: Libc): boolean {
  const stream = textVariable("JOURNAL_STREAM");
  if (stream === undefined) return false;
  const facts = lookAtDescriptor(libc, STANDARD_ERROR);
  return facts !== undefined && stream === `${facts.device}:${facts.inode}`;
}
