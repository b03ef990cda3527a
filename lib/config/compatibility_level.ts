/**
 * Postfix's compatibility levels, `3`, `3.6` or `3.6.1`, which the operators
 * `==level`, `<level` and their kin put in order.
 *
 * @module
 */

/** Up to three numbers; a sign and white space may stand before the first. */
const LEVEL = /^[ \t\n\v\f\r]*\+?(\d+)(?:\.(\d+)(?:\.(\d+))?)?$/;

/** The largest second or third number. */
const MINOR_MAX = 1023;

/**
 * Puts two levels in order.
 *
 * @param left A level.
 * @param right Another.
 * @returns Less than, equal to or greater than zero, or the first that is no
 * level.
 */
export function compareLevels(
  left: string,
  right: string,
): number | { malformed: string } {
  const a = parseLevel(left);
  if (a === undefined) return { malformed: left };
  const b = parseLevel(right);
  if (b === undefined) return { malformed: right };
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function parseLevel(text: string): [number, number, number] | undefined {
  const match = LEVEL.exec(text);
  if (match === null) return undefined;
  const [, major, minor = 0, patch = 0] = match;
  const level: [number, number, number] = [+(major ?? 0), +minor, +patch];
  return level[1] > MINOR_MAX || level[2] > MINOR_MAX ? undefined : level;
}
