/**
 * Orphans: where this process is the first one of its process namespace, or a
 * subreaper, what commands leave behind becomes its child, and is to be
 * collected when it ends, or the namespace fills up with what is left of it.
 * So are commands that a former image of the process has given up, of which
 * nothing else is known.
 *
 * @module
 */

import type { Children } from "../posix/process.ts";

/** How often they are looked for: nothing tells of their end. */
const LOOK_MS = 1000;

/** More of them at once wait for the next time. */
const COLLECTED_MAX = 1000;

/**
 * Collects orphans from now on, if there can be any.
 *
 * @param children The way to find and collect them.
 * @param collectOurs Collects a child if it is one that somebody here waits
 * for, and tells whether it was.
 * @param isSuccessor Whether there was a former image of the process.
 */
export function collectOrphans(
  children: Children,
  { collectOurs, isSuccessor }: {
    readonly collectOurs: (pid: number) => boolean;
    readonly isSuccessor: boolean;
  },
): void {
  if (!isSuccessor && !children.mayBeOrphans()) return;
  const timer = setInterval(() => {
    for (let count = 0; count < COLLECTED_MAX; count++) {
      const pid = children.endedChild();
      if (pid === undefined) return;
      if (!collectOurs(pid)) children.collect(pid);
    }
  }, LOOK_MS);
  Deno.unrefTimer(timer);
}
