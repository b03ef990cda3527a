/**
 * The pid file: where scripts find the daemon. It is written before the locks
 * fall, into a directory that nobody else may write to, and it appears whole.
 *
 * @module
 */

import { dirname } from "@std/path/posix/dirname";
import type { Credentials } from "../posix/credentials.ts";
import { lookAt, removeFile } from "../posix/files.ts";
import type { Libc } from "../posix/libc.ts";
import { EX, failure, type Result, success } from "../result.ts";

/** Writable by the group, and by others. */
const WRITABLE_BY_OTHERS = 0o022;

/** A pid file that was written. */
export interface PidFile {
  /** Removes it, unless a successor has put its own in its place. */
  remove(credentials: Credentials): void;
}

/**
 * Writes this process's id.
 *
 * @param libc The C library.
 * @param path The file.
 * @returns The file; or why it was not written.
 */
export function writePidFile(libc: Libc, path: string): Result<PidFile> {
  const folder = dirname(path);
  const temporary = `${path}.${Deno.pid}`;
  try {
    const { uid, mode } = Deno.statSync(folder);
    if (uid !== 0 && uid !== libc.c.geteuid()) {
      return unsafe(path, `${folder} belongs to user id ${uid}`);
    }
    if (((mode ?? 0) & WRITABLE_BY_OTHERS) !== 0) {
      return unsafe(path, `${folder} is writable by others`);
    }
    // Left behind by a start that was cut short, in a container say, where
    // the same process id comes again. Nobody else can have put it there.
    removeFile(libc, temporary, lookAt(libc, temporary));
    Deno.writeTextFileSync(temporary, `${Deno.pid}\n`, {
      createNew: true,
      mode: 0o644,
    });
    Deno.chmodSync(temporary, 0o644);
    Deno.renameSync(temporary, path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return failure({
      text: `cannot write the pid file ${path}: ${reason}`,
      exitCode: EX.OSERR,
    });
  }
  const written = lookAt(libc, path);
  return success({
    remove(credentials: Credentials): void {
      credentials.asRoot(() => removeFile(libc, path, written));
    },
  });
}

function unsafe(path: string, reason: string): Result<never> {
  return failure({
    text: `refused to write the pid file ${path}: ${reason}`,
    mend: "use a directory of root's, such as /run/spawnd, with mode 0755",
    exitCode: EX.CONFIG,
  });
}
