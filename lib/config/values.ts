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

/** The value of a text, or why it has none and what to write: binary strings. */
export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly wrong: string; readonly mend: string };

/**
 * Reads permission bits, as a parameter has them.
 *
 * @param text As for {@linkcode parseMode}.
 * @returns The bits.
 */
export function modeValue(text: string): Parsed<number> {
  const value = parseMode(text);
  if (value !== undefined) return { ok: true, value };
  const mend = "write three octal digits, such as 0660";
  return { ok: false, wrong: "bad mode", mend };
}

/** Whole numbers are kept in a signed 32-bit number, as Postfix has them. */
const INTEGER_MIN = -(2 ** 31);
const INTEGER_MAX = 2 ** 31 - 1;

/**
 * Reads a whole number of a configuration: as {@linkcode parseCount}, but with
 * the sign and the white space before it that Postfix lets pass.
 *
 * @param text White space, a sign, and digits.
 * @returns The number, or `undefined` if the text is none or has no room in 32
 * bits.
 */
export function parseInteger(text: string): number | undefined {
  if (!/^[ \t\n\v\f\r]*[+-]?\d+$/.test(text)) return undefined;
  const number = Number(text);
  return number >= INTEGER_MIN && number <= INTEGER_MAX
    ? number + 0 // no negative zero
    : undefined;
}

/**
 * Reads a time of a configuration, as Postfix 3.7 does: units are small
 * letters, a unit without a number is none of it, and whatever follows a unit
 * is passed over, so that `1h30m` is an hour.
 *
 * @param text The time.
 * @param defaultUnit The unit of a number without one.
 * @returns Seconds and what was passed over, or `undefined` if the text is no
 * time.
 */
export function parseConfiguredTime(
  text: string,
  defaultUnit: TimeUnit,
): { seconds: number; passedOver: string } | undefined {
  const match = /^([ \t\n\v\f\r]*[+-]?\d+)?(?:([smhdw])(.*))?$/s.exec(text);
  if (match === null || text === "") return undefined;
  const [, number = "0", letter = defaultUnit, passedOver = ""] = match;
  const unit = UNIT_SECONDS[letter as TimeUnit]; // as matched
  const count = parseInteger(number);
  if (count === undefined || count < 0) return undefined;
  // Postfix refuses the last multiple that there would be room for.
  if (unit > 1 && count >= Math.floor(SECONDS_MAX / unit)) return undefined;
  return { seconds: count * unit, passedOver };
}

/**
 * Reads a boolean of a configuration.
 *
 * @param text `yes` or `no`, in letters of any size.
 * @returns Which, or `undefined` if the text is neither.
 */
export function parseBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return word === "yes" ? true : word === "no" ? false : undefined;
}
