/**
 * What the figures of the standalone servers say: their targets, and the tables
 * for the screen.
 *
 * @module
 */

import { type Summary, summaryAt } from "./load.ts";
import type { Footprint, Memory } from "./memory.ts";
import type { TargetName } from "./servers.ts";
import type { StandaloneFigures } from "./standalone.ts";
import {
  countClients,
  formatLoadTable,
  formatTable,
  percent,
} from "./table.ts";
import { judge, type Target } from "./targets.ts";

const titles: Readonly<Record<TargetName, string>> = {
  spawnd: "spawnd",
  tcpserver: "tcpserver",
  xinetd: "xinetd",
  minimal: "minimal C",
  control: "no command",
};

// From this many clients on both processors are busy and the runtime's own
// work hides behind the kernel's; below, each connection waits for it.
const clientsOfFullLoad = 8;
const clientsOfTailLatency = 128;

/**
 * Holds the figures against the targets. A target whose servers were not
 * measured is left out.
 *
 * @param figures The figures.
 * @returns The targets with their verdicts.
 */
export function judgeStandalone(
  { summaries, footprints }: StandaloneFigures,
): Target[] {
  const own = summaries.filter((one) => one.server === "spawnd");
  const footprint = footprints.find((one) => one.server === "spawnd");
  return [
    ...own.flatMap((summary) => judgeLoad(summary, summaries)),
    ...(own.length === 0 ? [] : [judge({
      name: "spawnd: failed connections",
      measured: own.reduce((sum, one) => sum + one.errors, 0),
      bound: "at most",
      target: 0,
    })]),
    ...(footprint === undefined ? [] : judgeFootprint(footprint)),
  ];
}

function judgeLoad(
  { clients, rate, p99Us }: Summary,
  summaries: readonly Summary[],
): Target[] {
  const targets: Target[] = [];
  const at = countClients(clients);
  const tcpserver = summaryAt(summaries, "tcpserver", clients);
  const minimal = summaryAt(summaries, "minimal", clients);
  if (tcpserver !== undefined) {
    targets.push(judge({
      name: `rate at ${at}: spawnd / tcpserver`,
      measured: rate / tcpserver.rate,
      bound: "at least",
      target: 1,
    }));
  }
  if (minimal !== undefined) {
    targets.push(judge({
      name: `rate at ${at}: spawnd / minimal C`,
      measured: rate / minimal.rate,
      bound: "at least",
      target: clients >= clientsOfFullLoad ? 0.9 : 0.85,
    }));
  }
  if (tcpserver !== undefined && clients === clientsOfTailLatency) {
    targets.push(judge({
      name: `99th percentile at ${at}: spawnd / tcpserver`,
      measured: p99Us / tcpserver.p99Us,
      bound: "at most",
      target: 1,
    }));
  }
  return targets;
}

function judgeFootprint(
  { bytesPerHeld, writableExecutable }: Footprint,
): Target[] {
  return [
    judge({
      name: "spawnd: own memory per held connection, bytes",
      measured: bytesPerHeld,
      bound: "below",
      target: 3072,
    }),
    judge({
      name: "spawnd: mappings writable and executable",
      measured: writableExecutable,
      bound: "at most",
      target: 0,
    }),
  ];
}

/**
 * Lays the figures out for the screen.
 *
 * @param figures The figures.
 * @param clients The rows of the tables.
 * @returns The tables, one text each.
 */
export function formatStandalone(
  figures: StandaloneFigures,
  clients: readonly number[],
): string[] {
  const { servers: names, summaries } = figures;
  return [
    [
      "Standalone: connections a second (99th percentile)",
      formatLoadTable(summaries, { clients, names, titles }),
    ].join("\n"),
    formatClient(figures, clients),
    formatStanding(figures),
  ];
}

/** Shows that the client could have made more connections than it did. */
function formatClient(
  { servers, summaries }: StandaloneFigures,
  clients: readonly number[],
): string {
  const rows = clients.map((clients) => {
    const real = servers.flatMap((server) =>
      summaryAt(summaries, server, clients) ?? []
    );
    const control = summaryAt(summaries, "control", clients)?.rate ?? NaN;
    const fastest = Math.max(...real.map((one) => one.rate));
    const share = Math.max(...real.map((one) => one.clientCpuShare));
    return [
      `${clients}`,
      control.toFixed(0),
      `${(control / fastest).toFixed(1)} x the fastest server`,
      `${percent(share)} of a processor`,
    ];
  });
  return [
    "The client is not the bottleneck: what it reaches against a server that",
    "answers without a command, and what it took at most against the others",
    formatTable([["clients", "connections/s", "", "its share"], ...rows]),
  ].join("\n");
}

function formatStanding({ footprints, startUp }: StandaloneFigures): string {
  if (footprints.length === 0) return "";
  const memory = ({ residentKb, ownKb }: Memory): string =>
    `${residentKb} (${ownKb})`;
  const [first] = footprints;
  const header = [
    "",
    "after start",
    `after ${first?.served}`,
    `${first?.held} held`,
    "bytes per held",
    "threads",
    "w+x maps",
  ];
  const rows = footprints.map((one) => [
    titles[one.server],
    memory(one.afterStart),
    memory(one.afterServing),
    memory(one.whileHolding),
    `${one.bytesPerHeld}`,
    `${one.afterServing.threads}`,
    `${one.writableExecutable}`,
  ]);
  return [
    "Resident memory in KB (of which own, RssAnon) of the daemon alone",
    formatTable([header, ...rows]),
    ...(startUp === null ? [] : [
      "",
      `${titles[startUp.server]}, from exec to the first answer: ` +
      `${startUp.firstMs.toFixed(1)} ms the first time, ` +
      `${startUp.warmMedianMs.toFixed(1)} ms warm ` +
      `(median of ${startUp.warmStarts})`,
    ]),
  ].join("\n");
}
