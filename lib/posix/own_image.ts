/**
 * Executing another program, or another edition of this one, in this very
 * process: execve(2). Whatever fails before the new program runs is undone,
 * and this one goes on as if nothing had been tried.
 *
 * @module
 */

import { vectorOf } from "./c_memory.ts";
import { KEEP } from "./call_list.ts";
import {
  closeMemory,
  type Identity,
  type IdentityLost,
  ROOT,
} from "./credentials.ts";
import { checked, SystemError } from "./errno.ts";
import { F_GETFD, F_SETFD, PATH_MAX, SIG_SETMASK } from "./headers.ts";
import { cString, type Libc } from "./libc.ts";
import { SIGSET_BYTES } from "./signals.ts";

// fcntl.h, linux/auxvec.h
const FD_CLOEXEC = 1;
const AT_EXECFN = 31n;

const GROUP_BYTES = 4;

/**
 * Gives the path by which this program was executed, as the kernel was given
 * it: unlike the name of the file that runs, it leads through links.
 *
 * @param libc The C library.
 * @returns The path; empty where the kernel does not tell.
 */
export function executedPath(libc: Libc): string {
  const address = libc.c.getauxval(AT_EXECFN);
  if (address === 0n) return "";
  const path = new Uint8Array(PATH_MAX);
  libc.c.strncpy(path, address, BigInt(PATH_MAX));
  return new TextDecoder().decode(path.subarray(0, path.indexOf(0)));
}

/**
 * Gives the supplementary groups of this process: getgroups(2).
 *
 * @param libc The C library.
 * @returns An array of `gid_t`.
 * @throws {SystemError} If the kernel does not tell.
 */
export function supplementaryGroups(libc: Libc): Uint8Array<ArrayBuffer> {
  const none = new Uint8Array(0);
  const count = checked(libc, "getgroups", libc.c.getgroups(0, none));
  const groups = new Uint8Array(count * GROUP_BYTES);
  checked(libc, "getgroups", libc.c.getgroups(count, groups));
  return groups;
}

/** The ids that a daemon which rests as somebody else was started with. */
export interface RootIds {
  /** Whom it rests as. */
  readonly owner: Identity;
  readonly gid: number;
  /** As {@linkcode supplementaryGroups} gives them. */
  readonly groups: Uint8Array<ArrayBuffer>;
}

/** What to execute. */
export interface ExecOptions {
  readonly path: string;
  readonly argv: readonly (string | Uint8Array)[];
  readonly environment: readonly (string | Uint8Array)[];
  /** The directory to start in, and the one that this process is in. */
  readonly directories: { readonly start: number; readonly now: number };
  /** The descriptors that it keeps, under their numbers. */
  readonly fds: readonly number[];
  /** Whom it starts as; `undefined` for whom this process is. */
  readonly ids: RootIds | undefined;
  /** What is called where it failed, and this process cannot rest again. */
  readonly lost: IdentityLost;
}

/**
 * Executes a program in the place of this one, with every signal blocked: one
 * that comes meanwhile waits until the program says that it is ready for it.
 *
 * @param libc The C library.
 * @param options The program.
 * @returns Only if it failed: why.
 * @throws {RangeError} If a word holds a zero byte; then, too, all is undone.
 */
export function executeInPlace(libc: Libc, options: ExecOptions): SystemError {
  const { path, directories, ids, fds, lost } = options;
  const undo: (() => void)[] = [];
  try {
    const mask = new Uint8Array(SIGSET_BYTES);
    const all = new Uint8Array(SIGSET_BYTES).fill(0xff);
    libc.c.pthread_sigmask(SIG_SETMASK, all, mask);
    undo.push(() => libc.c.pthread_sigmask(SIG_SETMASK, mask, null));
    // Laid out first: from here on no memory is asked for.
    const argv = vectorOf(libc, options.argv);
    const environment = vectorOf(libc, options.environment);
    if (ids !== undefined) {
      undo.push(() => rest(libc, ids, lost));
      takeRootBack(libc, ids);
    }
    checked(libc, "fchdir", libc.c.fchdir(directories.start));
    undo.push(() => libc.c.fchdir(directories.now));
    for (const fd of fds) {
      undo.push(() => libc.c.fcntl(fd, F_SETFD, BigInt(FD_CLOEXEC)));
      const flags = checked(
        libc,
        `descriptor ${fd}`,
        libc.c.fcntl(fd, F_GETFD, 0n),
      );
      libc.c.fcntl(fd, F_SETFD, BigInt(flags & ~FD_CLOEXEC));
    }
    checked(
      libc,
      `cannot start ${path} anew`,
      libc.c.execve(cString(path), argv, environment),
    );
    throw new TypeError("execve(2) returns only when it fails");
  } catch (error) {
    for (const step of undo.reverse()) step();
    if (error instanceof SystemError) return error;
    throw error;
  }
}

/** On this thread alone, which is the one that the new program has. */
function takeRootBack(libc: Libc, { gid, groups }: RootIds): void {
  const { c, abi: { systemCalls } } = libc;
  const { setresuid, setresgid, setgroups } = systemCalls;
  checked(libc, "setresuid", c.syscall(setresuid, KEEP, ROOT, KEEP));
  checked(libc, "setresgid", c.syscall(setresgid, gid, gid, gid));
  const count = groups.length / GROUP_BYTES;
  checked(libc, "setgroups", c.syscall_buffer(setgroups, count, groups));
  checked(libc, "setresuid", c.syscall(setresuid, ROOT, ROOT, ROOT));
}

function rest(
  libc: Libc,
  { owner, gid }: RootIds,
  lost: IdentityLost,
): void {
  const { c, abi: { systemCalls } } = libc;
  const { setresuid, setresgid, setgroups } = systemCalls;
  const groups = new Uint8Array(new Uint32Array([owner.gid]).buffer);
  const call = "rest as the owner again";
  try {
    checked(libc, call, c.syscall(setresuid, KEEP, ROOT, KEEP));
    checked(libc, call, c.syscall(setresgid, gid, owner.gid, gid));
    checked(libc, call, c.syscall_buffer(setgroups, 1, groups));
    checked(libc, call, c.syscall(setresuid, ROOT, owner.uid, ROOT));
  } catch (error) {
    lost(error);
  }
  closeMemory(libc);
}
