/**
 * What the figures beside held connections say: their targets, and the table
 * for the screen.
 *
 * @module
 */

import { formatTable } from "../lib/table.ts";
import type { HeldFigures, HeldMeasurement } from "./held.ts";
import { type ServerName, serverTitles } from "./servers.ts";
import { medianRatio, summarize } from "./summary.ts";
import { formatTimes } from "./table.ts";
import { judge, type Target } from "./targets.ts";

const targets = { ofNoneHeld: 0.85, ofTcpserver: 1.6 } as const;

/**
 * Holds the figures against the targets. A target whose servers were not
 * measured is left out.
 *
 * @param figures The figures.
 * @returns The targets with their verdicts.
 */
export function judgeHeld(figures: HeldFigures): Target[] {
  const { servers, held } = figures;
  if (!servers.includes("spawnd")) return [];
  return [
    judge({
      name: `static, ${held} held: rate, spawnd / with none held`,
      measured: ratioToNone(figures, "spawnd"),
      bound: "at least",
      target: targets.ofNoneHeld,
    }),
    ...(servers.includes("tcpserver")
      ? [judge({
        name: `static, ${held} held: rate, spawnd / tcpserver`,
        measured: rateRatio(
          measurementsOf(figures, "spawnd", held),
          measurementsOf(figures, "tcpserver", held),
        ),
        bound: "at least",
        target: targets.ofTcpserver,
      })]
      : []),
    judge({
      name: `static, ${held} held: failed connections of spawnd`,
      measured: figures.measurements.reduce(
        (sum, one) => sum + (one.server === "spawnd" ? one.errors : 0),
        0,
      ),
      bound: "at most",
      target: 0,
    }),
  ];
}

/**
 * Lays the figures out for the screen.
 *
 * @param figures The figures.
 * @returns The table.
 */
export function formatHeld(figures: HeldFigures): string {
  const { servers, held, clients } = figures;
  const row = (
    title: string,
    cell: (server: ServerName) => string,
  ): string[] => [title, ...servers.map(cell)];
  const atEach = (format: typeof formatRate): string[][] =>
    [0, held].map((count) =>
      row(
        `${count} held`,
        (server) => format(measurementsOf(figures, server, count)),
      )
    );
  const header = row("", (server) => serverTitles[server]);
  return [
    `Static command, ${clients} clients, beside held connections: connections`,
    "a second (99th percentile)",
    formatTable([
      header,
      ...atEach(formatRate),
      row("ratio", (server) => ratioToNone(figures, server).toFixed(2)),
    ]),
    "",
    "and processor time of each connection in us, of the daemon / of its",
    "children / of the whole machine with the client",
    formatTable([header, ...atEach(formatTime)]),
  ].join("\n");
}

function formatRate(measurements: readonly HeldMeasurement[]): string {
  return summarize(measurements).map(({ rate, p99Us }) =>
    `${rate.toFixed(0)} (${(p99Us / 1000).toFixed(1)} ms)`
  ).join();
}

function formatTime(measurements: readonly HeldMeasurement[]): string {
  return summarize(measurements).map(formatTimes).join();
}

function ratioToNone(figures: HeldFigures, server: ServerName): number {
  return rateRatio(
    measurementsOf(figures, server, figures.held),
    measurementsOf(figures, server, 0),
  );
}

function rateRatio(
  above: readonly HeldMeasurement[],
  below: readonly HeldMeasurement[],
): number {
  return medianRatio({ above, below }, (one) => one.rate);
}

function measurementsOf(
  { measurements }: HeldFigures,
  server: ServerName,
  held: number,
): HeldMeasurement[] {
  return measurements.filter((one) =>
    one.server === server && one.held === held
  );
}
