/**
 * What timers are, and can do.
 *
 * @module
 */

/** What `setTimeout` returns: a number on Deno 2.7, an object on 2.9. */
export type Timer = ReturnType<typeof setTimeout>;

/** The longest delay that a timer takes; beyond it, it would fire at once. */
export const TIMER_MAX_MS = 2 ** 31 - 1;
