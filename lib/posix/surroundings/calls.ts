/**
 * The calls by which a command's process takes what its service asks for
 * beside its user, and where among the others they stand.
 *
 * What needs a descriptor of the daemon's comes first of all, before the
 * descriptors go. Whatever slows a process down or limits it comes as the last
 * thing that root does: before that it could keep the daemon's memory, which it
 * shares until exec, or fail a call of ours. The directory is entered as the
 * user, who must not come to be where he could not go.
 *
 * @module
 */

import { inCMemory, stringInCMemory } from "../c_memory.ts";
import type { Call } from "../call_list.ts";
import type { Libc } from "../libc.ts";
import { openErrorOutput } from "./error_output.ts";
import { landlockRuleset } from "./landlock.ts";
import { CLONE_NEWNET, makePrivateNetwork } from "./private_network.ts";
import {
  IO_CLASSES,
  type LimitValue,
  type ResourceLimit,
  RESOURCES,
  type Surroundings,
} from "./surroundings.ts";

// sys/prctl.h, bits/resource.h, linux/ioprio.h
const PR_SET_NO_NEW_PRIVS = 38;
const RLIM_INFINITY = 2n ** 64n - 1n;
const PRIO_PROCESS = 0;
const IOPRIO_WHO_PROCESS = 1;
const IOPRIO_CLASS_SHIFT = 13;

const THIS_PROCESS = 0;
const BITS_PER_BYTE = 8;
/** A set of processors is made of whole words. */
const CPU_WORD_BYTES = 8;

/** What is kept open for commands to take. */
export interface OpenedSurroundings {
  readonly network: number | undefined;
  readonly ruleset: number | undefined;
  /** The daemon's standard error. */
  readonly errorOutput: number | undefined;
}

/**
 * Makes what commands are to take. To be called with root's effective ids.
 *
 * @param libc The C library.
 * @param surroundings What is asked for.
 * @returns Their descriptors.
 * @throws {SystemError} If the kernel does not have it.
 */
export function openSurroundings(
  libc: Libc,
  { privateNetwork, landlock, standardError }: Surroundings,
): OpenedSurroundings {
  return {
    network: privateNetwork ? makePrivateNetwork(libc) : undefined,
    ruleset: landlock && landlockRuleset(libc, landlock),
    errorOutput: standardError === "inherit"
      ? openErrorOutput(libc)
      : undefined,
  };
}

/** The calls, by their place among the others. */
export interface SurroundingCalls {
  /** While the daemon's descriptors are there. */
  readonly first: readonly Call[];
  /** As root, before the new root directory. */
  readonly asRoot: readonly Call[];
  /** The last that root does. */
  readonly lastAsRoot: readonly Call[];
  /** As the user, before exec. */
  readonly asUser: readonly Call[];
}

/**
 * Writes the calls down.
 *
 * @param libc The C library.
 * @param surroundings What is asked for.
 * @param opened What was opened for it.
 * @returns The calls.
 */
export function surroundingCalls(
  libc: Libc,
  surroundings: Surroundings,
  opened: OpenedSurroundings,
): SurroundingCalls {
  const { umask, directory, limits = [] } = surroundings;
  return {
    first: sandboxCalls(surroundings, opened),
    asRoot: umask === undefined
      ? []
      : [{ call: "umask", args: [umask], about: "umask" }],
    lastAsRoot: [
      ...schedulingCalls(libc, surroundings),
      ...limits.map((limit) => limitCall(libc, limit)),
    ],
    asUser: directory === undefined ? [] : [{
      call: "chdir",
      args: [stringInCMemory(libc, directory)],
      what: `chdir ${directory}`,
      about: "directory",
    }],
  };
}

function sandboxCalls(
  { noNewPrivileges, landlock }: Surroundings,
  { network, ruleset }: OpenedSurroundings,
): Call[] {
  const calls: Call[] = [];
  if (network !== undefined) {
    calls.push({
      call: "setns",
      args: [network, CLONE_NEWNET],
      about: "privateNetwork",
    });
  }
  if (noNewPrivileges || landlock !== undefined) {
    calls.push({
      call: "prctl",
      args: [PR_SET_NO_NEW_PRIVS, 1],
      what: "no_new_privs",
      about: "noNewPrivileges",
    });
  }
  if (ruleset !== undefined) {
    calls.push({
      call: "landlock_restrict_self",
      args: [ruleset, 0],
      about: "landlock",
    });
  }
  return calls;
}

function schedulingCalls(
  libc: Libc,
  { nice, ioPriority, cpus }: Surroundings,
): Call[] {
  const calls: Call[] = [];
  if (ioPriority !== undefined) {
    const { class: name, level } = ioPriority;
    const value = IO_CLASSES[name] << IOPRIO_CLASS_SHIFT | level;
    calls.push({
      call: "ioprio_set",
      args: [IOPRIO_WHO_PROCESS, THIS_PROCESS, value],
      about: "ioPriority",
    });
  }
  if (cpus !== undefined) {
    const set = cpuSet(cpus);
    calls.push({
      call: "sched_setaffinity",
      args: [THIS_PROCESS, set.length, inCMemory(libc, set)],
      about: "cpus",
    });
  }
  if (nice !== undefined) {
    calls.push({
      call: "setpriority",
      // A register has 64 bits; the kernel takes an int.
      args: [PRIO_PROCESS, THIS_PROCESS, BigInt.asUintN(64, BigInt(nice))],
      about: "nice",
    });
  }
  return calls;
}

function cpuSet(cpus: readonly number[]): Uint8Array<ArrayBuffer> {
  const words = Math.floor(Math.max(...cpus) / BITS_PER_BYTE / CPU_WORD_BYTES);
  const set = new Uint8Array((words + 1) * CPU_WORD_BYTES);
  for (const cpu of cpus) {
    const at = Math.floor(cpu / BITS_PER_BYTE);
    set[at] = (set[at] ?? 0) | 1 << cpu % BITS_PER_BYTE;
  }
  return set;
}

function limitCall(
  libc: Libc,
  { resource, soft, hard }: ResourceLimit,
): Call {
  const limits = new BigUint64Array([limitWord(soft), limitWord(hard)]);
  const address = inCMemory(libc, new Uint8Array(limits.buffer));
  return {
    call: "prlimit64",
    args: [THIS_PROCESS, RESOURCES[resource], address, 0],
    what: `limit ${resource}`,
    about: "limits",
  };
}

function limitWord(value: LimitValue): bigint {
  return value === "infinity" ? RLIM_INFINITY : BigInt(value);
}
