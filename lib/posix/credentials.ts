/**
 * Who this process is, and who it becomes for a moment.
 *
 * The daemon rests with an unprivileged user's effective ids and keeps real
 * and saved uid 0 to come back by. To start a command, the main thread alone
 * becomes the command's user through the raw system calls: the C library's
 * wrappers would change every thread of the process.
 *
 * The saved uid stays 0 until exec, and not only to come back by. posix_spawn
 * shares the daemon's memory with the child until exec, and ptrace(2) asks for
 * all three uids to match: with a saved uid of 0 no process of the command's
 * user can attach to either side.
 *
 * One thing is left, and is stated in README's security model: kill(2) looks
 * at the real uid, so while a command is being started, another process of the
 * command's own user may signal the daemon. posix_spawn(3) offers no way around
 * it.
 *
 * @module
 */

import { checked, lastError } from "./errno.ts";
import type { Libc } from "./libc.ts";

/** A user and a group, as numbers. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

// sys/prctl.h, linux/capability.h
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4n;
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
/** Two `struct __user_cap_data_struct`: effective, permitted, inheritable. */
const CAPABILITY_DATA_BYTES = 24;
const INHERITABLE_OFFSETS = [8, 20];

/** The -1 of setresuid(2) and setresgid(2), which leaves an id as it is. */
const KEEP = 0xffffffff;
const ROOT = 0;

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
  const header = new Uint8Array(
    new Uint32Array([LINUX_CAPABILITY_VERSION_3, 0]).buffer,
  );
  const data = new Uint8Array(CAPABILITY_DATA_BYTES);
  const { capget, capset } = libc.abi.systemCalls;
  checked(libc, "capget", libc.c.syscall_buffers(capget, header, data));
  const view = new DataView(data.buffer);
  for (const offset of INHERITABLE_OFFSETS) view.setUint32(offset, 0, true);
  checked(libc, "capset", libc.c.syscall_buffers(capset, header, data));
}

/** What the process may do as somebody else, while it is a nobody itself. */
export interface Credentials {
  /**
   * Runs `action` on this thread as the command's user, group and nothing
   * else, as a child that is made in it will be.
   *
   * @param identity The command's user and group.
   * @param action What to do; it must not await.
   * @returns Its result.
   * @throws {SystemError} If the kernel refuses the change; nothing was run.
   */
  asCommand<T>(identity: Identity, action: () => T): T;
  /**
   * Runs `action` with the user's rights to signal: effective ids alone, so
   * that the user cannot signal the daemon meanwhile.
   *
   * @param identity The user whose processes are to be signalled.
   * @param action What to do; it must not await.
   * @returns Its result.
   */
  asSender<T>(identity: Identity, action: () => T): T;
  /**
   * Runs `action` with root's effective ids.
   *
   * @param action What to do; it must not await.
   * @returns Its result.
   */
  asRoot<T>(action: () => T): T;
}

/**
 * Lock 3: gives root's effective ids away, for every thread of the process,
 * and returns the way to take an identity for a moment.
 *
 * @param libc The C library.
 * @param owner Whose effective ids the daemon has from now on.
 * @returns The credentials to come back by.
 * @throws {SystemError} If the kernel refuses.
 */
export function restAs(libc: Libc, owner: Identity): Credentials {
  const { c } = libc;
  checked(libc, "setgroups", c.setgroups(1n, groupList(owner.gid)));
  checked(libc, "setegid", c.setegid(owner.gid));
  checked(libc, "seteuid", c.seteuid(owner.uid));
  return new RootCredentials(libc, owner);
}

/**
 * The credentials of a daemon that was not started by root: it has one
 * identity, its commands have the same, and there is nothing to change.
 *
 * @returns Credentials that run every action as they are.
 */
export function unchangingCredentials(): Credentials {
  return {
    asCommand: (_identity, action) => action(),
    asSender: (_identity, action) => action(),
    asRoot: (action) => action(),
  };
}

class RootCredentials implements Credentials {
  readonly #libc: Libc;
  readonly #owner: Identity;
  readonly #ownerGroups: Uint8Array<ArrayBuffer>;
  /** Group lists by group id: a few services, so a few entries. */
  readonly #groups = new Map<number, Uint8Array<ArrayBuffer>>();

  constructor(libc: Libc, owner: Identity) {
    this.#libc = libc;
    this.#owner = owner;
    this.#ownerGroups = groupList(owner.gid);
  }

  asCommand<T>(identity: Identity, action: () => T): T {
    const { uid, gid } = identity;
    try {
      this.#setUids(KEEP, ROOT, KEEP);
      this.#setGroups(this.#groupsOf(gid));
      this.#setGids(gid, gid, gid);
      this.#setUids(uid, uid, ROOT);
      return action();
    } finally {
      this.#comeBack();
    }
  }

  asSender<T>(identity: Identity, action: () => T): T {
    try {
      this.#setUids(KEEP, ROOT, KEEP);
      this.#setUids(KEEP, identity.uid, KEEP);
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

  /** Real uid first: from then on the command's user cannot signal us. */
  #comeBack(): void {
    try {
      this.#setUids(ROOT, ROOT, ROOT);
      this.#setGids(ROOT, this.#owner.gid, ROOT);
      this.#setGroups(this.#ownerGroups);
      this.#setUids(ROOT, this.#owner.uid, ROOT);
    } catch (error) {
      // A daemon of unknown identity must not go on for one more connection.
      console.error(`spawnd: panic: ${String(error)}`);
      Deno.exit(71);
    }
  }

  #groupsOf(gid: number): Uint8Array<ArrayBuffer> {
    let groups = this.#groups.get(gid);
    if (groups === undefined) {
      groups = groupList(gid);
      this.#groups.set(gid, groups);
    }
    return groups;
  }

  #setUids(real: number, effective: number, saved: number): void {
    const { c, abi } = this.#libc;
    const call = abi.systemCalls.setresuid;
    if (c.syscall(call, real, effective, saved) !== 0) {
      throw lastError(this.#libc, "setresuid");
    }
  }

  #setGids(real: number, effective: number, saved: number): void {
    const { c, abi } = this.#libc;
    const call = abi.systemCalls.setresgid;
    if (c.syscall(call, real, effective, saved) !== 0) {
      throw lastError(this.#libc, "setresgid");
    }
  }

  #setGroups(groups: Uint8Array<ArrayBuffer>): void {
    const { c, abi } = this.#libc;
    const call = abi.systemCalls.setgroups;
    if (c.syscall_buffer(call, 1, groups) !== 0) {
      throw lastError(this.#libc, "setgroups");
    }
  }
}

/** An array of one `gid_t`. */
function groupList(gid: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array([gid]).buffer);
}
