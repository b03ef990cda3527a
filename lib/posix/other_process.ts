/**
 * Another process, held by a descriptor: its id cannot come to be another
 * process's between a look at it and a signal to it.
 *
 * @module
 */

import { checked, errno, ESRCH, lastError } from "./errno.ts";
import { isSameFile, lookThrough } from "./files.ts";
import { AT_FDCWD, PATH_MAX } from "./headers.ts";
import { cString, type Libc } from "./libc.ts";

/** What the kernel adds to the name of a program that was replaced since. */
const REPLACED = / \(deleted\)$/;

/** A process. Goes with the scope: `using`. */
export class OtherProcess implements Disposable {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly pid: number;

  /**
   * @param libc The C library.
   * @param pid Its id.
   * @throws {SystemError} If there is none: ESRCH.
   */
  constructor(libc: Libc, pid: number) {
    this.#libc = libc;
    this.pid = pid;
    const { pidfd_open } = libc.abi.systemCalls;
    const opened = libc.c.syscall(pidfd_open, pid, 0, 0);
    this.#fd = checked(libc, "pidfd_open", opened);
  }

  /**
   * Tells which program it runs.
   *
   * @returns The path, as it was; `undefined` where that is not for us to see.
   */
  program(): string | undefined {
    return programOf(this.#libc, String(this.pid))?.replace(REPLACED, "");
  }

  /**
   * Tells whether it runs the program that this process runs, or one of the
   * same name: the other may be an older edition, or lie elsewhere.
   *
   * @returns `undefined` where its program is not for us to see.
   */
  runsThisProgram(): boolean | undefined {
    const theirs = this.program();
    const ours = programOf(this.#libc, "self")?.replace(REPLACED, "");
    if (theirs === undefined || ours === undefined) return undefined;
    const nameOf = (path: string): string =>
      path.slice(path.lastIndexOf("/") + 1);
    return nameOf(theirs) === nameOf(ours) || isSameFile(
      lookThrough(this.#libc, `/proc/${this.pid}/exe`),
      lookThrough(this.#libc, "/proc/self/exe"),
    );
  }

  /**
   * Sends it a signal: pidfd_send_signal(2).
   *
   * @param signal The signal; 0 sends none.
   * @returns `false` if it has ended.
   * @throws {SystemError} If it is not ours to signal.
   */
  signal(signal: number): boolean {
    const { pidfd_send_signal } = this.#libc.abi.systemCalls;
    const call = this.#libc.c.syscall_long;
    if (call(pidfd_send_signal, this.#fd, signal, 0n, 0n) === 0) return true;
    if (errno(this.#libc) === ESRCH) return false;
    throw lastError(this.#libc, "signal");
  }

  [Symbol.dispose](): void {
    this.#libc.c.close(this.#fd);
  }
}

function programOf(libc: Libc, process: string): string | undefined {
  const path = cString(`/proc/${process}/exe`);
  const target = new Uint8Array(PATH_MAX);
  const size = BigInt(PATH_MAX);
  const length = Number(libc.c.readlinkat(AT_FDCWD, path, target, size));
  if (length < 0) return undefined;
  return new TextDecoder().decode(target.subarray(0, length));
}
