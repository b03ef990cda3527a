/**
 * Supplementary groups of commands: looked up, and refused where a command must
 * not have them.
 *
 * @module
 */

import type { Identity } from "../../posix/credentials.ts";
import {
  EX,
  failure,
  type Mistake,
  type Result,
  success,
} from "../../result.ts";
import type { Accounts } from "../attributes.ts";

/**
 * Finds groups.
 *
 * @param names Their names.
 * @param accounts The accounts.
 * @returns Their ids, or which of them there is not.
 */
export function findGroups(
  names: readonly string[],
  accounts: Accounts,
): Result<readonly number[]> {
  const gids: number[] = [];
  for (const name of names) {
    const gid = accounts.findGroup(name);
    if (gid === undefined) {
      return failure({
        text: `unknown group name: ${name}`,
        exitCode: EX.NOUSER,
      });
    }
    gids.push(gid);
  }
  return success(gids);
}

/**
 * Tells which groups a command must not have beside its own: those that it must
 * not have as its own.
 *
 * @param gids The groups.
 * @param owner Whose ids the daemon itself has.
 * @returns The mistake, if there is one.
 */
export function refuseGroups(
  gids: readonly number[],
  owner: Identity | undefined,
): Mistake | undefined {
  const mend = "name the groups that it needs";
  if (gids.includes(0)) {
    const text = "request to use privileged group id 0";
    return { text, mend, exitCode: EX.CONFIG };
  }
  if (owner === undefined || !gids.includes(owner.gid)) return undefined;
  const text = `request to use mail system owner group id ${owner.gid}`;
  return { text, mend, exitCode: EX.CONFIG };
}
