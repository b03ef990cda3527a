/**
 * Numbers as people read them, in few characters.
 *
 * @module
 */

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
  [0.001, "ms"],
];

const LARGE: readonly (readonly [number: number, name: string])[] = [
  [1e9, "G"],
  [1e6, "M"],
  [1e4, "k"],
];

/**
 * Writes a time in the largest unit of which there is one.
 *
 * @param seconds The time.
 * @returns Two digits or more, and the unit.
 *
 * @example
 * ```ts
 * humanSeconds(0.00112); // "1.1 ms"
 * ```
 */
export function humanSeconds(seconds: number): string {
  const [size, name] = UNITS.find(([size]) => seconds >= size) ??
    [0.001, "ms"] as const;
  const value = seconds / size;
  return `${value >= 10 ? Math.floor(value) : value.toFixed(1)} ${name}`;
}

/**
 * Writes a count; from ten thousand on in thousands.
 *
 * @param count The count.
 * @returns It, in five characters or less up to 999 G.
 */
export function humanCount(count: number): string {
  const [size, name] = LARGE.find(([size]) => count >= size) ?? [1, ""];
  if (size === 1) return `${count}`;
  const unit = name === "k" ? 1e3 : size;
  const value = count / unit;
  return `${value >= 10 ? Math.floor(value) : value.toFixed(1)}${name}`;
}
