/**
 * What the times of the starts say: their targets, and the table for the
 * screen.
 *
 * @module
 */

import { formatTable } from "../lib/table.ts";
import {
  type Start,
  starts,
  type StartTime,
  type StartUpFigures,
} from "./start_up.ts";
import { median, medianRatio } from "./summary.ts";
import { judge, type Target } from "./targets.ts";

const titles: Readonly<Record<Start, string>> = {
  bare: "a bare compiled program",
  version: "spawnd --version",
  run: "spawnd run, to the first answer",
};

const targets = { version: 1.5, run: 1.8 } as const;

/**
 * Holds the times against the targets.
 *
 * @param figures The times.
 * @returns The targets with their verdicts.
 */
export function judgeStartUp(figures: StartUpFigures): Target[] {
  return (["version", "run"] as const).map((start) =>
    judge({
      name: `start: ${titles[start]} / bare`,
      measured: ratioToBare(figures, start),
      bound: "at most",
      target: targets[start],
    })
  );
}

/**
 * Lays the times out for the screen.
 *
 * @param figures The times.
 * @returns The table.
 */
export function formatStartUp(figures: StartUpFigures): string {
  const { first, measurements } = figures;
  const rows = starts.map((start) => [
    titles[start],
    ...[first, measurements].map((times) =>
      median(timesOf(times, start).map(({ ms }) => ms)).toFixed(1)
    ),
    ratioToBare(figures, start).toFixed(2),
  ]);
  const count = timesOf(measurements, "bare").length;
  return [
    "Start-up from exec on, in ms: the first time, the median of " +
    `${count} later ones,`,
    "and the ratio to a bare program that is compiled the same way",
    formatTable([["", "first", "warm", "ratio"], ...rows]),
  ].join("\n");
}

function ratioToBare({ measurements }: StartUpFigures, start: Start): number {
  return medianRatio({
    above: timesOf(measurements, start),
    below: timesOf(measurements, "bare"),
  }, ({ ms }) => ms);
}

function timesOf(times: readonly StartTime[], start: Start): StartTime[] {
  return times.filter((one) => one.start === start);
}
