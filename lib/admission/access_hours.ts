/**
 * Whether a service has its hours, at a time of the clock on the wall.
 *
 * @module
 */

import {
  type AccessTime,
  MINUTES_PER_DAY,
} from "../config/admission/access_times.ts";

/** A time of the week. */
export interface WeekTime {
  /** 0 for Sunday. */
  readonly day: number;
  /** From midnight. */
  readonly minute: number;
}

const DAYS = 7;

/**
 * Tells whether a service is to be had.
 *
 * @param times Its hours; none for always.
 * @param now The time.
 * @returns Whether it is.
 */
export function isWithinHours(
  times: readonly AccessTime[],
  { day, minute }: WeekTime,
): boolean {
  const yesterday = (day + DAYS - 1) % DAYS;
  return times.length === 0 ||
    times.some(({ days, startMinute, endMinute }) =>
      days.includes(day) && minute >= startMinute && minute < endMinute ||
      days.includes(yesterday) && minute < endMinute - MINUTES_PER_DAY
    );
}
