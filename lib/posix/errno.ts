/**
 * Error numbers of the C library and their texts.
 *
 * @module
 */

import { constants } from "node:os";
import type { Libc } from "./libc.ts";

/** Error numbers that some decision depends on. */
export const {
  EPERM,
  ENOENT,
  ESRCH,
  EINTR,
  ENOEXEC,
  ECHILD,
  EAGAIN,
  ENOMEM,
  EACCES,
  EEXIST,
  ENODEV,
  ENOTDIR,
  EISDIR,
  EINVAL,
  ENFILE,
  EMFILE,
  ENOSPC,
  ERANGE,
  ELOOP,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EMSGSIZE,
  ENOBUFS,
  ETIMEDOUT,
  ECONNREFUSED,
  ESTALE,
} = constants.errno;

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

/** What a name or a descriptor leads to is not what was put there. */
export class NotOursError extends Error {
  override readonly name = "NotOursError";
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
