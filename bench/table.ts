/**
 * Tables for the screen.
 *
 * @module
 */

import { type Summary, summaryAt } from "./load.ts";

/**
 * Aligns columns: the first to the left, the others to the right.
 *
 * @param rows The cells, row by row.
 * @returns The lines.
 */
export function formatTable(rows: readonly (readonly string[])[]): string {
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

/** What a table of the load shows. */
export interface LoadTableOptions<Name extends string> {
  clients: readonly number[];
  /** The columns. */
  names: readonly Name[];
  titles: Readonly<Record<Name, string>>;
  /** The column to which the others get a ratio of their rates. */
  baseline?: Name;
}

/**
 * Shows connections a second and 99th percentiles, and below them what failed.
 *
 * @param summaries The medians of the load.
 * @param options What to show of them.
 * @returns The lines.
 */
export function formatLoadTable<Name extends string>(
  summaries: readonly Summary<Name>[],
  { clients, names, titles, baseline }: LoadTableOptions<Name>,
): string {
  const cell = (name: Name, at: number): string => {
    const summary = summaryAt(summaries, name, at);
    if (summary === undefined) return "-";
    const mark = summary.errors > 0 ? "!" : "";
    const p99Ms = (summary.p99Us / 1000).toFixed(1);
    const text = `${mark}${summary.rate.toFixed(0)} (${p99Ms} ms)`;
    const base = baseline && summaryAt(summaries, baseline, at);
    if (base === undefined || base === summary) return text;
    return `${text} ${(summary.rate / base.rate).toFixed(2)} x`;
  };
  const rows = clients.map((at) => [
    `${at}`,
    ...names.map((name) => cell(name, at)),
  ]);
  const errors = summaries.filter((one) => one.errors > 0).map((one) =>
    `! ${titles[one.server]}, ${one.clients} clients: ` +
    `${one.errors} connections failed`
  );
  const header = ["clients", ...names.map((name) => titles[name])];
  return [formatTable([header, ...rows]), ...errors].join("\n");
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
