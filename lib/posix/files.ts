/**
 * Files where a root process must not be tricked: looked at without following
 * a link, changed through a descriptor of the very file that was looked at.
 *
 * @module
 */

import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { checked, NotOursError } from "./errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD, O_CLOEXEC, O_PATH } from "./headers.ts";
import { cString, type Libc } from "./libc.ts";

// fcntl.h, linux/stat.h, sys/stat.h
const AT_SYMLINK_NOFOLLOW = 0x100;
const STATX_BASIC_STATS = 0x7ff;
const S_IFMT = 0o170000;
const FILE_KINDS: ReadonlyMap<number, FileKind> = new Map([
  [0o040000, "folder"],
  [0o100000, "file"],
  [0o120000, "link"],
  [0o140000, "socket"],
]);

/** `struct statx` and the offsets of what is read from it. */
const STATX_BYTES = 256;
const STX_NLINK_OFFSET = 16;
const STX_UID_OFFSET = 20;
const STX_MODE_OFFSET = 28;
const STX_INO_OFFSET = 32;
/** `struct statx_timestamp`: seconds, then nanoseconds. */
const STX_MTIME_OFFSET = 112;
const STX_DEV_MAJOR_OFFSET = 136;
const STX_DEV_MINOR_OFFSET = 140;

/** What a file is; the rest are pipes and devices. */
export type FileKind = "folder" | "file" | "link" | "socket" | "other";

/** What tells a file from every other: a name may come to mean another one. */
export interface FileId {
  /** The device number as `dev_t` has it. */
  readonly device: bigint;
  readonly inode: bigint;
}

/** What a file is, and whose. */
export interface FileFacts extends FileId {
  /** How many names it has: 0 for one that was removed. */
  readonly links: number;
  /** When it was written to last, in nanoseconds of the system's clock. */
  readonly writtenNs: bigint;
  readonly uid: number;
  readonly kind: FileKind;
  /** The permission bits. */
  readonly mode: number;
}

/**
 * Looks at a file, not following a link in the last place: statx(2).
 *
 * @param libc The C library.
 * @param path The file.
 * @returns The facts, or `undefined` if there is nothing, or nothing to be seen.
 */
