/**
 * How busy the machine is, out of what the kernel says of it, and whether that
 * is too much.
 *
 * @module
 */

import type {
  PressureLimits,
  PressureName,
} from "../config/admission/pressure_limits.ts";

/** What is too much. */
export interface BusyLimits {
  /** `undefined` for no limit. */
  readonly load: number | undefined;
  readonly pressures: PressureLimits;
}

/** What stands above its limit. */
export interface Busy {
  readonly what: "load" | PressureName;
  readonly value: number;
  readonly limit: number;
}

/**
 * Reads the load of the last minute.
 *
 * @param text What proc_loadavg(5) has.
 * @returns The load; `undefined` if the text has none.
 */
export function loadIn(text: string): number | undefined {
  return numberIn(/^(\d+\.\d+) /.exec(text));
}

/**
 * Reads the share of the last ten seconds in which something was waited for.
 *
 * @param text What a file of proc_pressure(5) has.
 * @returns Percent; `undefined` if the text has none.
 */
export function pressureIn(text: string): number | undefined {
  return numberIn(/^some avg10=(\d+\.\d+) /m.exec(text));
}

function numberIn(match: RegExpExecArray | null): number | undefined {
  return match === null ? undefined : Number(match[1]);
}

/**
 * Finds what is too much.
 *
 * @param limits The limits.
 * @param valueOf Gives the value of what has a limit; what the kernel does not
 * tell any more has none, and keeps nobody out.
 * @returns The first one; `undefined` if there is none.
 */
export function findBusy(
  limits: BusyLimits,
  valueOf: (what: Busy["what"]) => number | undefined,
): Busy | undefined {
  const all: [Busy["what"], number | undefined][] = [
    ["load", limits.load],
    ["cpu", limits.pressures.cpu],
    ["memory", limits.pressures.memory],
    ["io", limits.pressures.io],
  ];
  for (const [what, limit] of all) {
    if (limit === undefined) continue;
    const value = valueOf(what);
    if (value !== undefined && value > limit) return { what, value, limit };
  }
  return undefined;
}
