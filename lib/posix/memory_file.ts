/**
 * Files without a name: in memory alone, and gone with their last descriptor.
 *
 * By sealed ones a process hands something on to the program that it executes:
 * whoever reads one knows that nobody changes it meanwhile.
 *
 * @module
 */

import { checked, EINVAL, errno, lastError, NotOursError } from "./errno.ts";
import { lookAtDescriptor } from "./files.ts";
import { cString, type Libc } from "./libc.ts";
import { readToEnd } from "./process.ts";

// sys/mman.h, fcntl.h
const MFD_CLOEXEC = 0x1;
const MFD_ALLOW_SEALING = 0x2;
const MFD_NOEXEC_SEAL = 0x8;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
/** Against further seals, shrinking, growing and writing. */
const SEALS = 0x1 | 0x2 | 0x4 | 0x8;

/**
 * Makes a file in memory: memfd_create(2). It is none that can be executed by
 * its descriptor, so that it is made under every vm.memfd_noexec.
 *
 * @param libc The C library.
 * @param name What it is called in /proc.
 * @param flags What else is to be said of it.
 * @returns Its descriptor, closed on exec.
 * @throws {SystemError} If there is no descriptor or no memory for it.
 */
export function openMemoryFile(libc: Libc, name: string, flags = 0): number {
  const create = (flags: number): number =>
    libc.c.memfd_create(cString(name), MFD_CLOEXEC | flags);
  const fd = create(flags | MFD_NOEXEC_SEAL);
  // Kernels before 6.3 do not know the flag.
  const isUnknown = fd < 0 && errno(libc) === EINVAL;
  return checked(libc, "memfd_create", isUnknown ? create(flags) : fd);
}

/**
 * Makes a sealed file.
 *
 * @param libc The C library.
 * @param bytes What it holds.
 * @returns Its descriptor, closed on exec.
 * @throws {SystemError} If there is no descriptor or no memory for it.
 */
export function sealedFile(
  libc: Libc,
  bytes: Uint8Array<ArrayBuffer>,
): number {
  const fd = openMemoryFile(libc, "spawnd", MFD_ALLOW_SEALING);
  try {
    for (let at = 0; at < bytes.length;) {
      const rest = bytes.subarray(at);
      const count = libc.c.pwrite(fd, rest, BigInt(rest.length), BigInt(at));
      at += checked(libc, "write to memory", Number(count));
    }
    checked(libc, "seal", libc.c.fcntl(fd, F_ADD_SEALS, BigInt(SEALS)));
    return fd;
  } catch (error) {
    libc.c.close(fd);
    throw error;
  }
}

/**
 * Reads a sealed file, from where its descriptor stands.
 *
 * @param libc The C library.
 * @param fd Its descriptor.
 * @returns What it holds.
 * @throws {SystemError} If it cannot be read.
 * @throws {NotOursError} If it is not sealed, or another user's.
 */
export function readSealedFile(
  libc: Libc,
  fd: number,
): Uint8Array<ArrayBuffer> {
  const seals = libc.c.fcntl(fd, F_GET_SEALS, 0n);
  if (seals < 0) throw lastError(libc, `descriptor ${fd}`);
  if ((seals & SEALS) !== SEALS) {
    throw new NotOursError(`descriptor ${fd} is not sealed`);
  }
  if (lookAtDescriptor(libc, fd)?.uid !== libc.c.geteuid()) {
    throw new NotOursError(`descriptor ${fd} is another user's`);
  }
  return readToEnd(libc, fd);
}
