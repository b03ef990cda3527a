/**
 * Limits to how busy the machine may be, which it must be able to tell.
 *
 * @module
 */

import type { Place } from "../../config/problems.ts";
import type { CheckedService } from "../../config/services.ts";
import type { Libc } from "../../posix/libc.ts";
import type { Mistake } from "../../result.ts";
import { refuseLimits } from "../../service/machine_readings.ts";

/** What is wrong, and where. */
export interface PlacedMistake {
  readonly place: Place;
  readonly mistake: Mistake;
}

/**
 * Tells which limits of a service are to what this machine does not tell.
 *
 * @param libc The C library, if there is one.
 * @param service The service.
 * @returns What is wrong with them.
 */
export function unknowableLimits(
  libc: Libc | undefined,
  { settings, scope }: CheckedService,
): PlacedMistake[] {
  const { spawnd_load_limit: load, spawnd_pressure_limit: pressures } =
    settings;
  const all = [
    ["spawnd_load_limit", { load, pressures: {} }],
    ["spawnd_pressure_limit", { load: undefined, pressures }],
  ] as const;
  return all.flatMap(([name, limits]) => {
    const mistake = refuseLimits(libc, limits);
    return mistake === undefined ? [] : [{ place: scope.place(name), mistake }];
  });
}
