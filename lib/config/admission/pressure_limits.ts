/**
 * Limits on how busy the machine may be: its load, a decimal number, and the
 * kernel's pressure, `cpu=40 memory=10 io=50` in percent of the last seconds.
 *
 * @module
 */

import type { Parsed } from "../values.ts";

/** What the kernel tells the pressure of: proc_pressure(5). */
export const PRESSURES = ["cpu", "memory", "io"] as const;

/** One of them. */
export type PressureName = typeof PRESSURES[number];

/** Limits, in percent. */
export type PressureLimits = Readonly<Partial<Record<PressureName, number>>>;

const DECIMAL = /^\d{1,6}(?:\.\d{1,4})?$/;
const PERCENT_MAX = 100;
const EXAMPLE = "write cpu=40 memory=10 io=50, in percent";

/**
 * Reads a limit of load.
 *
 * @param text A decimal number, which is not 0. Nothing for no limit.
 * @returns The limit; or what is wrong.
 */
export function parseLoadLimit(text: string): Parsed<number | undefined> {
  if (text === "") return { ok: true, value: undefined };
  const limit = DECIMAL.test(text) ? Number(text) : 0;
  return limit > 0
    ? { ok: true, value: limit }
    : { ok: false, wrong: `bad load: ${text}`, mend: "write a number, as 4.5" };
}

/**
 * Reads limits of pressure.
 *
 * @param text `NAME=PERCENT` words.
 * @returns The limits; or what is wrong.
 */
export function parsePressureLimits(text: string): Parsed<PressureLimits> {
  const limits: Partial<Record<PressureName, number>> = {};
  for (const word of text.split(/[, \t\r\n]+/)) {
    if (word === "") continue;
    const [name, percent = "", ...rest] = word.split("=");
    const known = PRESSURES.find((each) => each === name);
    const limit = DECIMAL.test(percent) ? Number(percent) : 0;
    if (
      known === undefined || rest.length > 0 || limit <= 0 ||
      limit > PERCENT_MAX
    ) return { ok: false, wrong: `bad pressure: ${word}`, mend: EXAMPLE };
    limits[known] = limit;
  }
  return { ok: true, value: limits };
}
