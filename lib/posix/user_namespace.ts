/**
 * Which user and group ids there are: in a user namespace only those that its
 * maker has mapped, user_namespaces(7). A process cannot become anybody else.
 *
 * @module
 */

import type { Identity } from "./credentials.ts";
import { checked, SystemError } from "./errno.ts";
import { O_CLOEXEC } from "./headers.ts";
import { cString, type Libc } from "./libc.ts";
import { readToEnd } from "./process.ts";

/**
 * Tells which ids of an identity there are not.
 *
 * @param libc The C library.
 * @param identity The ids.
 * @returns Them, as a phrase; `undefined` if there are both, or if the kernel
 * does not tell.
 */
export function unmappedIds(
  libc: Libc,
  { uid, gid }: Identity,
): string | undefined {
  const unmapped = [
    ...isMapped(libc, "uid", uid) ? [] : [`user id ${uid}`],
    ...isMapped(libc, "gid", gid) ? [] : [`group id ${gid}`],
  ];
  return unmapped.length === 0 ? undefined : unmapped.join(" and ");
}

function isMapped(libc: Libc, kind: "uid" | "gid", id: number): boolean {
  const map = readMap(libc, `/proc/self/${kind}_map`);
  return map === undefined ||
    map.some(([first = 0, , count = 0]) => id >= first && id - first < count);
}

/** Rows of the first id inside, the first outside, and their count. */
function readMap(libc: Libc, path: string): number[][] | undefined {
  try {
    const opened = libc.c.open(cString(path), O_CLOEXEC, 0);
    const fd = checked(libc, path, opened);
    try {
      return new TextDecoder().decode(readToEnd(libc, fd)).trim().split("\n")
        .map((line) => line.trim().split(/ +/).map(Number));
    } finally {
      libc.c.close(fd);
    }
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}
