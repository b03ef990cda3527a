/**
 * Trying what a service asks for, before anybody connects: a child makes all
 * the calls that a command's process would make but the last one, and ends. So
 * what the kernel, a container or a limit does not allow is known at start, with
 * the very words that it would have for each connection.
 *
 * @module
 */

import { inCMemory, stringInCMemory } from "../c_memory.ts";
import type { Call } from "../call_list.ts";
import { Cloner, Slot } from "../clone.ts";
import { commandCalls } from "../command_calls.ts";
import type { Identity } from "../credentials.ts";
import { checked, errorText, SystemError } from "../errno.ts";
import { lookThrough } from "../files.ts";
import { O_CLOEXEC, O_RDWR } from "../headers.ts";
import { cString, type Libc } from "../libc.ts";
import { Children } from "../process.ts";
import { KERNEL_SIGACTION_BYTES, SIGKILL } from "../signals.ts";
import {
  type OpenedSurroundings,
  openSurroundings,
  surroundingCalls,
} from "./calls.ts";
import type { Surroundings } from "./surroundings.ts";

/** How long the child may take: the user's directory may not answer. */
const REHEARSAL_MS = 3000;
const LOOK_MS = 100;

/** What a command's process would be. */
export interface RehearsalOptions {
  /** Whose process it becomes; `undefined` where it stays the daemon's user. */
  readonly identity: Identity | undefined;
  readonly rootDirectory: string | undefined;
  readonly surroundings: Surroundings;
}

/** Why something that is asked for is not to be had. */
export interface NotToBeHad {
  readonly about: keyof Surroundings | undefined;
  /** In the system's words. */
  readonly reason: string;
}

/**
 * Tries what is asked for. To be called with root's effective ids, where a
 * command is to become another user.
 *
 * @param libc The C library.
 * @param options What a command's process would be.
 * @returns Why it cannot be; `undefined` if it can.
 */
export function rehearse(
  libc: Libc,
  options: RehearsalOptions,
): NotToBeHad | undefined {
  const missing = options.surroundings.landlock?.find(({ path }) =>
    lookThrough(libc, path) === undefined
  );
  if (missing !== undefined) {
    return { about: "landlock", reason: `no such path: ${missing.path}` };
  }
  const descriptors: number[] = [];
  try {
    const opened = openEach(libc, options.surroundings, descriptors);
    if ("reason" in opened) return opened;
    return inChild(libc, listOf(libc, options, opened), descriptors);
  } finally {
    for (const fd of descriptors) libc.c.close(fd);
  }
}

/** Each by itself, so that it is known which of them is not to be had. */
function openEach(
  libc: Libc,
  { privateNetwork, landlock }: Surroundings,
  descriptors: number[],
): OpenedSurroundings | NotToBeHad {
  let opened: OpenedSurroundings = {
    network: undefined,
    ruleset: undefined,
    errorOutput: undefined,
  };
  for (
    const [about, asked] of [
      ["privateNetwork", { privateNetwork }],
      ["landlock", { landlock }],
    ] as const
  ) {
    try {
      const { network, ruleset } = openSurroundings(libc, asked);
      const found = [network, ruleset].filter((fd) => fd !== undefined);
      descriptors.push(...found);
      opened = {
        ...opened,
        network: network ?? opened.network,
        ruleset: ruleset ?? opened.ruleset,
      };
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return { about, reason: error.message };
    }
  }
  return opened;
}

/** The calls, with an end in place of exec. */
function listOf(
  libc: Libc,
  { identity, rootDirectory, surroundings }: RehearsalOptions,
  opened: OpenedSurroundings,
): { calls: Call[]; connectionRows: readonly number[]; aboveRow: number } {
  const groups = surroundings.groups ?? [identity?.gid ?? 0];
  const root = rootDirectory === undefined ? undefined : {
    address: stringInCMemory(libc, rootDirectory),
    path: rootDirectory,
  };
  const { calls, ...rows } = commandCalls({
    identity,
    signals: [],
    addresses: {
      zeroes: inCMemory(libc, new Uint8Array(KERNEL_SIGACTION_BYTES)),
      groups: inCMemory(libc, new Uint8Array(new Uint32Array(groups).buffer)),
      slash: stringInCMemory(libc, "/"),
      root,
    },
    groupCount: groups.length,
    errorFd: undefined,
    surroundings: surroundingCalls(libc, surroundings, opened),
  });
  return {
    ...rows,
    calls: [...calls.slice(0, -1), { call: "exit", args: [0] }],
  };
}

function inChild(
  libc: Libc,
  { calls, connectionRows, aboveRow }: ReturnType<typeof listOf>,
  descriptors: number[],
): NotToBeHad | undefined {
  const { c } = libc;
  const nothing = c.open(cString("/dev/null"), O_RDWR | O_CLOEXEC, 0);
  descriptors.push(checked(libc, "open /dev/null", nothing));
  const cloner = new Cloner(libc);
  const slot = new Slot(libc, calls);
  for (const row of connectionRows) slot.list.setDescriptor(row, 0, nothing);
  slot.list.setDescriptor(aboveRow, 0, nothing + 1);
  let pid = -1;
  cloner.withoutSignals(() => {
    pid = cloner.clone(slot, false);
  });
  if (pid < 0) return { about: undefined, reason: errorText(libc, -pid) };
  descriptors.push(cloner.pidFd);
  const endMs = performance.now() + REHEARSAL_MS;
  while (slot.isInUse && performance.now() < endMs) cloner.await(slot, LOOK_MS);
  const isLate = slot.isInUse;
  const children = new Children(libc);
  if (isLate) children.signal(pid, SIGKILL);
  while (slot.isInUse) cloner.await(slot, LOOK_MS);
  // It has left this memory by its end.
  children.awaitEnd(pid);
  if (isLate) return { about: "directory", reason: "it does not answer" };
  if (!slot.list.hasFailed) return undefined;
  const { code, call } = slot.list.takeFailure(libc);
  const what = call?.what ?? call?.call ?? "";
  return { about: call?.about, reason: `${what}: ${errorText(libc, code)}` };
}
