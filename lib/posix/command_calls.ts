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
import { PR_SET_DUMPABLE, RLIMIT_NOFILE, SIG_SETMASK } from "./headers.ts";
import { FIRST_FD_OF_OURS, LAST_FD } from "./process.ts";
import { KERNEL_SIGSET_BYTES } from "./signals.ts";

// linux/close_range.h
const CLOSE_RANGE_UNSHARE = 2;

/** Addresses of what the calls refer to, in C memory. */
export interface CallAddresses {
  /** Zeroes, enough for a `struct sigaction` of the kernel's. */
  readonly zeroes: bigint;
  /** An array of one `gid_t`, the command's group. */
  readonly group: bigint;
  /** The new root directory, with its path for messages, where there is one. */
  readonly root?:
    | { readonly address: bigint; readonly path: string }
    | undefined;
  /** The string "/". */
  readonly slash: bigint;
  /** A `struct rlimit` for RLIMIT_NOFILE, where it is to be another. */
  readonly descriptorLimit?: bigint | undefined;
}

/** What there is to say about a command's process. */
export interface CommandCallsOptions {
  /** Whose process it becomes; `undefined` where it stays the daemon's user. */
  readonly identity: Identity | undefined;
  /** The signals whose dispositions are not the defaults. */
  readonly signals: readonly number[];
  readonly addresses: CallAddresses;
}

/** The calls, and the places of those that differ from start to start. */
export interface CommandCalls {
  readonly calls: readonly Call[];
  /** Those that put the connection on 0, 1 and 2: the first argument. */
  readonly connectionRows: readonly number[];
  /** The one that closes what is above the connection: the first argument. */
  readonly aboveRow: number;
  /** The last one: the path, the arguments' vector, the environment's vector. */
  readonly execRow: number;
}

/**
 * Writes the calls down.
 *
 * @param options What is to be said.
 * @returns The calls, with zeroes where {@linkcode CommandCalls} names rows.
 */
export function commandCalls(
  { identity, signals, addresses }: CommandCallsOptions,
): CommandCalls {
  const calls: Call[] = [];
  const add = (...more: Call[]): number => calls.push(...more) - 1;
  // With root's effective id the permitted capabilities become effective.
  if (identity !== undefined) add({ call: "setresuid", args: [KEEP, 0, KEEP] });
  // From here on a table of its own, where it was shared, with what is below.
  const aboveRow = add({
    call: "close_range",
    args: [0, LAST_FD, CLOSE_RANGE_UNSHARE],
  });
  add({ call: "setsid", args: [] });
  const connectionRows = [0, 1, 2].map((target) =>
    add({ call: "dup3", args: [0, target, 0] })
  );
  add({ call: "close_range", args: [FIRST_FD_OF_OURS, LAST_FD, 0] });
  add(...surroundings(addresses));
  if (identity !== undefined) {
    const { uid, gid } = identity;
    add(
      { call: "setgroups", args: [1, addresses.group] },
      { call: "setresgid", args: [gid, gid, gid] },
      { call: "setresuid", args: [uid, uid, uid] },
      // The change has set it to fs.suid_dumpable. Where that is 2, a core dump
      // would end every process that shares this memory (Linux before 5.16).
      { call: "prctl", args: [PR_SET_DUMPABLE, SUID_DUMP_DISABLE] },
    );
  }
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

function surroundings(
  { root, slash, descriptorLimit }: CallAddresses,
): Call[] {
  const calls: Call[] = [];
  if (descriptorLimit !== undefined) {
    calls.push({
      call: "prlimit64",
      args: [0, RLIMIT_NOFILE, descriptorLimit, 0],
    });
  }
  if (root !== undefined) {
    calls.push(
      { call: "chroot", args: [root.address], what: `chroot ${root.path}` },
      { call: "chdir", args: [slash], what: "chdir /" },
    );
  }
  return calls;
}
