/**
 * Processes and descriptors: waiting, signalling, and what a daemon does to
 * its own process at start.
 *
 * @module
 */

import { textOf } from "./byte_text.ts";
import { checked, ECHILD, errno } from "./errno.ts";
import { cString, type Libc } from "./libc.ts";

// bits/waitflags.h, bits/signum-generic.h, linux/close_range.h, fcntl.h
const WNOHANG = 1;
export const SIGHUP = 1;
export const SIGKILL = 9;
export const SIGTERM = 15;
const CLOSE_RANGE_CLOEXEC = 4;
const F_GETFD = 1;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const O_ACCMODE = 0o3;
const O_RDONLY = 0;
const F_DUPFD_CLOEXEC = 1030;

const O_CLOEXEC = 0o2000000;
// bits/resource.h
const RLIMIT_NOFILE = 7;

const WORDS_CHUNK_BYTES = 65536;

const FIRST_FD_OF_OURS = 3;
const LAST_FD = 0xffffffff;

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

/**
 * Allows this process, and what it starts, as many descriptors as it may have:
 * setrlimit(2), RLIMIT_NOFILE.
 *
 * @param libc The C library.
 */
export function raiseDescriptorLimit(libc: Libc): void {
  const limits = new BigUint64Array(2);
  const bytes = new Uint8Array(limits.buffer);
  if (libc.c.getrlimit(RLIMIT_NOFILE, bytes) !== 0) return;
  const [, hard = 0n] = limits;
  limits[0] = hard;
  libc.c.setrlimit(RLIMIT_NOFILE, bytes);
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
 * Makes a descriptor block, as commands expect; for whoever else has the same
 * connection, too.
 *
 * @param libc The C library.
 * @param fd The descriptor.
 */
export function makeBlocking(libc: Libc, fd: number): void {
  const flags = checked(libc, "fcntl(F_GETFL)", libc.c.fcntl(fd, F_GETFL, 0n));
  if ((flags & O_NONBLOCK) === 0) return;
  libc.c.fcntl(fd, F_SETFL, BigInt(flags & ~O_NONBLOCK));
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
 * Makes a pipe whose ends are closed on exec: pipe2(2).
 *
 * @param libc The C library.
 * @returns The end to read from and the end to write to.
 * @throws {SystemError} If there are no descriptors left.
 */
export function openPipe(libc: Libc): { readFd: number; writeFd: number } {
  const ends = new Int32Array(2);
  const bytes = new Uint8Array(ends.buffer);
  checked(libc, "pipe2", libc.c.pipe2(bytes, O_CLOEXEC));
  const [readFd = -1, writeFd = -1] = ends;
  return { readFd, writeFd };
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
 * @returns The words, with bytes that are no UTF-8 escaped.
 * @throws {SystemError} If /proc is not there.
 */
export function commandLine(libc: Libc): string[] {
  return wordsIn(libc, "/proc/self/cmdline");
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
  for (const word of wordsIn(libc, "/proc/self/environ")) {
    const at = word.indexOf("=", 1);
    const name = word.slice(0, at);
    // As for getenv(3), the first of two counts.
    if (at > 0 && !values.has(name)) values.set(name, word.slice(at + 1));
  }
  return values;
}

/** The words of a file, each closed by a zero byte. */
function wordsIn(libc: Libc, path: string): string[] {
  const fd = checked(libc, path, libc.c.open(cString(path), O_CLOEXEC, 0));
  try {
    const chunks: Uint8Array[] = [];
    for (;;) {
      const bytes = readOnce(libc, fd, WORDS_CHUNK_BYTES);
      if (bytes.length === 0) break;
      chunks.push(bytes);
    }
    return textOf(concat(chunks)).split("\0").slice(0, -1);
  } finally {
    libc.c.close(fd);
  }
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(
    chunks.reduce((length, chunk) => length + chunk.length, 0),
  );
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
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

  /**
   * Collects a child that has ended: waitpid(2).
   *
   * @param pid The child.
   * @returns Its status word; `undefined` if it has not ended; or `"gone"` if
   * it is no child of this process any more, and how it ended is not known.
   */
  collect(pid: number): number | "gone" | undefined {
    return this.#wait(pid, WNOHANG);
  }

  /**
   * Collects a child that is about to end, waiting for it.
   *
   * @param pid A child that SIGKILL was sent to.
   * @returns Its status word, or `undefined` if it is not known.
   */
  collectDying(pid: number): number | undefined {
    const word = this.#wait(pid, 0);
    return word === "gone" ? undefined : word;
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

  #wait(pid: number, options: number): number | "gone" | undefined {
    const result = this.#libc.c.waitpid(pid, this.#statusBytes, options);
    if (result === pid) return this.#status[0];
    return result < 0 && errno(this.#libc) === ECHILD ? "gone" : undefined;
  }
}
