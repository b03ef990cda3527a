/**
 * What the figures of the standalone servers say: their targets, and the tables
 * for the screen.
 *
 * @module
 */

import { formatTable } from "../lib/table.ts";
import { type Workload, workloads, workloadTitles } from "./commands.ts";
import type { Measurement } from "./load.ts";
import type { Footprint, Memory } from "./memory.ts";
import { type ServerName, serverTitles } from "./servers.ts";
import type { StandaloneFigures } from "./standalone.ts";
import { medianRatio, select } from "./summary.ts";
import {
  countClients,
  formatLoadTable,
  formatRatioTable,
  formatTimeTable,
  percent,
} from "./table.ts";
import { judge, type Target } from "./targets.ts";

/** What spawnd's figure is to be, as another server's is 1. */
interface Aim {
  workload: Workload;
  figure: "rate" | "p99Us";
  than: ServerName;
  /** By the number of clients. */
  targets: ReadonlyMap<number, number>;
}

const figureTitles: Readonly<Record<Aim["figure"], string>> = {
  rate: "rate",
  p99Us: "99th percentile",
};

const aims: readonly Aim[] = [
  {
    ...{ workload: "cat", figure: "rate", than: "tcpserver" },
    targets: new Map([[1, 1.05], [8, 1.1], [32, 1.05], [128, 1.05]]),
  },
  {
    ...{ workload: "cat", figure: "p99Us", than: "tcpserver" },
    targets: new Map([[1, 1.05], [8, 1.1], [32, 0.85], [128, 0.85]]),
  },
  {
    ...{ workload: "static", figure: "rate", than: "tcpserver" },
    targets: new Map([[1, 1.25], [8, 1.1], [32, 1.1], [128, 1.1]]),
  },
  {
    ...{ workload: "static", figure: "rate", than: "minimal" },
    targets: new Map([[1, 1], [8, 1.25], [32, 1.25], [128, 1.25]]),
  },
];

/**
 * Holds the figures against the targets. A target whose servers or number of
 * clients were not measured is left out.
 *
 * @param figures The figures.
 * @returns The targets with their verdicts.
 */
export function judgeStandalone(
  { measurements, footprints }: StandaloneFigures,
): Target[] {
  const own = measurements.filter((one) => one.server === "spawnd");
  const footprint = footprints.find((one) => one.server === "spawnd");
  return [
    ...aims.flatMap((aim) => judgeAim(aim, measurements)),
    ...judgeCost("rules", measurements),
    ...judgeCost("surroundings", measurements),
    ...(own.length === 0 ? [] : [judge({
      name: "spawnd: failed connections",
      measured: own.reduce((sum, one) => sum + one.errors, 0),
      bound: "at most",
      target: 0,
    })]),
    ...(footprint === undefined ? [] : judgeFootprint(footprint)),
  ];
}

function judgeAim(
  { workload, figure, than, targets }: Aim,
  measurements: readonly Measurement[],
): Target[] {
  return [...targets].flatMap(([clients, target]) => {
    const pairs = {
      above: select(measurements, { workload, server: "spawnd", clients }),
      below: select(measurements, { workload, server: than, clients }),
    };
    if (pairs.above.length === 0 || pairs.below.length === 0) return [];
    return [judge({
      name: `${workloadTitles[workload]}, ${countClients(clients)}: ` +
        `${figureTitles[figure]}, spawnd / ${serverTitles[than]}`,
      measured: medianRatio(pairs, (one) => one[figure]),
      bound: figure === "rate" ? "at least" : "at most",
      target,
    })];
  });
}

/** One connection may cost as much more, as a share, with all of them on. */
const costMax = 0.02;

function judgeCost(
  server: "rules" | "surroundings",
  measurements: readonly Measurement[],
): Target[] {
  const clients = 1;
  return workloads.flatMap((workload) => {
    const above = select(measurements, { workload, server, clients });
    const below = select(measurements, { workload, server: "spawnd", clients });
    if (above.length === 0 || below.length === 0) return [];
    return [judge({
      name: `${workloadTitles[workload]}, ${countClients(clients)}: rate, ` +
        `${serverTitles[server]} / ${serverTitles.spawnd}`,
      measured: medianRatio({ above, below }, (one) => one.rate),
      bound: "at least",
      target: Number((1 / (1 + costMax)).toFixed(3)),
    })];
  });
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
  return [
    formatEnvironments(figures),
    ...workloads.flatMap((workload) =>
      formatWorkload(figures, { workload, clients })
    ),
    formatClient(figures, clients),
    formatStanding(figures),
  ];
}

function formatEnvironments({ environments }: StandaloneFigures): string {
  const added = environments.filter((one) => one.added.length > 0).map((one) =>
    `${serverTitles[one.server]} adds ${one.added.join(", ")}`
  );
  return [
    `The environment of every command: ${environments[0]?.common.join(" ")}`,
    ...added,
  ].join("\n");
}

function formatWorkload(
  { servers: names, measurements, summaries }: StandaloneFigures,
  { workload, clients }: { workload: Workload; clients: readonly number[] },
): string[] {
  const layout = { workload, clients, names, titles: serverTitles };
  const title = workloadTitles[workload];
  const others = names.filter((name) => name !== "spawnd");
  const isCompared = others.length > 0 && others.length < names.length;
  return [
    [
      `Standalone, ${title}: connections a second (99th percentile)`,
      formatLoadTable(summaries, layout),
    ].join("\n"),
    ...(isCompared
      ? [[
        `Standalone, ${title}: spawnd's rate (99th percentile) as a multiple of`,
        formatRatioTable(measurements, "spawnd", { ...layout, names: others }),
      ].join("\n")]
      : []),
    [
      `Standalone, ${title}: processor time of each connection in us, of the`,
      "daemon / of its children / of the whole machine with the client",
      formatTimeTable(summaries, layout),
    ].join("\n"),
  ];
}

/** Shows that the client could have made more connections than it did. */
function formatClient(
  { summaries }: StandaloneFigures,
  clients: readonly number[],
): string {
  const rows = clients.map((clients) => {
    const atLevel = summaries.filter((one) => one.clients === clients);
    const real = atLevel.filter((one) => one.server !== "control");
    const control = atLevel.find((one) => one.server === "control")?.rate ??
      NaN;
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

function formatStanding({ footprints }: StandaloneFigures): string {
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
    serverTitles[one.server],
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
  ].join("\n");
}
