/**
 * Who this process is, and who it becomes for a moment.
 *
 * The daemon rests with an unprivileged user's effective ids and keeps real
 * and saved uid 0: the children that it makes take root's ids back by them, and
 * so does it itself for the moment in which it signals a command or removes a
 * socket. Its real uid is never anybody else's, for kill(2) looks at that; and
 * its memory is not dumpable, for its children share it until exec.
 *
 * To change for a moment, the main thread alone uses the raw system calls: the
 * C library's wrappers would change every thread of the process.
 *
 * @module
 */

import { KEEP } from "./call_list.ts";
import { checked, lastError } from "./errno.ts";
import { PR_SET_DUMPABLE } from "./headers.ts";
import type { Libc } from "./libc.ts";

/** A user and a group, as numbers. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

// sys/prctl.h, linux/capability.h
const PR_GET_DUMPABLE = 3;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4n;
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;

// linux/sched/coredump.h, which is the kernel's own.
export const SUID_DUMP_DISABLE = 0;
const SUID_DUMP_USER = 1;

/** Two `struct __user_cap_data_struct`: effective, permitted, inheritable. */
const CAPABILITY_DATA_BYTES = 24;
const EFFECTIVE_OFFSETS = [0, 12];
/** Of the first one, which has all that there is to {@linkcode NEEDED}. */
const PERMITTED_OFFSET = 4;
const INHERITABLE_OFFSETS = [8, 20];

/** What a process needs to become another user, by bit: linux/capability.h. */
const NEEDED = { CAP_SETGID: 6, CAP_SETUID: 7 } as const;

/** Root's user id, and its group's. */
export const ROOT = 0;

/**
 * Gives the ids that this process was started with.
 *
 * @param libc The C library.
 * @returns Real and effective ids.
 */
export function startedAs(
  libc: Libc,
): { real: Identity; effective: Identity } {
  return {
    real: { uid: libc.c.getuid(), gid: libc.c.getgid() },
    effective: { uid: libc.c.geteuid(), gid: libc.c.getegid() },
  };
}

/**
 * Tells which capabilities this process lacks to become another user, as root
 * does in a container that took them away.
 *
 * @param libc The C library.
 * @returns Their names; none where nothing is lacking.
 */
export function missingCapabilities(libc: Libc): string[] {
  const permitted = capabilities(libc).getUint32(PERMITTED_OFFSET, true);
  return Object.entries(NEEDED)
    .filter(([, bit]) => (permitted >> bit & 1) === 0)
    .map(([name]) => name);
}

/**
 * Empties the capability sets that exec would hand on to an unprivileged
 * program, the ambient and the inheritable one: a daemon that a service
 * manager started with either must not pass it to its commands.
 *
 * @param libc The C library.
 * @throws {SystemError} If the kernel refuses.
 */
export function dropInheritableCapabilities(libc: Libc): void {
  // A kernel without ambient capabilities (before 4.3) has none to clear.
  libc.c.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0n, 0n, 0n);
  const data = capabilities(libc);
  const isEmpty = INHERITABLE_OFFSETS.every((at) =>
    data.getUint32(at, true) === 0
  );
  if (isEmpty) return;
  for (const offset of INHERITABLE_OFFSETS) data.setUint32(offset, 0, true);
  const { capset } = libc.abi.systemCalls;
  const bytes = new Uint8Array(data.buffer);
  const result = libc.c.syscall_buffers(capset, capabilityHeader(), bytes);
  checked(libc, "capset", result);
}

/** The sets of the main thread. */
function capabilities(libc: Libc): DataView<ArrayBuffer> {
  const data = new Uint8Array(CAPABILITY_DATA_BYTES);
  const { capget } = libc.abi.systemCalls;
  const result = libc.c.syscall_buffers(capget, capabilityHeader(), data);
  checked(libc, "capget", result);
  return new DataView(data.buffer);
}

/** A `struct __user_cap_header_struct`; 0 is the thread that calls. */
function capabilityHeader(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    new Uint32Array([LINUX_CAPABILITY_VERSION_3, 0]).buffer,
  );
}

/** What the process may do as somebody else, while it is a nobody itself. */
export interface Credentials {
  /** Whether a child can become another user. */
  readonly canBecome: boolean;
  /**
   * Runs `action` with the user's rights to signal: effective ids alone, so
   * that the user cannot signal the daemon meanwhile.
   *
   * @param sender The user whose processes are to be signalled.
   * @param action What to do; it must not await.
   * @returns Its result.
   */
  asSender<T>(sender: Pick<Identity, "uid">, action: () => T): T;
  /**
   * Runs `action` with root's effective ids.
   *
   * @param action What to do; it must not await.
   * @returns Its result.
   */
  asRoot<T>(action: () => T): T;
}

/**
 * What is called where the daemon's own identity could not be taken again. It
 * has to end the process: nothing that is thrown would do that for certain.
 */
export type IdentityLost = (error: unknown) => never;

