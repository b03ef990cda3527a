/**
 * A real command, started as the direct engine does, by the user that runs
 * the tests.
 *
 * @module
 */

import { assert } from "@std/assert";
import { unchangingCredentials } from "../../../lib/posix/credentials.ts";
import { errorText } from "../../../lib/posix/errno.ts";
import { closeAllOnExec, duplicate } from "../../../lib/posix/process.ts";
import { Spawner, type SpawnOptions } from "../../../lib/posix/spawn.ts";
import { libc } from "../real_libc.ts";
import type { Scratch } from "../scratch.ts";
import { OpenFile } from "./descriptors.ts";

// As a daemon does first of all: whatever the tests were started with.
closeAllOnExec(libc);

/** The spawner that all tests share, as a daemon has one. */
const spawner = new Spawner(libc, unchangingCredentials());

/** How to start it, as far as a test cares. */
export type StartOptions = Partial<Omit<SpawnOptions, "argv" | "identity">>;

/**
 * Tries to start a command whose standard output is the file `output` of the
 * test's folder.
 *
 * @returns The process id, or the negated error number.
 */
export function tryToStart(
  scratch: Scratch,
  argv: readonly string[],
  { environment = [], searchPath = ["/usr/bin", "/bin"] }: StartOptions = {},
): number {
  using file = new OpenFile(scratch.file("output"));
  // Nothing changes: the credentials do not look at it.
  const identity = { uid: 0, gid: 0 };
  const [result = -1] = spawner
    .prepare({ argv, environment, searchPath, identity })
    .start([duplicate(libc, file.fd)]);
  return result;
}

/** Starts a command and returns its process id. */
export function startCommand(
  scratch: Scratch,
  argv: readonly string[],
  options: StartOptions = {},
): number {
  const pid = tryToStart(scratch, argv, options);
  assert(pid > 0, errorText(libc, -pid));
  return pid;
}
