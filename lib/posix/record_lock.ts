/**
 * Record locks: fcntl(2). One belongs to a process, stays with it through exec,
 * goes with its end, and whoever asks is told by their own namespace's id who
 * has it. It is gone as well when the process closes any descriptor of the
 * file, so the file is to be opened once.
 *
 * @module
 */

import { EACCES, EAGAIN, errno, lastError } from "./errno.ts";
import type { Libc } from "./libc.ts";

// bits/fcntl.h, bits/fcntl-linux.h of 64-bit Linux
const F_GETLK = 5;
const F_SETLK = 6;
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;

/** `struct flock`, zero where the whole file from its beginning is meant. */
const FLOCK_BYTES = 32;
const L_TYPE_OFFSET = 0;
const L_PID_OFFSET = 24;

/**
 * Locks a file for writing.
 *
 * @param libc The C library.
 * @param fd The file, open for writing.
 * @returns `false` if another process has it locked, for reading or writing.
 * @throws {SystemError} If its file system has no locks.
 */
export function lockForWriting(libc: Libc, fd: number): boolean {
  const lock = recordLock(F_WRLCK);
  if (libc.c.fcntl_buffer(fd, F_SETLK, bytesOf(lock)) === 0) return true;
  if ([EACCES, EAGAIN].includes(errno(libc))) return false;
  throw lastError(libc, "lock");
}

/**
 * Tells which other process has a file locked for writing. (Anybody who may
 * read a file can lock it for reading, which tells nothing.)
 *
 * @param libc The C library.
 * @param fd The file.
 * @returns Its process id, 0 if it is in a namespace that cannot be seen from
 * here; `undefined` if there is none.
 * @throws {SystemError} If its file system has no locks.
 */
export function writeLockHolder(libc: Libc, fd: number): number | undefined {
  const lock = recordLock(F_RDLCK);
  if (libc.c.fcntl_buffer(fd, F_GETLK, bytesOf(lock)) < 0) {
    throw lastError(libc, "ask for locks");
  }
  if (lock.getInt16(L_TYPE_OFFSET, true) === F_UNLCK) return undefined;
  return lock.getInt32(L_PID_OFFSET, true);
}

function recordLock(type: number): DataView<ArrayBuffer> {
  const lock = new DataView(new ArrayBuffer(FLOCK_BYTES));
  lock.setInt16(L_TYPE_OFFSET, type, true);
  return lock;
}

function bytesOf(lock: DataView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(lock.buffer);
}
