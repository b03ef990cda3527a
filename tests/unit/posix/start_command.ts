/**
 * A real command, started as the direct engine does, by the user that runs
 * the tests.
 *
 * @module
 */

import { UsageBuffer } from "../../../lib/posix/resource_usage.ts";
import { errorText } from "../../../lib/posix/errno.ts";
import { closeAllOnExec, duplicate } from "../../../lib/posix/process.ts";
import {
  type PreparedCommand,
  type PrepareOptions,
  type Start,
  Starter,
  type StartFailure,
} from "../../../lib/posix/starter.ts";
import { libc } from "../real_libc.ts";
import type { Scratch } from "../scratch.ts";
import { OpenFile } from "./descriptors.ts";

// As a daemon does first of all: whatever the tests were started with.
closeAllOnExec(libc);

/** The starter that all tests share, as a daemon has one. */
export const starter: Starter = new Starter(libc);

/** How to start it, as far as a test cares. */
export type StartOptions = Partial<Omit<PrepareOptions, "argv">> & {
  readonly sharesDescriptors?: boolean;
  /** What is given to this one beside. */
  readonly variables?: readonly string[];
};

/** Waits for a child's end and collects it; the rest of the test stands still. */
export function collectDying(pid: number): number | undefined {
  const status = new Int32Array(1);
  const statusBytes = new Uint8Array(status.buffer);
  const { bytes: usage } = new UsageBuffer();
  const result = libc.c.wait4(pid, statusBytes, 0, usage);
  return result === pid ? status[0] : undefined;
}

/** Begins a start with a connection that is kept until the outcome is known. */
export function begin(
  command: PreparedCommand,
  connection: number,
  { sharesDescriptors = false, variables }: StartOptions = {},
): Start | number {
  let start: Start | number = -1;
  starter.withoutSignals(() => {
    const how = { keepsConnection: true, sharesDescriptors };
    start = command.start(connection, how, variables);
  });
  return start;
}

/** Follows a start to its outcome. */
export function outcome(
  command: PreparedCommand,
  start: Start,
): number | StartFailure {
  for (;;) {
    while (start.slot.isInUse) starter.await(start, 100);
    libc.c.close(start.pidFd);
    if (!start.slot.list.hasFailed) {
      command.finish(start);
      return start.pid;
    }
    collectDying(start.pid);
    let failure: StartFailure | undefined;
    starter.withoutSignals(() => {
      failure = command.goOn(start, false);
    });
    if (failure !== undefined) return failure;
  }
}

/**
 * Tries to start a command whose standard output is the file `output` of the
 * test's folder.
 *
 * @returns The process id, or why there is none.
 */
export function tryToStart(
  scratch: Scratch,
  argv: readonly string[],
  options: StartOptions = {},
): number | string {
  using file = new OpenFile(scratch.file("output"));
  const command = starter.prepare({
    environment: [],
    searchPath: ["/usr/bin", "/bin"],
    identity: undefined,
    argv,
    ...options,
  });
  const start = begin(command, duplicate(libc, file.fd), options);
  if (typeof start === "number") return errorText(libc, start);
  const end = outcome(command, start);
  return typeof end === "number" ? end : end.reason;
}

/** Starts a command and returns its process id. */
export function startCommand(
  scratch: Scratch,
  argv: readonly string[],
  options: StartOptions = {},
): number {
  const pid = tryToStart(scratch, argv, options);
  if (typeof pid === "string") throw new Error(pid);
  return pid;
}

/** Runs a command to its end and returns what it printed. */
export function printed(
  scratch: Scratch,
  argv: readonly string[],
  options: StartOptions = {},
): string {
  const pid = startCommand(scratch, argv, options);
  const word = collectDying(pid);
  const text = Deno.readTextFileSync(scratch.path("output"));
  if (word !== 0) throw new Error(`status word ${word}: ${text}`);
  return text;
}
