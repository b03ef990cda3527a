/**
 * Processes and descriptors: waiting, signalling, and what a daemon does to
 * its own process at start.
 *
 * @module
 */

import { concat } from "@std/bytes/concat";
import { textOf } from "./byte_text.ts";
import { checked, ECHILD, errno } from "./errno.ts";
import {
  F_DUPFD_CLOEXEC,
  F_GETFD,
  O_CLOEXEC,
  O_NONBLOCK,
  O_PATH,
  RLIMIT_NOFILE,
} from "./headers.ts";
import { cString, type Libc } from "./libc.ts";
import { type ResourceUsage, UsageBuffer } from "./resource_usage.ts";

// bits/waitflags.h, bits/types/siginfo_t.h, sys/prctl.h
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
const P_ALL = 0;
const SIGINFO_BYTES = 128;
const SI_PID_OFFSET = 16;
const PR_GET_CHILD_SUBREAPER = 37;

// linux/close_range.h, fcntl.h
const CLOSE_RANGE_CLOEXEC = 4;
const F_GETFL = 3;
const F_SETFL = 4;
const O_ACCMODE = 0o3;
const O_RDONLY = 0;

const READ_CHUNK_BYTES = 65536;

/** The first that is none of standard input, output and error. */
export const FIRST_FD_OF_OURS = 3;

/** The last one that there can be: close_range(2). */
export const LAST_FD = 0xffffffff;

/**
 * Marks every descriptor from 3 up close-on-exec, so that nothing which this
 * process was started with reaches a command.
 *
 * @param libc The C library.
 * @throws {SystemError} If the kernel is older than 5.11.
 */
export function closeAllOnExec(libc: Libc): void {
  const result = libc.c.syscall(
    libc.abi.systemCalls.close_range,
    FIRST_FD_OF_OURS,
    LAST_FD,
    CLOSE_RANGE_CLOEXEC,
  );
  checked(libc, "close_range", result);
}

/**
 * Tells whether this process was started with a descriptor that it can write
 * to. To be asked before {@linkcode closeAllOnExec}: until then what was
 * inherited has no close-on-exec flag, and what the runtime opened has.
 *
 * @param libc The C library.
 * @param fd The descriptor.
 * @returns `true` if it was.
 */
export function wasInheritedForWriting(libc: Libc, fd: number): boolean {
  const access = libc.c.fcntl(fd, F_GETFL, 0n) & O_ACCMODE;
  return libc.c.fcntl(fd, F_GETFD, 0n) === 0 && access !== O_RDONLY;
}

/** How many descriptors a process may have: getrlimit(2), RLIMIT_NOFILE. */
export interface DescriptorLimit {
  readonly soft: bigint;
  readonly hard: bigint;
}

/**
 * Tells how many descriptors this process may have.
 *
 * @param libc The C library.
 * @returns The limit.
 * @throws {SystemError} If the kernel does not tell.
 */
export function descriptorLimit(libc: Libc): DescriptorLimit {
  const limits = new BigUint64Array(2);
  const bytes = new Uint8Array(limits.buffer);
  checked(libc, "getrlimit", libc.c.getrlimit(RLIMIT_NOFILE, bytes));
  const [soft = 0n, hard = 0n] = limits;
  return { soft, hard };
}

/**
 * Allows this process, and what it starts, as many descriptors as it may have.
 *
 * @param libc The C library.
 * @returns What it was allowed before.
 * @throws {SystemError} If the kernel does not tell.
 */
export function raiseDescriptorLimit(libc: Libc): DescriptorLimit {
  const { soft, hard } = descriptorLimit(libc);
  setDescriptorLimit(libc, { soft: hard, hard });
  return { soft, hard };
}

/**
 * Sets how many descriptors this process, and what it starts, may have. Where
 * the kernel refuses, it stays as it was.
 *
 * @param libc The C library.
 * @param limit The limit.
 */
export function setDescriptorLimit(
  libc: Libc,
  { soft, hard }: DescriptorLimit,
): void {
  const limits = new BigUint64Array([soft, hard]);
  libc.c.setrlimit(RLIMIT_NOFILE, new Uint8Array(limits.buffer));
}

/**
 * Opens the directory that this process is in, to come back to it by.
 *
 * @param libc The C library.
 * @returns A descriptor that is closed on exec.
 * @throws {SystemError} If there is none.
 */
export function openWorkingDirectory(libc: Libc): number {
  const flags = O_PATH | O_CLOEXEC;
  const fd = libc.c.open(cString("."), flags, 0);
  return checked(libc, "open the working directory", fd);
}

