/**
 * The environment that the process was started with.
 *
 * @module
 */

import type { Variables } from "../../engine/environment.ts";
import { SystemError } from "../../posix/errno.ts";
import type { Libc } from "../../posix/libc.ts";
import { startEnvironment } from "../../posix/process.ts";
import { NOT_UTF8, textVariable } from "../../text_variable.ts";
import { EX, failure, type Result, success } from "../../result.ts";

/**
 * Finds a directory that a variable names.
 *
 * @param name The variable.
 * @returns The directory, if the variable is set; or why it cannot be used.
 */
export function directoryVariable(name: string): Result<string | undefined> {
  const directory = textVariable(name);
  if (directory !== NOT_UTF8) return success(directory);
  return failure({
    text: `${name} is not UTF-8`,
    mend: "name the directory with -c, or set it anew",
    exitCode: EX.USAGE,
  });
}

/**
 * Gives access to the variables.
 *
 * @param libc The C library, by which values are had that are no UTF-8.
 * @returns How they are asked for.
 */
export function ownVariables(libc: Libc | undefined): Variables {
  let values: ReadonlyMap<string, string> | undefined;
  if (libc === undefined) return textVariable;
  return (name) => {
    try {
      values ??= startEnvironment(libc);
      return values.get(name);
    } catch (error) {
      // Without /proc.
      if (!(error instanceof SystemError)) throw error;
      return textVariable(name);
    }
  };
}
