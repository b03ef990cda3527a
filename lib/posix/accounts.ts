/**
 * Accounts as the system knows them: getpwnam_r(3) and getgrnam_r(3), and so
 * whatever the name service switch is set to ask.
 *
 * @module
 */

import { textOf } from "./byte_text.ts";
import { EINTR, ERANGE, errorText, SystemError } from "./errno.ts";
import { cString, type Libc } from "./libc.ts";

/** A user's ids. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

// struct passwd (pwd.h) and struct group (grp.h) on 64-bit Linux: two pointers,
// then the ids. Both are smaller than 64 bytes.
const RECORD_BYTES = 64;
const PW_UID_OFFSET = 16;
const PW_GID_OFFSET = 20;
const PW_DIR_OFFSET = 32;
const PW_SHELL_OFFSET = 40;
const GR_GID_OFFSET = 16;

/** PATH_MAX of linux/limits.h: a home directory is no longer. */
const PATH_BYTES = 4096;

/** As many as most accounts of services are in. */
const GROUPS_GUESSED = 2;
/** NGROUPS_MAX of linux/limits.h. */
const GROUPS_MAX = 65_536;

/** A group with thousands of members still fits; beyond that something is wrong. */
const STRINGS_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Looks up a user.
 *
 * @param libc The C library.
 * @param name The user's name.
 * @returns The ids, or `undefined` if there is no such user.
 * @throws {SystemError} If the name service fails, which is not the same.
 */
export function findUser(libc: Libc, name: string): User | undefined {
  const found = lookUp(libc, "getpwnam_r", name);
  if (found === undefined) return undefined;
  const { record } = found;
  return {
    uid: record.getUint32(PW_UID_OFFSET, true),
    gid: record.getUint32(PW_GID_OFFSET, true),
  };
}

/**
 * Looks up a group.
 *
 * @param libc The C library.
 * @param name The group's name.
 * @returns The group's id, or `undefined` if there is no such group.
 * @throws {SystemError} If the name service fails, which is not the same.
 */
export function findGroup(libc: Libc, name: string): number | undefined {
  const found = lookUp(libc, "getgrnam_r", name);
  return found?.record.getUint32(GR_GID_OFFSET, true);
}

/**
 * Looks up what a user has to log in by.
 *
 * @param libc The C library.
 * @param name The user's name.
 * @returns It, or `undefined` if there is no such user.
 * @throws {SystemError} If the name service fails, which is not the same.
 */
export function findLogin(
  libc: Libc,
  name: string,
): { home: string; shell: string } | undefined {
  const found = lookUp(libc, "getpwnam_r", name);
  if (found === undefined) return undefined;
  const [home = "", shell = ""] = [PW_DIR_OFFSET, PW_SHELL_OFFSET]
    .map((offset) => textAt(libc, found, offset));
  return { home, shell };
}

/**
 * Looks up the groups that a user is in, as initgroups(3) has them.
 *
 * @param libc The C library.
 * @param name The user's name.
 * @param gid A group that is to be among them.
 * @returns The ids.
 */
export function findGroups(
  libc: Libc,
  name: string,
  gid: number,
): readonly number[] {
  const count = new Int32Array([GROUPS_GUESSED]);
  for (let room = GROUPS_GUESSED; room <= GROUPS_MAX; room = count[0] ?? 0) {
    const groups = new Uint32Array(room);
    const result = libc.c.getgrouplist(
      cString(name),
      gid,
      new Uint8Array(groups.buffer),
      new Uint8Array(count.buffer),
    );
    if (result >= 0) return [...new Set(groups.subarray(0, result))];
    // It has told how much room it needs: more than there was.
    if ((count[0] ?? 0) <= room) count[0] = room + 1;
  }
  const text = errorText(libc, ERANGE);
  throw new SystemError(`getgrouplist ${name}`, ERANGE, text);
}

function textAt(libc: Libc, { record }: Found, offset: number): string {
  const bytes = new Uint8Array(PATH_BYTES);
  const address = record.getBigUint64(offset, true);
  libc.c.strncpy(bytes, address, BigInt(PATH_BYTES - 1));
  return textOf(bytes.subarray(0, bytes.indexOf(0)));
}

/** An entry, with the memory that its pointers lead to. */
interface Found {
  readonly record: DataView;
  readonly strings: Uint8Array;
}

function lookUp(
  libc: Libc,
  call: "getpwnam_r" | "getgrnam_r",
  name: string,
): Found | undefined {
  const record = new Uint8Array(RECORD_BYTES);
  const found = new BigUint64Array(1);
  const foundBytes = new Uint8Array(found.buffer);
  for (let size = 4096; size <= STRINGS_BYTES_MAX;) {
    const strings = new Uint8Array(size);
    const code = libc.c[call](
      cString(name),
      record,
      strings,
      BigInt(size),
      foundBytes,
    );
    if (code === 0) {
      const view = new DataView(record.buffer);
      return found[0] === 0n ? undefined : { record: view, strings };
    }
    if (code === ERANGE) size *= 4;
    else if (code !== EINTR) {
      throw new SystemError(`${call} ${name}`, code, errorText(libc, code));
    }
  }
  throw new SystemError(`${call} ${name}`, ERANGE, errorText(libc, ERANGE));
}
