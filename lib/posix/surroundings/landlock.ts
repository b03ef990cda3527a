/**
 * Landlock: a process gives up all of the file system but some paths, for
 * itself and for whatever it starts. What is allowed is laid out once, as a
 * ruleset behind a descriptor; a child takes it upon itself.
 *
 * Descriptors that are open already go on working, the connection's among
 * them. Known limit: what a path means is looked up here, so a file that is
 * put in its place later is not allowed; one beneath it is.
 *
 * @module
 */

import { checked, ENOENT, errno, lastError } from "../errno.ts";
import { lookAtDescriptor } from "../files.ts";
import { O_CLOEXEC, O_PATH } from "../headers.ts";
import { cString, type Libc } from "../libc.ts";
import type { PathAccess } from "./surroundings.ts";

// linux/landlock.h
const LANDLOCK_CREATE_RULESET_VERSION = 1;
const LANDLOCK_RULE_PATH_BENEATH = 1;
const FS_EXECUTE = 1n << 0n;
const FS_WRITE_FILE = 1n << 1n;
const FS_READ_FILE = 1n << 2n;
const FS_READ_DIR = 1n << 3n;
const FS_TRUNCATE = 1n << 14n;
const FS_IOCTL_DEV = 1n << 15n;

/** How many rights there are, by the version that brought the last of them. */
const RIGHTS_SINCE: readonly {
  readonly abi: number;
  readonly count: bigint;
}[] = [
  { abi: 5, count: 16n },
  { abi: 3, count: 15n },
  { abi: 2, count: 14n },
  { abi: 1, count: 13n },
];

/** Those that make sense for what is no directory. */
const FILE_RIGHTS = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE |
  FS_IOCTL_DEV;

const READ = FS_EXECUTE | FS_READ_FILE | FS_READ_DIR;

/** `struct landlock_path_beneath_attr`: the rights, then a descriptor, packed. */
const RULE_BYTES = 12;
const RULE_FD_OFFSET = 8;

/**
 * Lays a ruleset out. To be called with root's effective ids, so that every
 * path can be looked up.
 *
 * @param libc The C library.
 * @param paths What is allowed; a path that is not there allows nothing.
 * @returns The ruleset's descriptor, closed on exec.
 * @throws {SystemError} If the kernel has no Landlock, or does not know a
 * path's kind.
 */
export function landlockRuleset(
  libc: Libc,
  paths: readonly PathAccess[],
): number {
  const { c, abi: { systemCalls } } = libc;
  const version = c.syscall_ruleset(
    systemCalls.landlock_create_ruleset,
    null,
    0n,
    LANDLOCK_CREATE_RULESET_VERSION,
  );
  checked(libc, "no Landlock in this kernel", version);
  const { count } = RIGHTS_SINCE.find(({ abi }) => abi <= version) ??
    { count: 0n };
  const all = (1n << count) - 1n;
  const ruleset = c.syscall_ruleset(
    systemCalls.landlock_create_ruleset,
    new Uint8Array(new BigUint64Array([all]).buffer),
    BigInt(BigUint64Array.BYTES_PER_ELEMENT),
    0,
  );
  checked(libc, "landlock_create_ruleset", ruleset);
  try {
    for (const path of paths) allow(libc, { ruleset, all, ...path });
  } catch (error) {
    c.close(ruleset);
    throw error;
  }
  return ruleset;
}

function allow(
  libc: Libc,
  { ruleset, all, path, access }: PathAccess & {
    readonly ruleset: number;
    readonly all: bigint;
  },
): void {
  const { c, abi: { systemCalls } } = libc;
  const fd = c.open(cString(path), O_PATH | O_CLOEXEC, 0);
  if (fd < 0 && errno(libc) === ENOENT) return;
  checked(libc, path, fd);
  try {
    const isFolder = lookAtDescriptor(libc, fd)?.kind === "folder";
    // What it may write it may not execute, unless that is said as well.
    const asked = all & (access === "read" ? READ : ~FS_EXECUTE);
    const rule = new DataView(new ArrayBuffer(RULE_BYTES));
    rule.setBigUint64(0, isFolder ? asked : asked & FILE_RIGHTS, true);
    rule.setInt32(RULE_FD_OFFSET, fd, true);
    const result = c.syscall_rule(
      systemCalls.landlock_add_rule,
      ruleset,
      LANDLOCK_RULE_PATH_BENEATH,
      new Uint8Array(rule.buffer),
      0,
    );
    if (result < 0) throw lastError(libc, `landlock ${path}`);
  } finally {
    c.close(fd);
  }
}
