/**
 * The pid file: where scripts find the daemon. It is written before the locks
 * fall, into a directory that nobody else may write to, and it appears whole.
 *
 * It also tells what became of a reload: another file with the same id is in
 * its place where the new configuration serves, the same file was written anew
 * where it does not.
 *
 * @module
 */

import { dirname } from "@std/path/posix/dirname";
import type { Credentials } from "../posix/credentials.ts";
import { lookAt, lookAtDescriptor, removeFile } from "../posix/files.ts";
import { cString, type Libc } from "../posix/libc.ts";
import { EX, failure, type Result, success } from "../result.ts";

// fcntl.h
const O_WRONLY = 0o1;
const O_CLOEXEC = 0o2000000;

/** Writable by the group, and by others. */
const WRITABLE_BY_OTHERS = 0o022;

/** A pid file that was written. */
export interface PidFile {
  /** It, open for writing; `undefined` where there was no descriptor left. */
  readonly fd: number | undefined;
  /** Writes the id anew, into the same file. */
  touch(): void;
  /** Removes it, unless another daemon has put its own in its place. */
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
  const temporary = writeTemporary(libc, path);
  if (!temporary.ok) return temporary;
  try {
    Deno.renameSync(temporary.value, path);
  } catch (error) {
    return cannotWrite(path, error);
  }
  const fd = libc.c.open(cString(path), O_WRONLY | O_CLOEXEC, 0);
  return success(new OpenPidFile(libc, path, fd < 0 ? undefined : fd));
}

/**
 * Finds out whether the file could be written, and leaves it as it is.
 *
 * @param libc The C library.
 * @param path The file.
 * @returns Nothing; or why it could not.
 */
export function checkPidFile(libc: Libc, path: string): Result<void> {
  const temporary = writeTemporary(libc, path);
  if (!temporary.ok) return temporary;
  removeFile(libc, temporary.value, lookAt(libc, temporary.value));
  return success(undefined);
}

/**
 * Goes on with a file that a former image of this process has written.
 *
 * @param libc The C library.
 * @param path The file.
 * @param fd It, open for writing.
 * @returns The file.
 */
export function keepPidFile(libc: Libc, path: string, fd: number): PidFile {
  return new OpenPidFile(libc, path, fd);
}

/** Beside the file, where nobody else can write. */
function writeTemporary(libc: Libc, path: string): Result<string> {
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
    Deno.writeTextFileSync(temporary, idLine(), {
      createNew: true,
      mode: 0o644,
    });
    Deno.chmodSync(temporary, 0o644);
  } catch (error) {
    // A full disk leaves an empty one.
    removeFile(libc, temporary, lookAt(libc, temporary));
    return cannotWrite(path, error);
  }
  return success(temporary);
}

function idLine(): string {
  return `${Deno.pid}\n`;
}

class OpenPidFile implements PidFile {
  readonly #libc: Libc;
  readonly #path: string;
  readonly #file: ReturnType<typeof lookAt>;
  readonly fd: number | undefined;

  constructor(libc: Libc, path: string, fd: number | undefined) {
    this.#libc = libc;
    this.#path = path;
    this.fd = fd;
    this.#file = fd === undefined
      ? lookAt(libc, path)
      : lookAtDescriptor(libc, fd);
  }

  touch(): void {
    if (this.fd === undefined) return;
    const bytes = new TextEncoder().encode(idLine());
    this.#libc.c.pwrite(this.fd, bytes, BigInt(bytes.length), 0n);
  }

  remove(credentials: Credentials): void {
    credentials.asRoot(() => removeFile(this.#libc, this.#path, this.#file));
  }
}

function cannotWrite(path: string, error: unknown): Result<never> {
  const reason = error instanceof Error ? error.message : String(error);
  return failure({
    text: `cannot write the pid file ${path}: ${reason}`,
    exitCode: EX.OSERR,
  });
}

function unsafe(path: string, reason: string): Result<never> {
  return failure({
    text: `refused to write the pid file ${path}: ${reason}`,
    mend: "use a directory of root's, such as /run/spawnd, with mode 0755",
    exitCode: EX.CONFIG,
  });
}
