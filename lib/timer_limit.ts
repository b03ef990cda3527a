/**
 * What timers can do.
 *
 * @module
 */

/** The longest delay that a timer takes; beyond it, it would fire at once. */
export const TIMER_MAX_MS = 2 ** 31 - 1;
