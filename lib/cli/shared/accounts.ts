/**
 * The system's accounts.
 *
 * @module
 */

import type { Accounts } from "../../config/attributes.ts";
import {
  findGroup,
  findGroups,
  findLogin,
  findUser,
} from "../../posix/accounts.ts";
import type { Libc } from "../../posix/libc.ts";

/**
 * The system's accounts, by way of the C library.
 *
 * @param libc The C library.
 * @returns The accounts.
 */
export function accountsOf(libc: Libc): Accounts {
  return {
    findUser: onceEach((name) => findUser(libc, name)),
    findGroup: onceEach((name) => findGroup(libc, name)),
    findLogin: (name) => findLogin(libc, name),
    groupsOf: (name, gid) => findGroups(libc, name, gid),
  };
}

/** Many services have one account; each is looked up once. */
function onceEach<T>(find: (name: string) => T): (name: string) => T {
  const found = new Map<string, T>();
  return (name) => {
    if (!found.has(name)) found.set(name, find(name));
    return found.get(name) as T; // as it was put there
  };
}
