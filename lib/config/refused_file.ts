/**
 * Files that cannot be read, or are not to be.
 *
 * @module
 */

import { reasonOf } from "../result.ts";

/** Thrown by who reads files, for one that is not to be read. */
export class RefusedFile extends Error {
  /**
   * @param reason Why, as the system says such things.
   * @param mend What to do about it.
   */
  constructor(reason: string, readonly mend: string) {
    super(reason);
  }
}

/**
 * Tells why a file was not read.
 *
 * @param error What was thrown.
 * @returns The reason, in the system's words where they are its own.
 */
export function whyUnread(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "No such file or directory";
  if (error instanceof Deno.errors.PermissionDenied) return "Permission denied";
  return reasonOf(error);
}
