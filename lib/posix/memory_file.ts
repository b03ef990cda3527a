/**
 * Files without a name, by which a process hands something on to the program
 * that it executes: written once and sealed, so that whoever reads one knows
 * that nobody changes it meanwhile.
 *
 * @module
 */

import { checked, EINVAL, errno, lastError, NotOursError } from "./errno.ts";
import { lookAtDescriptor } from "./files.ts";
import { MFD_CLOEXEC, MFD_NOEXEC_SEAL } from "./headers.ts";
import { cString, type Libc } from "./libc.ts";
import { readToEnd } from "./process.ts";

// sys/mman.h, fcntl.h
const MFD_ALLOW_SEALING = 0x2;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
/** Against further seals, shrinking, growing and writing. */
const SEALS = 0x1 | 0x2 | 0x4 | 0x8;

/**
 * Makes a sealed file: memfd_create(2).
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
  const fd = checked(libc, "memfd_create", create(libc));
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

/** Kernels before 6.3 do not know that a file need not be executable. */
function create(libc: Libc): number {
  const name = cString("spawnd");
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const fd = libc.c.memfd_create(name, flags | MFD_NOEXEC_SEAL);
  return fd < 0 && errno(libc) === EINVAL
    ? libc.c.memfd_create(name, flags)
    : fd;
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
