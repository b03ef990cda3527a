/**
 * All figures of a run, as the JSON file has them and as the screen shows them.
 *
 * @module
 */

import type { BelowMasterFigures } from "./below_master.ts";
import { formatBelowMaster } from "./below_master_report.ts";
import type { HeldFigures } from "./held.ts";
import { formatHeld } from "./held_report.ts";
import { type Disturbance, isQuiet, type Machine } from "./machine.ts";
import type { StandaloneFigures } from "./standalone.ts";
import { formatStandalone } from "./standalone_report.ts";
import type { StartUpFigures } from "./start_up.ts";
import { formatStartUp } from "./start_up_report.ts";
import { percent } from "./table.ts";
import { formatTargets, type Target } from "./targets.ts";

/** What was measured, part by part; null where `--only` left one out. */
export interface Figures {
  startUp: StartUpFigures | null;
  standalone: StandaloneFigures | null;
  held: HeldFigures | null;
  belowMaster: BelowMasterFigures | null;
}

/** All that a run found out: the shape of the JSON file. */
export interface Report extends Figures {
  measuredAt: string;
  machine: Machine;
  versions: Record<string, string>;
  plan: { rounds: number; seconds: number; clients: readonly number[] };
  targets: readonly Target[];
}

/**
 * Lays a report out for the screen.
 *
 * @param report The report.
 * @returns Its lines.
 */
export function formatReport(report: Report): string {
  const { plan, startUp, standalone, held, belowMaster, targets } = report;
  return [
    formatMachine(report),
    `Medians of ${plan.rounds} rounds of ${plan.seconds} s; ` +
    "a ratio is the median of each round's",
    ...startUp === null ? [] : [formatStartUp(startUp)],
    ...standalone === null ? [] : formatStandalone(standalone, plan.clients),
    ...held === null ? [] : [formatHeld(held)],
    ...belowMaster === null ? [] : formatBelowMaster(belowMaster, plan.clients),
    formatTargets(targets),
  ].filter((part) => part !== "").join("\n\n");
}

function formatMachine(
  { machine, versions, standalone, held, belowMaster }: Report,
): string {
  const { processor, cores, architecture, kernel } = machine;
  const facts = Object.entries(versions).map(([name, version]) =>
    version.startsWith(name) ? version : `${name}: ${version}`
  );
  const measurements: Disturbance[] = [
    ...standalone?.measurements ?? [],
    ...held?.measurements ?? [],
    ...belowMaster?.measurements ?? [],
  ];
  const disturbed = measurements.filter((one) => !isQuiet(one));
  const most = (name: keyof Disturbance): string =>
    percent(Math.max(...disturbed.map((one) => one[name])));
  const quiet = measurements.length - disturbed.length;
  return [
    `${processor}, ${cores} cores, ${architecture}, Linux ${kernel}`,
    ...facts,
    ...measurements.length === 0 ? [] : [
      `${quiet} of ${measurements.length} measurements had the machine to ` +
      "themselves",
    ],
    ...disturbed.length === 0 ? [] : [
      `the worst of the others had ${most("othersShare")} taken by other ` +
      `programs, ${most("stolenShare")} by the host`,
    ],
  ].join("\n");
}