export function lookAt(libc: Libc, path: string): FileFacts | undefined {
  return statx(libc, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
}

/**
 * Looks at the file that a path leads to, through whatever links.
 *
 * @param libc The C library.
 * @param path The path.
 * @returns The facts, or `undefined` if there is nothing, or nothing to be seen.
 */
export function lookThrough(libc: Libc, path: string): FileFacts | undefined {
  return statx(libc, AT_FDCWD, path, 0);
}

/**
 * Tells whether two looks were at the same file.
 *
 * @param one What was seen.
 * @param other What else was seen.
 * @returns `true` if there was one, and it was the same.
 */
export function isSameFile(
  one: FileId | undefined,
  other: FileId | undefined,
): boolean {
  return one !== undefined && one.device === other?.device &&
    one.inode === other.inode;
}

/**
 * Looks at the file behind a descriptor.
 *
 * @param libc The C library.
 * @param fd The descriptor.
 * @returns The facts, or `undefined` if the descriptor is not open.
 */
export function lookAtDescriptor(
  libc: Libc,
  fd: number,
): FileFacts | undefined {
  return statx(libc, fd, "", AT_EMPTY_PATH);
}

/**
 * Removes a name from its directory, if it still names the file that is meant.
 * The directory is held by a descriptor meanwhile, so that nobody can put a
 * link in its place and have a file of another directory removed.
 *
 * @param libc The C library.
 * @param path The name.
 * @param meant The file that is meant, if there was one.
 * @returns `true` if it was removed; `false` also for want of a descriptor.
 */
export function removeFile(
  libc: Libc,
  path: string,
  meant: FileId | undefined,
): boolean {
  if (meant === undefined) return false;
  const { O_DIRECTORY } = libc.abi.openFlags;
  const flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  const folderFd = libc.c.open(cString(dirname(path)), flags, 0);
  if (folderFd < 0) return false;
  try {
    return removeFrom(libc, folderFd, { name: basename(path), meant });
  } finally {
    libc.c.close(folderFd);
  }
}

/** A name in a folder, and the file that it is to name. */
export interface MeantFile {
  readonly name: string;
  readonly meant: FileId;
}

/**
 * Removes a name from an open folder, if it still names the file that is meant.
 *
 * @param libc The C library.
 * @param folderFd The folder.
 * @param file The name.
 * @returns `true` if it was removed.
 */
export function removeFrom(
  libc: Libc,
  folderFd: number,
  { name, meant }: MeantFile,
): boolean {
  return isSameFile(lookIn(libc, folderFd, name), meant) &&
    libc.c.unlinkat(folderFd, cString(name), 0) === 0;
}

/**
 * Looks at a file in an open folder, not following a link.
 *
 * @param libc The C library.
 * @param folderFd The folder.
 * @param name The file's name in it.
 * @returns The facts, or `undefined` if there is nothing, or nothing to be seen.
 */
export function lookIn(
  libc: Libc,
  folderFd: number,
  name: string,
): FileFacts | undefined {
  return statx(libc, folderFd, name, AT_SYMLINK_NOFOLLOW);
}

/** Whom a file is to belong to, and with which permission bits. */
export interface Access {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/**
 * Gives a socket file away. The file is held by a descriptor meanwhile, so
 * that somebody who may write to the directory cannot put a link in its place
 * and have another file given away.
 *
 * @param libc The C library.
 * @param path The socket.
 * @param access Whom it is to belong to.
 * @throws {SystemError} If it cannot be changed.
 * @throws {NotOursError} If it is not a socket, or not this process's own.
 */
export function giveSocketAway(
  libc: Libc,
  path: string,
  access: Access,
): void {
  const flags = O_PATH | libc.abi.openFlags.O_NOFOLLOW | O_CLOEXEC;
  const fd = checked(
    libc,
    `open ${path}`,
    libc.c.open(cString(path), flags, 0),
  );
  try {
    const facts = lookAtDescriptor(libc, fd);
    if (facts?.kind !== "socket" || facts.uid !== libc.c.geteuid()) {
      throw new NotOursError(
        `${path} was replaced while it was being set up`,
      );
    }
    const { uid, gid, mode } = access;
    const chown = libc.c.fchownat(fd, cString(""), uid, gid, AT_EMPTY_PATH);
    checked(libc, `chown ${path}`, chown);
    // An O_PATH descriptor takes no fchmod; its name below /proc takes chmod.
    const self = cString(`/proc/self/fd/${fd}`);
    checked(libc, `chmod ${path}`, libc.c.chmod(self, mode));
  } finally {
    libc.c.close(fd);
  }
}

function statx(
  libc: Libc,
  directory: number,
  path: string,
  flags: number,
): FileFacts | undefined {
  const bytes = new Uint8Array(STATX_BYTES);
  const name = cString(path);
  if (libc.c.statx(directory, name, flags, STATX_BASIC_STATS, bytes) !== 0) {
    return undefined;
  }
  const view = new DataView(bytes.buffer);
  const mode = view.getUint16(STX_MODE_OFFSET, true);
  const major = view.getUint32(STX_DEV_MAJOR_OFFSET, true);
  const minor = view.getUint32(STX_DEV_MINOR_OFFSET, true);
  return {
    device: makeDevice(BigInt(major), BigInt(minor)),
    inode: view.getBigUint64(STX_INO_OFFSET, true),
    links: view.getUint32(STX_NLINK_OFFSET, true),
    writtenNs: timeNs(view, STX_MTIME_OFFSET),
    uid: view.getUint32(STX_UID_OFFSET, true),
    kind: FILE_KINDS.get(mode & S_IFMT) ?? "other",
    mode: mode & 0o7777,
  };
}

function timeNs(view: DataView, offset: number): bigint {
  const seconds = view.getBigInt64(offset, true);
  return seconds * 1_000_000_000n + BigInt(view.getUint32(offset + 8, true));
}

/** As `gnu_dev_makedev` of sys/sysmacros.h packs it. */
function makeDevice(major: bigint, minor: bigint): bigint {
  return (minor & 0xffn) | ((major & 0xfffn) << 8n) |
    ((minor & ~0xffn) << 12n) | ((major & ~0xfffn) << 32n);
}
