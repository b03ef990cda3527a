/**
 * Values as Postfix writes them: times with a unit, and whole numbers.
 *
 * @module
 */

/** The units of a time, in seconds. */
const UNIT_SECONDS = {
  s: 1,
  m: 60,
  h: 60 * 60,
  d: 24 * 60 * 60,
  w: 7 * 24 * 60 * 60,
} as const;

/** A unit of time: seconds, minutes, hours, days, weeks. */
export type TimeUnit = keyof typeof UNIT_SECONDS;

/** Times are kept in a signed 32-bit number of seconds, as Postfix has them. */
const SECONDS_MAX = 2 ** 31 - 1;

/**
 * Reads a time.
 *
 * @param text Digits, and one of `s`, `m`, `h`, `d`, `w`.
 * @param defaultUnit The unit of a number without one.
 * @returns Seconds, or `undefined` if the text is no time.
 *
 * @example
 * ```ts
 * parseTime("5m", "s"); // 300
 * ```
 */
export function parseTime(
  text: string,
  defaultUnit: TimeUnit,
): number | undefined {
  const match = /^(\d+)([smhdw])?$/i.exec(text);
  if (match === null) return undefined;
  const unit = (match[2]?.toLowerCase() ?? defaultUnit) as TimeUnit; // as matched
  const seconds = Number(match[1]) * UNIT_SECONDS[unit];
  return seconds <= SECONDS_MAX ? seconds : undefined;
}

/**
 * Reads a whole number.
 *
 * @param text Digits.
 * @param max The largest number allowed.
 * @returns The number, or `undefined` if the text is none or it is too large.
 */
export function parseCount(text: string, max: number): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const count = Number(text);
  return count <= max ? count : undefined;
}

/**
 * Reads permission bits.
 *
 * @param text Three octal digits, with a leading zero or without.
 * @returns The bits, or `undefined` if the text is none.
 */
export function parseMode(text: string): number | undefined {
  return /^0?[0-7]{3}$/.test(text) ? parseInt(text, 8) : undefined;
}
