/**
 * What the figures say: the targets with their verdicts, and the tables for
 * the screen.
 *
 * @module
 */

import type { Measurement, Summary } from "./load.ts";
import { type Disturbance, isQuiet, type Machine } from "./machine.ts";
import type { Footprint, Memory, StartUp } from "./memory.ts";
import type { ServerName, TargetName } from "./servers.ts";

/** All that a run measured: the shape of the JSON file. */
export interface Report {
  measuredAt: string;
  machine: Machine;
  versions: Record<string, string>;
  plan: {
    rounds: number;
    seconds: number;
    clients: readonly number[];
    servers: readonly ServerName[];
  };
  measurements: readonly Measurement[];
  summaries: readonly Summary[];
  startUp: StartUp | null;
  footprints: readonly Footprint[];
  targets: readonly Target[];
}

/** A figure beside what it has to reach. */
export interface Target {
  name: string;
  measured: number;
  bound: "at least" | "at most" | "below";
  target: number;
  verdict: "met" | "missed";
}

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
 * @param summaries The medians of the load.
 * @param footprints The memory of the daemons.
 * @returns The targets with their verdicts.
 */
export function judge(
  summaries: readonly Summary[],
  footprints: readonly Footprint[],
): Target[] {
  const targets: Target[] = [];
  const add = (
    name: string,
    measured: number,
    bound: Target["bound"],
    target: number,
  ): void => {
    const verdict = isWithin(measured, bound, target) ? "met" : "missed";
    targets.push({ name, measured, bound, target, verdict });
  };
  for (const { clients, rate, p99Us } of summariesOf(summaries, "spawnd")) {
    const at = clients === 1 ? "1 client" : `${clients} clients`;
    const tcpserver = summaryAt(summaries, "tcpserver", clients);
    const minimal = summaryAt(summaries, "minimal", clients);
    if (tcpserver !== undefined) {
      add(
        `rate at ${at}: spawnd / tcpserver`,
        rate / tcpserver.rate,
        "at least",
        1,
      );
    }
    if (minimal !== undefined) {
      add(
        `rate at ${at}: spawnd / minimal C`,
        rate / minimal.rate,
        "at least",
        clients >= clientsOfFullLoad ? 0.9 : 0.85,
      );
    }
    if (tcpserver !== undefined && clients === clientsOfTailLatency) {
      add(
        `99th percentile at ${at}: spawnd / tcpserver`,
        p99Us / tcpserver.p99Us,
        "at most",
        1,
      );
    }
  }
  const errors = summariesOf(summaries, "spawnd")
    .reduce((sum, one) => sum + one.errors, 0);
  if (summariesOf(summaries, "spawnd").length > 0) {
    add("spawnd: failed connections", errors, "at most", 0);
  }
  const footprint = footprints.find((one) => one.server === "spawnd");
  if (footprint !== undefined) {
    add(
      "spawnd: own memory per held connection, bytes",
      footprint.bytesPerHeld,
      "below",
      3072,
    );
    add(
      "spawnd: mappings writable and executable",
      footprint.writableExecutable,
      "at most",
      0,
    );
  }
  return targets;
}

function isWithin(
  measured: number,
  bound: Target["bound"],
  target: number,
): boolean {
  switch (bound) {
    case "at least":
      return measured >= target;
    case "at most":
      return measured <= target;
    case "below":
      return measured < target;
  }
}

function summariesOf(
  summaries: readonly Summary[],
  server: TargetName,
): Summary[] {
  return summaries.filter((one) => one.server === server);
}

function summaryAt(
  summaries: readonly Summary[],
  server: TargetName,
  clients: number,
): Summary | undefined {
  return summaries.find((one) =>
    one.server === server && one.clients === clients
  );
}

/**
 * Lays a report out for the screen.
 *
 * @param report The report.
 * @returns Its lines.
 */
export function formatReport(report: Report): string {
  return [
    formatMachine(report),
    formatLoad(report),
    formatClient(report),
    formatStanding(report),
    formatTargets(report.targets),
  ].filter((part) => part !== "").join("\n\n");
}

function formatMachine({ machine, versions, measurements }: Report): string {
  const { processor, cores, architecture, kernel } = machine;
  const facts = Object.entries(versions).map(([name, version]) =>
    version.startsWith(name) ? version : `${name}: ${version}`
  );
  const most = (name: keyof Disturbance): number =>
    Math.max(...measurements.map((one) => one[name]));
  return [
    `${processor}, ${cores} cores, ${architecture}, Linux ${kernel}`,
    ...facts,
    `${measurements.filter(isQuiet).length} of ${measurements.length} ` +
    "measurements had the machine to themselves; of the others,",
    `the worst had ${percent(most("othersShare"))} taken by other programs, ` +
    `${percent(most("stolenShare"))} by the host`,
  ].join("\n");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function formatLoad({ plan, summaries }: Report): string {
  const header = ["clients", ...plan.servers.map((name) => titles[name])];
  const rows = plan.clients.map((clients) => [
    `${clients}`,
    ...plan.servers.map((server) => {
      const summary = summaryAt(summaries, server, clients);
      if (summary === undefined) return "-";
      const mark = summary.errors > 0 ? "!" : "";
      const p99Ms = (summary.p99Us / 1000).toFixed(1);
      return `${mark}${summary.rate.toFixed(0)} (${p99Ms} ms)`;
    }),
  ]);
  const errors = summaries.filter((one) => one.errors > 0).map((one) =>
    `! ${titles[one.server]}, ${one.clients} clients: ` +
    `${one.errors} connections failed`
  );
  return [
    "Connections a second (99th percentile), /bin/cat for each connection,",
    `medians of ${plan.rounds} rounds of ${plan.seconds} s`,
    formatTable([header, ...rows]),
    ...errors,
  ].join("\n");
}

/** Shows that the client could have made more connections than it did. */
function formatClient({ plan, summaries }: Report): string {
  const rows = plan.clients.map((clients) => {
    const real = plan.servers.flatMap((server) =>
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

function formatStanding({ footprints, startUp }: Report): string {
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

function formatTargets(targets: readonly Target[]): string {
  if (targets.length === 0) return "";
  const digits = (value: number): string =>
    Number.isInteger(value) ? `${value}` : value.toFixed(3);
  const rows = targets.map((one) => [
    one.name,
    digits(one.measured),
    `${one.bound} ${one.target}`,
    one.verdict,
  ]);
  const met = targets.filter((one) => one.verdict === "met").length;
  return [
    formatTable([["", "measured", "target", "verdict"], ...rows]),
    `${met} of ${targets.length} targets met`,
  ].join("\n");
}

/** Aligns columns: the first to the left, the others to the right. */
function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, cell.length));
  }
  return rows.map((row) =>
    row.map((cell, i) => {
      const width = widths[i] ?? 0;
      return i === 0 ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd()
  ).join("\n");
}
