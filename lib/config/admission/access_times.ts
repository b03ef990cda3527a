/**
 * Hours of service: `08:00-18:00 Mon-Fri, 10:00-14:00 Sat`. A time that ends
 * before it begins goes on into the next day.
 *
 * @module
 */

import type { Parsed } from "../values.ts";

/** Hours on some days. */
export interface AccessTime {
  /** The days on which they begin: 0 for Sunday, as JavaScript has it. */
  readonly days: readonly number[];
  /** In minutes from midnight. */
  readonly startMinute: number;
  /** The minute that is none of them any more; at most one day later. */
  readonly endMinute: number;
}

export const MINUTES_PER_DAY = 24 * 60;

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
const ALL_DAYS = [0, 1, 2, 3, 4, 5, 6];

const TIMES = /^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$/;
const DAY_RANGE = /^([a-z]{3})(?:-([a-z]{3}))?$/i;

const EXAMPLE = "write times as 08:00-18:00 Mon-Fri, 10:00-14:00 Sat";

/**
 * Reads hours of service.
 *
 * @param text Items between commas, each of times and days between blanks;
 * without days, every day is meant. Nothing for no hours.
 * @returns The hours; or what is wrong.
 *
 * @example
 * ```ts
 * parseAccessTimes("22:00-06:00 Fri");
 * // [{ days: [5], startMinute: 1320, endMinute: 1800 }]
 * ```
 */
export function parseAccessTimes(text: string): Parsed<readonly AccessTime[]> {
  const times: AccessTime[] = [];
  if (text.trim() === "") return { ok: true, value: times };
  for (const item of text.split(",")) {
    const hours: { startMinute: number; endMinute: number }[] = [];
    const days: number[] = [];
    for (const word of item.split(/[ \t\r\n]+/).filter((word) => word !== "")) {
      const someHours = hoursOf(word);
      const someDays = someHours === undefined ? daysOf(word) : [];
      if (someDays === undefined) {
        return { ok: false, wrong: `bad access time: ${word}`, mend: EXAMPLE };
      }
      if (someHours !== undefined) hours.push(someHours);
      days.push(...someDays);
    }
    if (hours.length === 0) {
      const wrong = days.length === 0
        ? "an empty access time"
        : `days without hours: ${item.trim()}`;
      return { ok: false, wrong, mend: EXAMPLE };
    }
    times.push(...hours.map((each) => ({
      days: days.length === 0 ? ALL_DAYS : days,
      ...each,
    })));
  }
  return { ok: true, value: times };
}

function hoursOf(
  word: string,
): { startMinute: number; endMinute: number } | undefined {
  const match = TIMES.exec(word);
  if (match === null) return undefined;
  const [startHour = 0, startMinutes = 0, endHour = 0, endMinutes = 0] = match
    .slice(1).map(Number);
  const startMinute = startHour * 60 + startMinutes;
  const end = endHour * 60 + endMinutes;
  if (
    startMinutes > 59 || endMinutes > 59 || startMinute >= MINUTES_PER_DAY ||
    end > MINUTES_PER_DAY || startMinute === end
  ) return undefined;
  const endMinute = end > startMinute ? end : end + MINUTES_PER_DAY;
  return { startMinute, endMinute };
}

/** `Fri-Mon` goes through the end of the week. */
function daysOf(word: string): number[] | undefined {
  const [, firstName, lastName = firstName] = DAY_RANGE.exec(word) ?? [];
  const first = dayOf(firstName);
  const last = dayOf(lastName);
  if (first === undefined || last === undefined) return undefined;
  const count = (last - first + DAYS.length) % DAYS.length + 1;
  return Array.from(
    { length: count },
    (_, index) => (first + index) % DAYS.length,
  );
}

function dayOf(name: string | undefined): number | undefined {
  const day = DAYS.findIndex((known) => known === name?.toLowerCase());
  return day < 0 ? undefined : day;
}
