/**
 * What the figures below one master(8) say: their targets, and the tables for
 * the screen.
 *
 * @module
 */

import { type BelowMasterFigures, heldConnections } from "./below_master.ts";
import { summaryAt } from "./load.ts";
import { type MasterServiceName, masterServiceNames } from "./postfix.ts";
import { countClients, formatLoadTable, formatTable } from "./table.ts";
import { judge, type Target } from "./targets.ts";

const titles: Readonly<Record<MasterServiceName, string>> = {
  spawn: "spawn(8)",
  spawnd: "spawnd",
  classic: "spawnd, one command a process",
};

/** What spawnd's rate is to be at a number of clients, as spawn(8)'s is 1. */
const rateTargets = new Map([[1, 1.15], [8, 1.15], [128, 1.3]]);
const clientsOfTailLatency = 128;

/**
 * Holds the figures against the targets. A target for a number of clients that
 * was not measured is left out.
 *
 * @param figures The figures.
 * @returns The targets with their verdicts.
 */
export function judgeBelowMaster(figures: BelowMasterFigures): Target[] {
  const { summaries } = figures;
  const own = summaries.filter((one) => one.server === "spawnd");
  const targets: Target[] = [];
  for (const { clients, rate, p99Us } of own) {
    const spawn = summaryAt(summaries, "spawn", clients);
    if (spawn === undefined) continue;
    const at = `below master, at ${countClients(clients)}`;
    const target = rateTargets.get(clients);
    if (target !== undefined) {
      targets.push(judge({
        name: `${at}: rate, spawnd / spawn(8)`,
        measured: rate / spawn.rate,
        bound: "at least",
        target,
      }));
    }
    if (clients === clientsOfTailLatency) {
      targets.push(judge({
        name: `${at}: 99th percentile, spawnd / spawn(8)`,
        measured: p99Us / spawn.p99Us,
        bound: "at most",
        target: 0.1,
      }));
    }
  }
  return [
    ...targets,
    judge({
      name: "below master: failed connections of spawnd",
      measured: own.reduce((sum, one) => sum + one.errors, 0),
      bound: "at most",
      target: 0,
    }),
    judgeMemory(figures, { held: heldConnections.few, target: 1 }),
    judgeMemory(figures, { held: heldConnections.many, target: 0.1 }),
  ];
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
  const names = masterServiceNames;
  return [
    [
      "Below one master(8), as Postfix comes: connections a second " +
      "(99th percentile),",
      "and the rate as a multiple of spawn(8)'s",
      formatLoadTable(figures.summaries, {
        ...{ clients, names, titles },
        baseline: "spawn",
      }),
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
