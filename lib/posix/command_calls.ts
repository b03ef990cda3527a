/**
 * What a command's process does before it is the command, call by call.
 *
 * The order is security. Everything happens as root first, and descriptors go
 * among it: by the time that the user can reach the process, it holds no
 * listening socket and nobody else's connection. The ids come next, signals
 * and execve(2) last. Between the ids and exec the user may stop or end it, and
 * that is all: it shares the daemon's memory, which is not dumpable.
 *
 * @module
 */

import { type Call, KEEP } from "./call_list.ts";
import { type Identity, SUID_DUMP_DISABLE } from "./credentials.ts";
import { PR_SET_DUMPABLE, SIG_SETMASK } from "./headers.ts";
import { FIRST_FD_OF_OURS, LAST_FD } from "./process.ts";
import { KERNEL_SIGSET_BYTES } from "./signals.ts";
import type { SurroundingCalls } from "./surroundings/calls.ts";
import { STDERR_FILENO } from "./surroundings/error_output.ts";

// linux/close_range.h
const CLOSE_RANGE_UNSHARE = 2;

/** Addresses of what the calls refer to, in C memory. */
export interface CallAddresses {
  /** Zeroes, enough for a `struct sigaction` of the kernel's. */
  readonly zeroes: bigint;
  /** An array of `gid_t`, the command's supplementary groups. */
  readonly groups: bigint;
  /** The new root directory, with its path for messages, where there is one. */
  readonly root?:
    | { readonly address: bigint; readonly path: string }
    | undefined;
  /** The string "/". */
  readonly slash: bigint;
}

/** What there is to say about a command's process. */
export interface CommandCallsOptions {
  /** Whose process it becomes; `undefined` where it stays the daemon's user. */
  readonly identity: Identity | undefined;
  /** The signals whose dispositions are not the defaults. */
  readonly signals: readonly number[];
  readonly addresses: CallAddresses;
  /** How many supplementary groups there are. */
  readonly groupCount: number;
  /** What becomes standard error, where that is not the connection. */
  readonly errorFd: number | undefined;
  /** What the service asks for beside. */
  readonly surroundings: SurroundingCalls;
}

/** The calls, and the places of those that differ from start to start. */
export interface CommandCalls {
  readonly calls: readonly Call[];
  /** Those that put the connection on 0, 1 and 2: the first argument. */
  readonly connectionRows: readonly number[];
  /** The one that closes what is above the connection: the first argument. */
  readonly aboveRow: number;
  /** The last one: the path, the argument vector, the environment's vector. */
  readonly execRow: number;
}

/**
 * Writes the calls down.
 *
 * @param options What is to be said.
 * @returns The calls, with zeroes where {@linkcode CommandCalls} names rows.
 */
export function commandCalls(
  { identity, signals, addresses, groupCount, errorFd, surroundings }:
    CommandCallsOptions,
): CommandCalls {
  const calls: Call[] = [];
  const add = (...more: Call[]): number => calls.push(...more) - 1;
  // With root's effective id the permitted capabilities become effective.
  if (identity !== undefined) add({ call: "setresuid", args: [KEEP, 0, KEEP] });
  add(...surroundings.first);
  // From here on a table of its own, where it was shared, with what is below.
  const aboveRow = add({
    call: "close_range",
    args: [0, LAST_FD, CLOSE_RANGE_UNSHARE],
  });
  add({ call: "setsid", args: [] });
  const targets = errorFd === undefined ? [0, 1, 2] : [0, 1];
  const connectionRows = targets.map((target) =>
    add({ call: "dup3", args: [0, target, 0] })
  );
  if (errorFd !== undefined && errorFd !== STDERR_FILENO) {
    add({ call: "dup3", args: [errorFd, STDERR_FILENO, 0] });
  }
  add({ call: "close_range", args: [FIRST_FD_OF_OURS, LAST_FD, 0] });
  add(...surroundings.asRoot, ...rootDirectoryCalls(addresses));
  if (identity !== undefined) {
    const { uid, gid } = identity;
    add(
      { call: "setgroups", args: [groupCount, addresses.groups] },
      { call: "setresgid", args: [gid, gid, gid] },
      ...surroundings.lastAsRoot,
      { call: "setresuid", args: [uid, uid, uid] },
      // The change has set it to fs.suid_dumpable. Where that is 2, a core dump
      // would end every process that shares this memory (Linux before 5.16).
      { call: "prctl", args: [PR_SET_DUMPABLE, SUID_DUMP_DISABLE] },
    );
  } else add(...surroundings.lastAsRoot);
  add(...surroundings.asUser);
  const { zeroes } = addresses;
  for (const signal of signals) {
    add({
      call: "rt_sigaction",
      args: [signal, zeroes, 0, KERNEL_SIGSET_BYTES],
    });
  }
  add({
    call: "rt_sigprocmask",
    args: [SIG_SETMASK, zeroes, 0, KERNEL_SIGSET_BYTES],
  });
  const execRow = add({
    call: "execve",
    args: [0, 0, 0],
    what: "",
  });
  return { calls, connectionRows, aboveRow, execRow };
}

function rootDirectoryCalls({ root, slash }: CallAddresses): Call[] {
  if (root === undefined) return [];
  return [
    { call: "chroot", args: [root.address], what: `chroot ${root.path}` },
    { call: "chdir", args: [slash], what: "chdir /" },
  ];
}
