/**
 * The environment that the process was started with.
 *
 * @module
 */

import type { Variables } from "../engine/environment.ts";
import { SystemError } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { startEnvironment } from "../posix/process.ts";

/** In the place of a value that is no UTF-8 and cannot be had: no UTF-8 either. */
const NOT_UTF8 = "\udcff";

/**
 * Gives access to the variables.
 *
 * @param libc The C library, by which values are had that are no UTF-8.
 * @returns How they are asked for.
 */
export function ownVariables(libc: Libc | undefined): Variables {
  let values: ReadonlyMap<string, string> | undefined;
  if (libc === undefined) return runtimeVariable;
  return (name) => {
    try {
      values ??= startEnvironment(libc);
      return values.get(name);
    } catch (error) {
      // Without /proc.
      if (!(error instanceof SystemError)) throw error;
      return runtimeVariable(name);
    }
  };
}

/** The runtime refuses names that no variable can have. */
function runtimeVariable(name: string): string | undefined {
  if (name === "" || /[=\0]/.test(name)) return undefined;
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (error instanceof Deno.errors.InvalidData) return NOT_UTF8;
    throw error;
  }
}
