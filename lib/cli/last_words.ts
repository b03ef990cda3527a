/**
 * What is said of an error that nobody else has told: one line, and the exit
 * code that goes with it.
 *
 * @module
 */

import { isShortage, MORE_DESCRIPTORS, SystemError } from "../posix/errno.ts";
import {
  EX,
  type ExitCode,
  formatMistake,
  type Mistake,
  Refusal,
} from "../result.ts";

/**
 * Tells of an error on standard error.
 *
 * @param error The error.
 * @returns The exit code.
 */
export function tellLast(error: unknown): ExitCode {
  const mistake = mistakeOf(error);
  console.error(`spawnd: ${formatMistake(mistake).replaceAll(/\s+/g, " ")}`);
  return mistake.exitCode;
}

function mistakeOf(error: unknown): Mistake {
  if (error instanceof Refusal) return error.mistake;
  if (error instanceof SystemError) {
    return {
      text: error.message,
      mend: isShortage(error.code) ? MORE_DESCRIPTORS : undefined,
      exitCode: EX.OSERR,
    };
  }
  return {
    text: `internal error: ${String(error)}`,
    mend: `report it, with ${placeOf(error)}`,
    exitCode: EX.SOFTWARE,
  };
}

/** The innermost frame says enough to find it. */
function placeOf(error: unknown): string {
  const stack = error instanceof Error ? error.stack ?? "" : "";
  return /^ *(at .*)$/m.exec(stack)?.[1] ?? "what was done";
}
