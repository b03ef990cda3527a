/**
 * The tables of the report.
 *
 * @module
 */

import { formatTable } from "../lib/table.ts";
import type { Workload } from "./commands.ts";
import type { Measurement } from "./load.ts";
import { medianRatio, select, type Summary } from "./summary.ts";

/** What a table with a row for each number of clients shows. */
export interface Layout<Name extends string> {
  workload: Workload;
  clients: readonly number[];
  /** The columns. */
  names: readonly Name[];
  titles: Readonly<Record<Name, string>>;
}

/**
 * Shows connections a second and 99th percentiles, and below them what failed.
 *
 * @param summaries The medians of the load.
 * @param layout What to show of them.
 * @returns The lines.
 */
export function formatLoadTable<Name extends string>(
  summaries: readonly Summary<Name>[],
  layout: Layout<Name>,
): string {
  const { workload, titles } = layout;
  const errors = summaries.filter((one) =>
    one.workload === workload && one.errors > 0
  ).map((one) =>
    `! ${titles[one.server]}, ${countClients(one.clients)}: ` +
    `${one.errors} connections failed`
  );
  const table = formatByClients(layout, (server, clients) => {
    const [one] = select(summaries, { workload, server, clients });
    if (one === undefined) return "-";
    const mark = one.errors > 0 ? "!" : "";
    return `${mark}${one.rate.toFixed(0)} (${milliseconds(one.p99Us)} ms)`;
  });
  return [table, ...errors].join("\n");
}

/**
 * Shows the processor time of each connection.
 *
 * @param summaries The medians of the load.
 * @param layout What to show of them.
 * @returns The lines.
 */
export function formatTimeTable<Name extends string>(
  summaries: readonly Summary<Name>[],
  layout: Layout<Name>,
): string {
  const { workload } = layout;
  return formatByClients(layout, (server, clients) => {
    const [one] = select(summaries, { workload, server, clients });
    return one === undefined ? "-" : formatTimes(one);
  });
}

/**
 * Shows the processor time of a connection, in microseconds: the daemon's and
 * its children's, where it is one process, and the whole machine's.
 *
 * @param summary The medians.
 * @returns One to three numbers.
 */
export function formatTimes(
  { daemonUsEach, childrenUsEach, machineUsEach }: Pick<
    Summary,
    "daemonUsEach" | "childrenUsEach" | "machineUsEach"
  >,
): string {
  return [daemonUsEach, childrenUsEach, machineUsEach].flatMap((us) =>
    us === null ? [] : us.toFixed(0)
  ).join(" / ");
}

/**
 * Shows one server beside the others: its rate and, in parentheses, its 99th
 * percentile as multiples of theirs.
 *
 * @param measurements The load, round by round.
 * @param own The server.
 * @param layout The others, as columns.
 * @returns The lines.
 */
export function formatRatioTable<Name extends string>(
  measurements: readonly Measurement<Name>[],
  own: Name,
  layout: Layout<Name>,
): string {
  const { workload } = layout;
  return formatByClients(layout, (server, clients) => {
    const pairs = {
      above: select(measurements, { workload, server: own, clients }),
      below: select(measurements, { workload, server, clients }),
    };
    const rate = medianRatio(pairs, (one) => one.rate);
    const p99 = medianRatio(pairs, (one) => one.p99Us);
    return `${rate.toFixed(2)} (${p99.toFixed(2)})`;
  });
}

function formatByClients<Name extends string>(
  { clients, names, titles }: Layout<Name>,
  cell: (name: Name, clients: number) => string,
): string {
  const header = ["clients", ...names.map((name) => titles[name])];
  const rows = clients.map((at) => [
    `${at}`,
    ...names.map((name) => cell(name, at)),
  ]);
  return formatTable([header, ...rows]);
}

function milliseconds(us: number): string {
  return (us / 1000).toFixed(1);
}

/**
 * Shows a share in percent.
 *
 * @param share Between 0 and 1.
 * @returns The text, without decimals.
 */
export function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

/**
 * Shows a number of clients.
 *
 * @param clients How many.
 * @returns The number and the noun.
 */
export function countClients(clients: number): string {
  return clients === 1 ? "1 client" : `${clients} clients`;
}
