/**
 * Waiting for what a daemon under attack may never do.
 *
 * @module
 */

import { talkTo } from "../configuration.ts";
import { NEVER_MS } from "../machine.ts";

/**
 * Waits for something that a daemon which is under attack may never do.
 *
 * @param what It, for the error.
 * @throws {Error} If it has not come within `withinMs`.
 */
export async function within<T>(
  what: string,
  awaited: Promise<T>,
  withinMs = NEVER_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`not within ${withinMs} ms: ${what}`);
    timer = setTimeout(() => reject(error), withinMs);
  });
  try {
    return await Promise.race([awaited, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Talks to a service whose clients may have to wait for long.
 *
 * @returns What came back; what went wrong, if the connection was reset or
 * nothing came. So it can be awaited late.
 */
export async function answerOf(address: string): Promise<string> {
  return await within(`an answer of ${address}`, talkTo(address))
    .catch(String);
}