/**
 * Makes a second descriptor for the same open file, closed on exec.
 *
 * @param libc The C library.
 * @param fd The descriptor.
 * @returns The new descriptor, 3 or above.
 * @throws {SystemError} If there is none left.
 */
export function duplicate(libc: Libc, fd: number): number {
  const copy = libc.c.fcntl(fd, F_DUPFD_CLOEXEC, BigInt(FIRST_FD_OF_OURS));
  return checked(libc, "fcntl(F_DUPFD_CLOEXEC)", copy);
}

/**
 * The same where there may be none left.
 *
 * @param libc The C library.
 * @param fd The descriptor.
 * @returns The new descriptor, or the negated error number.
 */
export function duplicateOrError(libc: Libc, fd: number): number {
  const copy = libc.c.fcntl(fd, F_DUPFD_CLOEXEC, BigInt(FIRST_FD_OF_OURS));
  return copy >= 0 ? copy : -errno(libc);
}

/**
 * Makes a descriptor block, as commands expect; for whoever else has the same
 * connection, too.
 *
 * @param libc The C library.
 * @param fd The descriptor.
 * @throws {SystemError} If it is not open.
 */
export function makeBlocking(libc: Libc, fd: number): void {
  const flags = checked(libc, "fcntl(F_GETFL)", libc.c.fcntl(fd, F_GETFL, 0n));
  if ((flags & O_NONBLOCK) === 0) return;
  libc.c.fcntl(fd, F_SETFL, BigInt(flags & ~O_NONBLOCK));
}

/**
 * Makes a descriptor that does not block, also for whoever else has it.
 *
 * @param libc The C library.
 * @param fd The descriptor.
 */
export function makeNonBlocking(libc: Libc, fd: number): void {
  const flags = checked(libc, "fcntl(F_GETFL)", libc.c.fcntl(fd, F_GETFL, 0n));
  libc.c.fcntl(fd, F_SETFL, BigInt(flags | O_NONBLOCK));
}

/**
 * Sets the permission bits that files made by this process, and by what it
 * starts, do not get: umask(2).
 *
 * @param libc The C library.
 * @param mask The bits.
 */
export function setUmask(libc: Libc, mask: number): void {
  libc.c.umask(mask);
}

/**
 * Gives memory back that the start took and has freed: malloc_trim(3). Of
 * itself the C library gives back only what lies above all that is in use.
 *
 * @param libc The C library.
 */
export function giveFreedMemoryBack(libc: Libc): void {
  libc.c.malloc_trim(0n);
}

/**
 * Reads what a descriptor has, once.
 *
 * @param libc The C library.
 * @param fd The descriptor.
 * @param maxBytes How many bytes to take at the most.
 * @returns The bytes; none at the end.
 * @throws {SystemError} If nothing can be read.
 */
export function readOnce(
  libc: Libc,
  fd: number,
  maxBytes: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(maxBytes);
  const count = libc.c.read(fd, bytes, BigInt(maxBytes));
  return bytes.subarray(0, checked(libc, "read", Number(count)));
}

/**
 * Reads the words that this process was started with, the runtime's own
 * included, from /proc, which the runtime itself does not read for anybody.
 *
 * @param libc The C library.
 * @param which The command line, or the environment as `NAME=VALUE` words.
 * @returns The words' bytes, whatever they are.
 * @throws {SystemError} If /proc is not there.
 */
export function startWords(
  libc: Libc,
  which: "cmdline" | "environ",
): Uint8Array[] {
  const path = `/proc/self/${which}`;
  const fd = checked(libc, path, libc.c.open(cString(path), O_CLOEXEC, 0));
  try {
    const bytes = readToEnd(libc, fd);
    const words: Uint8Array[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = bytes.indexOf(0, at);
      words.push(bytes.subarray(at, end < 0 ? bytes.length : end));
      if (end < 0) break;
      at = end + 1;
    }
    return words;
  } finally {
    libc.c.close(fd);
  }
}

/**
 * Reads the environment that this process was started with, also what the
 * runtime cannot read for not being UTF-8.
 *
 * @param libc The C library.
 * @returns Values by name, with bytes that are no UTF-8 escaped.
 * @throws {SystemError} If /proc is not there.
 */
export function startEnvironment(libc: Libc): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const bytes of startWords(libc, "environ")) {
    const word = textOf(bytes);
    const at = word.indexOf("=", 1);
    const name = word.slice(0, at);
    // As for getenv(3), the first of two counts.
    if (at > 0 && !values.has(name)) values.set(name, word.slice(at + 1));
  }
  return values;
}

