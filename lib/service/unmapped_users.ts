/**
 * Users of a plan that no process here can become: told at once, rather than
 * at each connection.
 *
 * @module
 */

import type { Libc } from "../posix/libc.ts";
import { unmappedIds } from "../posix/user_namespace.ts";
import { EX, type Mistake } from "../result.ts";
import type { DaemonPlan } from "./plan.ts";

/**
 * Looks for them.
 *
 * @param libc The C library.
 * @param plan The plan.
 * @returns A mistake for each; none if all can be had.
 */
export function unmappedUsers(
  libc: Libc,
  { owner, services }: Pick<DaemonPlan, "owner" | "services">,
): Mistake[] {
  const identities = new Map(
    [
      ...owner === undefined ? [] : [owner],
      ...services.map(({ command }) => command.identity),
    ].map((identity) => [`${identity.uid} ${identity.gid}`, identity]),
  );
  return [...identities.values()].flatMap((identity) => {
    const ids = unmappedIds(libc, identity);
    return ids === undefined ? [] : [{
      text: `not in this user namespace: ${ids}`,
      mend: "map it there, or name another user",
      exitCode: EX.OSERR,
    }];
  });
}
