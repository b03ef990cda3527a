/**
 * Error numbers of the C library and their texts.
 *
 * @module
 */

import type { Libc } from "./libc.ts";

/** Error numbers that some decision here depends on, from asm-generic/errno.h. */
export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const ENOEXEC = 8;
export const ECHILD = 10;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EEXIST = 17;
export const ENODEV = 19;
export const ENOTDIR = 20;
export const EISDIR = 21;
export const EINVAL = 22;
export const ENFILE = 23;
export const EMFILE = 24;
export const ENOSPC = 28;
export const ERANGE = 34;
export const ELOOP = 40;
export const EADDRINUSE = 98;
export const EADDRNOTAVAIL = 99;
export const ENOBUFS = 105;
export const ETIMEDOUT = 110;
export const ECONNREFUSED = 111;
export const ESTALE = 116;

const location = new Uint8Array(4);
const number = new Int32Array(location.buffer);

/**
 * Reads `errno` as the last failing call on the main thread left it. Only to
 * be called at once after a call that said that it failed.
 *
 * @param libc The C library.
 * @returns The error number.
 */
export function errno(libc: Libc): number {
  libc.c.memcpy(location, libc.errnoAddress, 4n);
  return number[0] ?? 0;
}

/**
 * Gives the system's text for an error number, as strerror(3) does.
 *
 * @param libc The C library.
 * @param code An error number.
 * @returns The text, in the C locale.
 */
export function errorText(libc: Libc, code: number): string {
  const text = new Uint8Array(256);
  libc.c.__xpg_strerror_r(code, text, BigInt(text.length));
  return new TextDecoder().decode(text.subarray(0, text.indexOf(0)));
}

/**
 * Tells whether a call failed for want of a descriptor or of memory, which
 * others may give back.
 *
 * @param code An error number.
 * @returns Whether it did.
 */
export function isShortage(code: number): boolean {
  return [EMFILE, ENFILE, ENOBUFS, ENOMEM].includes(code);
}

/** What to do about such a want. */
export const MORE_DESCRIPTORS =
  "let the daemon have more descriptors: ulimit -n, or LimitNOFILE= of systemd";

/**
 * Tells whether a command could not be started for want of a process, a
 * descriptor or memory: clone(2) and execve(2) say EAGAIN where the user, or
 * the system, has no process left.
 *
 * @param code An error number.
 * @returns Whether it was.
 */
export function isStartShortage(code: number): boolean {
  return code === EAGAIN || isShortage(code);
}

/** A system call that failed where nothing but failing is left. */
export class SystemError extends Error {
  override readonly name = "SystemError";

  /**
   * @param call What was tried, as one phrase.
   * @param code The error number.
   * @param text The system's text for it.
   */
  constructor(readonly call: string, readonly code: number, text: string) {
    super(`${call}: ${text}`);
  }
}

/**
 * Makes the error for a call that has just failed.
 *
 * @param libc The C library.
 * @param call What was tried, as one phrase.
 * @returns The error, to be thrown.
 */
export function lastError(libc: Libc, call: string): SystemError {
  const code = errno(libc);
  return new SystemError(call, code, errorText(libc, code));
}

/**
 * Passes a call's result on and throws when it says that the call failed.
 *
 * @param libc The C library.
 * @param call What was tried, as one phrase.
 * @param result The call's result; negative means that it failed.
 * @returns The result.
 * @throws {SystemError} If the result is negative.
 */
export function checked(libc: Libc, call: string, result: number): number {
  if (result < 0) throw lastError(libc, call);
  return result;
}
