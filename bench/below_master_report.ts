/**
 * What the figures below one master(8) say: their targets, and the tables for
 * the screen.
 *
 * @module
 */

import { formatTable } from "../lib/table.ts";
import { type BelowMasterFigures, heldConnections } from "./below_master.ts";
import { type MasterServiceName, masterServiceNames } from "./postfix.ts";
import { medianRatio, select } from "./summary.ts";
import {
  countClients,
  formatLoadTable,
  formatRatioTable,
  formatTimeTable,
  type Layout,
} from "./table.ts";
import { judge, type Target } from "./targets.ts";

const titles: Readonly<Record<MasterServiceName, string>> = {
  spawn: "spawn(8)",
  spawnd: "spawnd",
  classic: "spawnd, one command a process",
};

/** What spawnd's rate is to be at a number of clients, as spawn(8)'s is 1. */
const rateTargets = new Map([[1, 1.4], [8, 1.15], [32, 1.2], [128, 1.2]]);
const tailTargets = new Map([[128, 0.1]]);
const workload = "cat";

/**
 * Holds the figures against the targets. A target for a number of clients that
 * was not measured is left out.
 *
 * @param figures The figures.
 * @returns The targets with their verdicts.
 */
export function judgeBelowMaster(figures: BelowMasterFigures): Target[] {
  return [
    ...judgeRatios(figures, { figure: "rate", targets: rateTargets }),
    ...judgeRatios(figures, { figure: "p99Us", targets: tailTargets }),
    judge({
      name: "below master: failed connections of spawnd",
      measured: figures.summaries.reduce(
        (sum, one) => sum + (one.server === "spawnd" ? one.errors : 0),
        0,
      ),
      bound: "at most",
      target: 0,
    }),
    judgeMemory(figures, { held: heldConnections.few, target: 1 }),
    judgeMemory(figures, { held: heldConnections.many, target: 0.1 }),
  ];
}

function judgeRatios(
  { measurements }: BelowMasterFigures,
  { figure, targets }: {
    figure: "rate" | "p99Us";
    targets: ReadonlyMap<number, number>;
  },
): Target[] {
  const isRate = figure === "rate";
  return [...targets].flatMap(([clients, target]) => {
    const above = select(measurements, { workload, server: "spawnd", clients });
    const below = select(measurements, { workload, server: "spawn", clients });
    if (above.length === 0) return [];
    return [judge({
      name: `below master, ${countClients(clients)}: ` +
        `${isRate ? "rate" : "99th percentile"}, spawnd / spawn(8)`,
      measured: medianRatio({ above, below }, (one) => one[figure]),
      bound: isRate ? "at least" : "at most",
      target,
    })];
  });
}

function judgeMemory(
  figures: BelowMasterFigures,
  { held, target }: { held: number; target: number },
): Target {
  const size = (server: MasterServiceName): number =>
    memoryAt(figures, server, held)?.proportionalKb ?? NaN;
  return judge({
    name: `below master, ${held} held: memory, spawnd / spawn(8)`,
    measured: size("spawnd") / size("spawn"),
    bound: "at most",
    target,
  });
}

function memoryAt(
  { memory }: BelowMasterFigures,
  server: MasterServiceName,
  held: number,
): BelowMasterFigures["memory"][number] | undefined {
  return memory.find((one) => one.server === server && one.held === held);
}

/**
 * Lays the figures out for the screen.
 *
 * @param figures The figures.
 * @param clients The rows of the table of the load.
 * @returns The tables, one text each.
 */
export function formatBelowMaster(
  figures: BelowMasterFigures,
  clients: readonly number[],
): string[] {
  const layout: Layout<MasterServiceName> = {
    ...{ workload, clients, titles },
    names: masterServiceNames,
  };
  return [
    `The environment of every command below master(8), as Postfix comes:\n${
      figures.environment.join(" ")
    }`,
    [
      "Below one master(8), as Postfix comes, /bin/cat: connections a second",
      "(99th percentile)",
      formatLoadTable(figures.summaries, layout),
    ].join("\n"),
    [
      "Below one master(8): spawnd's rate (99th percentile) as a multiple of",
      formatRatioTable(figures.measurements, "spawnd", {
        ...layout,
        names: masterServiceNames.filter((name) => name !== "spawnd"),
      }),
    ].join("\n"),
    [
      "Below one master(8): processor time of each connection in us, of the",
      "whole machine with the client",
      formatTimeTable(figures.summaries, layout),
    ].join("\n"),
    formatStanding(figures),
    formatWarnings(figures),
  ];
}

function formatStanding(figures: BelowMasterFigures): string {
  const header = ["", ...masterServiceNames.map((name) => titles[name])];
  const memoryRows = Object.values(heldConnections).map((held) => [
    `KB with ${held} held`,
    ...masterServiceNames.map((server) => {
      const one = memoryAt(figures, server, held);
      if (one === undefined) return "not measured";
      return `${one.proportionalKb} (${one.processes})`;
    }),
  ]);
  const coldStart = masterServiceNames.map((server) => {
    const one = figures.coldStarts.find((one) => one.server === server);
    return one === undefined ? "-" : one.medianMs.toFixed(1);
  });
  const count = figures.coldStarts[0]?.eachMs.length;
  return [
    "Memory of all processes of the service (how many), the commands not",
    "counted, as the sum of their proportional set sizes; and what the first",
    `client waits while none of them runs (median of ${count})`,
    formatTable([header, ...memoryRows, ["first client, ms", ...coldStart]]),
  ].join("\n");
}

function formatWarnings({ warnings }: BelowMasterFigures): string {
  const [first] = warnings;
  if (first === undefined) return "";
  return `The mail log has ${warnings.length} warnings; the first:\n${first}`;
}
