/**
 * Starting this program anew, as root and in the same session, in a process
 * of its own: by a call list, as commands are.
 *
 * @module
 */

import { inCMemory, stringInCMemory, vectorInCMemory } from "./c_memory.ts";
import { type Call, KEEP } from "./call_list.ts";
import { Cloner, Slot } from "./clone.ts";
import { ROOT } from "./credentials.ts";
import { errorText } from "./errno.ts";
import { F_SETFD, SIG_SETMASK } from "./headers.ts";
import type { Libc } from "./libc.ts";
import {
  KERNEL_SIGACTION_BYTES,
  KERNEL_SIGSET_BYTES,
  signalsSetAside,
} from "./signals.ts";

/** What a program is started with. */
export interface ProgramOptions {
  /** The program's file. */
  readonly path: string;
  readonly argv: readonly (string | Uint8Array)[];
  readonly environment: readonly (string | Uint8Array)[];
  /** Where it starts, as relative paths among its arguments are meant. */
  readonly directoryFd: number;
  /**
   * The descriptors that it inherits beside 0, 1, 2, and their numbers there.
   * None may have the number of one that comes later in the list.
   */
  readonly fds: readonly { readonly fd: number; readonly as: number }[];
  /** Whether it is to have root's ids, which this process has given away. */
  readonly asRoot: boolean;
}

/** A program that was started. */
export interface StartedProgram {
  readonly pid: number;
  /** Becomes readable when it ends; closed on exec. */
  readonly pidFd: number;
  /**
   * Tells why it is not the program: to be asked when it has ended.
   *
   * @returns The reason; `undefined` if it was the program.
   */
  failure(): string | undefined;
}

/**
 * Starts a program. Whether it runs is known by its end, or by what it says.
 *
 * @param libc The C library.
 * @param options What to start.
 * @returns The program; or the negated error number.
 * @throws {SystemError} If there is no memory.
 */
export function startProgram(
  libc: Libc,
  options: ProgramOptions,
): StartedProgram | number {
  const cloner = new Cloner(libc);
  const slot = new Slot(libc, programCalls(libc, options));
  let pid = -1;
  cloner.withoutSignals(() => {
    pid = cloner.clone(slot, false);
  });
  if (pid < 0) return pid;
  return {
    pid,
    pidFd: cloner.pidFd,
    failure(): string | undefined {
      if (!slot.list.hasFailed) return undefined;
      const { code, call } = slot.list.takeFailure(libc);
      const what = call?.what ?? call?.call ?? "";
      const text = errorText(libc, code);
      return what === "" ? text : `${what}: ${text}`;
    },
  };
}

function programCalls(libc: Libc, options: ProgramOptions): Call[] {
  const { path, directoryFd, fds, asRoot } = options;
  const zeroes = inCMemory(libc, new Uint8Array(KERNEL_SIGACTION_BYTES));
  const calls: Call[] = [];
  if (asRoot) calls.push({ call: "setresuid", args: [KEEP, ROOT, KEEP] });
  for (const { fd, as } of fds) {
    // Onto itself, that only takes the close-on-exec flag away.
    calls.push(
      fd === as
        ? { call: "fcntl", args: [fd, F_SETFD, 0] }
        : { call: "dup3", args: [fd, as, 0] },
    );
  }
  calls.push({ call: "fchdir", args: [directoryFd] });
  if (asRoot) {
    calls.push(
      { call: "setgroups", args: [1, zeroes] },
      { call: "setresgid", args: [ROOT, ROOT, ROOT] },
      { call: "setresuid", args: [ROOT, ROOT, ROOT] },
    );
  }
  for (const signal of signalsSetAside(libc)) {
    calls.push({
      call: "rt_sigaction",
      args: [signal, zeroes, 0, KERNEL_SIGSET_BYTES],
    });
  }
  calls.push(
    {
      call: "rt_sigprocmask",
      args: [SIG_SETMASK, zeroes, 0, KERNEL_SIGSET_BYTES],
    },
    {
      call: "execve",
      args: [
        stringInCMemory(libc, path),
        vectorInCMemory(libc, options.argv),
        vectorInCMemory(libc, options.environment),
      ],
      what: "",
    },
  );
  return calls;
}