/** Whom the daemon rests as. */
export interface RestOptions {
  /** Whose effective ids it has from now on. */
  readonly owner: Identity;
  readonly lost: IdentityLost;
}

/** Why a process cannot keep its power to itself. */
export interface Unsafe {
  readonly unsafe: string;
  readonly mend: string;
}

/**
 * Lock 3: gives root's effective ids away, for every thread of the process,
 * closes its memory to everybody, and returns the way to take an identity for
 * a moment.
 *
 * @param libc The C library.
 * @param options Whom the daemon rests as.
 * @returns The credentials to come back by; or what would leave a way in.
 * @throws {SystemError} If the kernel refuses.
 */
export function restAs(
  libc: Libc,
  { owner, lost }: RestOptions,
): Credentials | Unsafe {
  const { c } = libc;
  checked(libc, "setgroups", c.setgroups(1n, groupList(owner.gid)));
  checked(libc, "setegid", c.setegid(owner.gid));
  checked(libc, "seteuid", c.seteuid(owner.uid));
  const unsafe = wayIn(libc);
  if (unsafe !== undefined) {
    // Root's again, to remove what was made.
    checked(libc, "seteuid", c.seteuid(ROOT));
    return unsafe;
  }
  closeMemory(libc);
  return new RootCredentials(libc, { owner, lost });
}

/**
 * Looks whether {@linkcode restAs} would find a way in, and comes back: on the
 * main thread alone.
 *
 * @param libc The C library.
 * @param owner Whose effective ids the daemon would have.
 * @returns What would leave a way in, if anything does.
 * @throws {SystemError} If the kernel refuses.
 */
export function tryToRestAs(libc: Libc, owner: Identity): Unsafe | undefined {
  const { c, abi: { systemCalls: { setresuid } } } = libc;
  checked(libc, "setresuid", c.syscall(setresuid, KEEP, owner.uid, KEEP));
  const unsafe = wayIn(libc);
  checked(libc, "setresuid", c.syscall(setresuid, KEEP, ROOT, KEEP));
  return unsafe;
}

/** What a change of the effective user id has left open. */
function wayIn(libc: Libc): Unsafe | undefined {
  const sets = capabilities(libc);
  if (EFFECTIVE_OFFSETS.some((at) => sets.getUint32(at, true) !== 0)) {
    return {
      unsafe: "capabilities outlast a change of user id here",
      mend: "start without the securebit no-setuid-fixup",
    };
  }
  // The change has set it to what it will be in each child, for the moment
  // between that one's change and its next call.
  const dumpable = libc.c.prctl(PR_GET_DUMPABLE, 0n, 0n, 0n, 0n);
  if (dumpable === SUID_DUMP_USER) {
    return {
      unsafe: "sysctl fs.suid_dumpable is 1: a command's user could read the " +
        "daemon's memory",
      mend: "set it to 0 or 2",
    };
  }
  return undefined;
}

/**
 * Makes a process one that cannot be traced and leaves no core: not dumpable,
 * prctl(2). Each change of ids takes it back.
 *
 * @param libc The C library.
 */
export function closeMemory({ c }: Libc): void {
  c.prctl(PR_SET_DUMPABLE, BigInt(SUID_DUMP_DISABLE), 0n, 0n, 0n);
}

/**
 * The credentials of a daemon that was not started by root: it has one
 * identity, its commands have the same, and there is nothing to change.
 *
 * @returns Credentials that run every action as they are.
 */
export function unchangingCredentials(): Credentials {
  return {
    canBecome: false,
    asSender: (_sender, action) => action(),
    asRoot: (action) => action(),
  };
}

class RootCredentials implements Credentials {
  readonly canBecome = true;
  readonly #libc: Libc;
  readonly #owner: Identity;
  readonly #lost: IdentityLost;

  constructor(libc: Libc, { owner, lost }: RestOptions) {
    this.#libc = libc;
    this.#owner = owner;
    this.#lost = lost;
  }

  asSender<T>({ uid }: Pick<Identity, "uid">, action: () => T): T {
    try {
      this.#setUids(KEEP, ROOT, KEEP);
      this.#setUids(KEEP, uid, KEEP);
      return action();
    } finally {
      this.#comeBack();
    }
  }

  asRoot<T>(action: () => T): T {
    try {
      this.#setUids(KEEP, ROOT, KEEP);
      return action();
    } finally {
      this.#comeBack();
    }
  }

  #comeBack(): void {
    try {
      // Nobody but root may take an id that is none of its own.
      this.#setUids(KEEP, ROOT, KEEP);
      this.#setUids(KEEP, this.#owner.uid, KEEP);
      closeMemory(this.#libc);
    } catch (error) {
      this.#lost(error);
    }
  }

  #setUids(real: number, effective: number, saved: number): void {
    const { c, abi } = this.#libc;
    const call = abi.systemCalls.setresuid;
    if (c.syscall(call, real, effective, saved) !== 0) {
      throw lastError(this.#libc, "setresuid");
    }
  }
}

/** An array of one `gid_t`. */
function groupList(gid: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array([gid]).buffer);
}
