/**
 * How this program was started, so that it can start itself anew when it may
 * read neither its environment nor a file any more.
 *
 * @module
 */

import type { Libc } from "../posix/libc.ts";
import { commandLine } from "../posix/process.ts";
import type { ProgramOptions } from "../posix/program.ts";

/** What the kernel adds to the name of a program that was replaced since. */
const REPLACED = / \(deleted\)$/;

/** A program's own start, but for the descriptors. */
export type OwnProgram = Omit<ProgramOptions, "fds" | "asRoot">;

/**
 * Takes note of how this program was started, as long as it may.
 *
 * @param libc The C library.
 * @returns What to start it with anew.
 */
export function ownProgram(libc: Libc): OwnProgram {
  return {
    path: Deno.execPath().replace(REPLACED, ""),
    argv: commandLine(libc),
    directory: Deno.cwd(),
    environment: Object.entries(Deno.env.toObject())
      .map(([name, value]) => `${name}=${value}`),
  };
}
