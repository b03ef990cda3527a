/**
 * What a daemon does to its own process before anything else: nothing that it
 * was started with reaches a command, unless it is meant to.
 *
 * @module
 */

import { dropInheritableCapabilities } from "../posix/credentials.ts";
import { SystemError } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { closeAllOnExec, setUmask } from "../posix/process.ts";
import { resetDispositions, unblockSignals } from "../posix/signals.ts";
import { EX, failure, type Result, success } from "../result.ts";

/** What files that the daemon or its commands make are closed to. */
const UMASK = 0o077;

/**
 * Prepares the process.
 *
 * @param libc The C library.
 * @param isAdopting Whether a former image of this process has blocked all
 * signals: they stay so until this one is ready for them.
 * @returns Nothing; or why the process cannot be prepared.
 */
export function prepareProcess(libc: Libc, isAdopting = false): Result<void> {
  const closed = refusing(
    () => closeAllOnExec(libc),
    "let the daemon call close_range(2), which Linux has since 5.11",
  );
  if (!closed.ok) return closed;
  resetDispositions(libc);
  if (!isAdopting) unblockSignals(libc);
  const dropped = refusing(
    () => dropInheritableCapabilities(libc),
    "let the daemon give capabilities up: capget(2) and capset(2)",
  );
  if (dropped.ok) setUmask(libc, UMASK);
  return dropped;
}

/** What a sandbox forbids, or the kernel lacks, is told with what to do. */
function refusing(step: () => void, mend: string): Result<void> {
  try {
    return success(step());
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return failure({ text: error.message, mend, exitCode: EX.OSERR });
  }
}