/**
 * Gives the command line that this process was started with.
 *
 * @param libc The C library.
 * @returns Its words, with bytes that are no UTF-8 escaped.
 * @throws {SystemError} If /proc is not there.
 */
export function commandLine(libc: Libc): string[] {
  return startWords(libc, "cmdline").map(textOf);
}

/**
 * Reads what a descriptor has, to the end.
 *
 * @param libc The C library.
 * @param fd The descriptor.
 * @returns The bytes.
 * @throws {SystemError} If nothing can be read.
 */
export function readToEnd(libc: Libc, fd: number): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = readOnce(libc, fd, READ_CHUNK_BYTES);
    if (chunk.length === 0) break;
    chunks.push(chunk);
  }
  return concat(chunks);
}

/**
 * Writes bytes to a descriptor, once.
 *
 * @param libc The C library.
 * @param fd The descriptor.
 * @param bytes The bytes.
 * @throws {SystemError} If nothing could be written.
 */
export function writeOnce(
  libc: Libc,
  fd: number,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  const count = libc.c.write(fd, bytes, BigInt(bytes.length));
  checked(libc, `write to descriptor ${fd}`, Number(count));
}

/** Children, by process id and by pidfd. */
export class Children {
  readonly #libc: Libc;
  readonly #status = new Int32Array(1);
  readonly #statusBytes = new Uint8Array(this.#status.buffer);
  readonly #usage = new UsageBuffer();

  /** @param libc The C library. */
  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /**
   * Opens a descriptor that becomes readable when the child ends: pidfd_open(2).
   *
   * @param pid A child that was not reaped yet.
   * @returns The descriptor, or the negated error number.
   */
  watch(pid: number): number {
    const { c, abi } = this.#libc;
    const fd = c.syscall(abi.systemCalls.pidfd_open, pid, 0, 0);
    return fd >= 0 ? fd : -errno(this.#libc);
  }

  /** What the child that was collected last has used. */
  get usage(): ResourceUsage {
    return this.#usage.usage;
  }

  /**
   * Collects a child that has ended: wait4(2).
   *
   * @param pid The child.
   * @returns Its status word; `undefined` if it has not ended; or `"gone"` if
   * it is no child of this process any more, and how it ended is not known.
   */
  collect(pid: number): number | "gone" | undefined {
    const { c } = this.#libc;
    const usage = this.#usage.bytes;
    const result = c.wait4(pid, this.#statusBytes, WNOHANG, usage);
    if (result === pid) return this.#status[0];
    return result < 0 && errno(this.#libc) === ECHILD ? "gone" : undefined;
  }

  /**
   * Waits for the end of a child that is about to end, and collects it.
   *
   * @param pid The child.
   */
  awaitEnd(pid: number): void {
    this.#libc.c.wait4(pid, this.#statusBytes, 0, this.#usage.bytes);
  }

  /**
   * Tells whether processes can become children of this one that it has not
   * started itself: those whose own parent ends.
   *
   * @returns `true` for the first process of a namespace and for a subreaper.
   */
  mayBeOrphans(): boolean {
    if (Deno.pid === 1) return true;
    const { c, abi } = this.#libc;
    const isSubreaper = new Uint8Array(4);
    const call = abi.systemCalls.prctl;
    c.syscall_buffer(call, PR_GET_CHILD_SUBREAPER, isSubreaper);
    return isSubreaper.some((byte) => byte !== 0);
  }

  /**
   * Finds a child that has ended, and leaves it as it is: waitid(2).
   *
   * @returns Its process id; `undefined` if there is none.
   */
  endedChild(): number | undefined {
    const info = new Uint8Array(SIGINFO_BYTES);
    const options = WEXITED | WNOHANG | WNOWAIT;
    if (this.#libc.c.waitid(P_ALL, 0, info, options) !== 0) return undefined;
    const pid = new DataView(info.buffer).getInt32(SI_PID_OFFSET, true);
    return pid > 0 ? pid : undefined;
  }

  /**
   * Signals a child's process group. Only while the child is not collected:
   * until then its process id, which names the group, cannot be given anew.
   *
   * @param pid The child.
   * @param signal The signal.
   * @returns 0, or the error number.
   */
  signalGroup(pid: number, signal: number): number {
    return this.#libc.c.kill(-pid, signal) === 0 ? 0 : errno(this.#libc);
  }

  /**
   * Signals a child alone. Only while it is not collected.
   *
   * @param pid The child.
   * @param signal The signal.
   */
  signal(pid: number, signal: number): void {
    this.#libc.c.kill(pid, signal);
  }
}
