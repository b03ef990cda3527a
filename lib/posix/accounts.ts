/**
 * Accounts as the system knows them: getpwnam_r(3) and getgrnam_r(3), and so
 * whatever the name service switch is set to ask.
 *
 * @module
 */

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
const GR_GID_OFFSET = 16;

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
  const record = lookUp(libc, "getpwnam_r", name);
  if (record === undefined) return undefined;
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
  return lookUp(libc, "getgrnam_r", name)?.getUint32(GR_GID_OFFSET, true);
}

function lookUp(
  libc: Libc,
  call: "getpwnam_r" | "getgrnam_r",
  name: string,
): DataView | undefined {
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
      return found[0] === 0n ? undefined : new DataView(record.buffer);
    }
    if (code === ERANGE) size *= 4;
    else if (code !== EINTR) {
      throw new SystemError(`${call} ${name}`, code, errorText(libc, code));
    }
  }
  throw new SystemError(`${call} ${name}`, ERANGE, errorText(libc, ERANGE));
}
