/**
 * How this program was started, so that it can start itself anew when it may
 * read neither its environment nor a file any more.
 *
 * @module
 */

import { resolve } from "@std/path/posix/resolve";
import { isSameFile, lookThrough } from "../posix/files.ts";
import type { Libc } from "../posix/libc.ts";
import { executedPath } from "../posix/own_image.ts";
import { openWorkingDirectory, startWords } from "../posix/process.ts";
import { HANDED_VARIABLE, TRIAL_VARIABLE } from "./reload/handed.ts";

/** What the kernel adds to the name of a program that was replaced since. */
const REPLACED = / \(deleted\)$/;

/** Where a path means another file in another process. */
const PROCESS_OWN = /^\/(?:proc|dev\/fd)\//;

/** A program's own start. */
export interface OwnProgram {
  /** The program's file, as it was executed: through whatever links. */
  readonly path: string;
  readonly argv: readonly Uint8Array[];
  readonly environment: readonly Uint8Array[];
  /** Where it started, as relative paths among its arguments are meant. */
  readonly directory: string;
  /** The same, whatever it is called by now. */
  readonly directoryFd: number;
}

/**
 * Takes note of how this program was started, as long as it may.
 *
 * @param libc The C library.
 * @returns What to start it with anew.
 * @throws {SystemError} If there is no descriptor left.
 */
export function ownProgram(libc: Libc): OwnProgram {
  const directory = Deno.cwd();
  return {
    path: programPath(libc, directory),
    argv: startWords(libc, "cmdline"),
    directory,
    directoryFd: openWorkingDirectory(libc),
    environment: startWords(libc, "environ").filter(isNoVariableOfOurs),
  };
}

/** An upgrade may turn a link to another file; so the link is what counts. */
function programPath(libc: Libc, directory: string): string {
  const executed = executedPath(libc);
  const path = resolve(directory, executed);
  const isOurs = executed !== "" && !PROCESS_OWN.test(path) &&
    isSameFile(lookThrough(libc, path), lookThrough(libc, "/proc/self/exe"));
  return isOurs ? path : Deno.execPath().replace(REPLACED, "");
}

function isNoVariableOfOurs(word: Uint8Array): boolean {
  const text = new TextDecoder().decode(word);
  return ![HANDED_VARIABLE, TRIAL_VARIABLE].some((name) =>
    text.startsWith(`${name}=`)
  );
}
