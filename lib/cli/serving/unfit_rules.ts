/**
 * Rules that need something of the machine: limits to how busy it may be, which
 * it must be able to tell, and hours, which need a time zone.
 *
 * @module
 */

import type { Place } from "../../config/problems.ts";
import type { CheckedService } from "../../config/services.ts";
import type { Libc } from "../../posix/libc.ts";
import type { Variables } from "../../engine/environment.ts";
import { EX, type Mistake } from "../../result.ts";
import { refuseLimits } from "../../service/machine_readings.ts";

/** What is wrong, and where. */
export interface PlacedMistake {
  readonly place: Place;
  readonly mistake: Mistake;
}

/** What the process was found to have. */
export interface RuleGround {
  readonly libc: Libc | undefined;
  readonly variables: Variables;
}

/**
 * Tells which rules of a service this machine, or this process, cannot follow.
 *
 * @param service The service.
 * @param ground What the process was found to have.
 * @returns What is wrong with them.
 */
export function unfitRules(
  { settings, scope }: CheckedService,
  { libc, variables }: RuleGround,
): PlacedMistake[] {
  const { spawnd_load_limit: load, spawnd_pressure_limit: pressures } =
    settings;
  const all = [
    [
      "spawnd_load_limit",
      refuseLimits(libc, { load, pressures: {} }),
    ],
    [
      "spawnd_pressure_limit",
      refuseLimits(libc, { load: undefined, pressures }),
    ],
    [
      "spawnd_access_times",
      settings.spawnd_access_times.length === 0
        ? undefined
        : refuseTimeZone(variables("TZ")),
    ],
  ] as const;
  return all.flatMap(([name, mistake]) =>
    mistake === undefined ? [] : [{ place: scope.place(name), mistake }]
  );
}

/** The runtime knows the names of tzdata, and takes all else for UTC. */
function refuseTimeZone(written = ""): Mistake | undefined {
  const timeZone = written.replace(/^:/, "");
  if (timeZone === "" || timeZone.startsWith("/")) return undefined;
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    return undefined;
  } catch {
    return {
      text: `hours in a time zone that is not known: TZ=${written}`,
      mend: "set TZ to one of tzdata's names, such as Europe/Berlin",
      exitCode: EX.CONFIG,
    };
  }
}
