/**
 * What `spawnd status` shows: tables for people, as wide as there is room, with
 * the columns that matter most where there is little.
 *
 * @module
 */

import { printable } from "../../log/printable.ts";
import type {
  CommandStatus,
  DaemonStatus,
  ServiceStatus,
  StatusRecord,
} from "../../observe/status_record.ts";
import { formatTable } from "../../table.ts";
import { humanCount, humanSeconds } from "./human.ts";
import { history } from "./history.ts";

/** How a status is shown. */
export interface ScreenOptions {
  /** How many columns there are; `Infinity` where nothing bounds them. */
  readonly columns: number;
  /** How many lines there are, likewise. */
  readonly lines: number;
  /** Whether to show the last minute of each service. */
  readonly hasHistory: boolean;
  /** Whether the screen has more than ASCII. */
  readonly isUnicode: boolean;
}

/** A column; those with the greatest rank are left out first. */
interface Column<Row> {
  readonly title: string;
  readonly rank: number;
  readonly cell: (row: Row) => string;
}

const SERVICE_COLUMNS: readonly Column<ServiceStatus>[] = [
  { title: "SERVICE", rank: 0, cell: ({ service }) => service },
  {
    title: "ACTIVE",
    rank: 1,
    cell: ({ active, limit }) =>
      limit === 0 ? `${active}` : `${active}/${limit}`,
  },
  {
    title: "WAITING",
    rank: 2,
    cell: ({ waiting }) => waiting === null ? "-" : `${waiting}`,
  },
  {
    title: "TOTAL",
    rank: 3,
    cell: ({ connections }) => humanCount(connections),
  },
  { title: "PER S", rank: 4, cell: ({ perSecond }) => perSecond.toFixed(1) },
  {
    title: "MEDIAN",
    rank: 6,
    cell: ({ medianSeconds }) => time(medianSeconds),
  },
  { title: "P99", rank: 5, cell: ({ p99Seconds }) => time(p99Seconds) },
  { title: "FAILED", rank: 7, cell: ({ failed }) => humanCount(failed) },
  { title: "TIMED OUT", rank: 9, cell: ({ timedOut }) => humanCount(timedOut) },
  {
    title: "REFUSED",
    rank: 8,
    cell: ({ refused }) =>
      humanCount(Object.values(refused).reduce((sum, part) => sum + part, 0)),
  },
  {
    title: "NOT STARTED",
    rank: 10,
    cell: ({ notStarted }) => humanCount(notStarted),
  },
];

const COMMAND_COLUMNS: readonly Column<CommandStatus>[] = [
  { title: "COMMAND OF", rank: 0, cell: ({ service }) => service },
  { title: "PID", rank: 1, cell: ({ pid }) => `${pid}` },
  { title: "AGE", rank: 2, cell: ({ ageSeconds }) => time(ageSeconds) },
  {
    title: "PROCESSOR",
    rank: 4,
    cell: ({ processorSeconds }) => time(processorSeconds),
  },
  { title: "CLIENT", rank: 3, cell: ({ client }) => client || "-" },
];

function time(seconds: number | null): string {
  return seconds === null ? "-" : humanSeconds(seconds);
}

/**
 * Makes the screen.
 *
 * @param records What the daemon has said.
 * @param options How it is shown.
 * @returns Its lines, none of them longer than there are columns.
 */
export function statusScreen(
  records: readonly StatusRecord[],
  options: ScreenOptions,
): string[] {
  const { columns, lines } = options;
  const daemon = records.find((record) => record.kind === "daemon");
  const services = records.filter((record) => record.kind === "service");
  const commands = records.filter((record) => record.kind === "command")
    .sort((one, other) => other.ageSeconds - one.ageSeconds);
  const above = [
    ...daemon === undefined ? [] : [headOf(daemon, commands.length), ""],
    ...serviceLines(services, options),
  ];
  const below = commands.length === 0
    ? []
    : ["", ...tableOf(commands, COMMAND_COLUMNS, columns)];
  return bounded([...above, ...below], lines).map((line) => cut(line, columns));
}

/** What has no room is counted. */
function bounded(all: readonly string[], lines: number): readonly string[] {
  if (all.length <= lines) return all;
  const shown = Math.max(0, lines - 1);
  return [...all.slice(0, shown), `... ${all.length - shown} more lines`];
}

function headOf(
  { version, pid, state, since, uptimeSeconds }: DaemonStatus,
  commands: number,
): string {
  const at = since.replace("T", " ").replace(/\.\d+Z$/, " UTC");
  const running = commands === 1 ? "1 command" : `${commands} commands`;
  return `spawnd ${printable(version)}, process id ${pid}, ${state}, ` +
    `${running}, up ${humanSeconds(uptimeSeconds)} since ${printable(at)}`;
}

function serviceLines(
  services: readonly ServiceStatus[],
  { columns, hasHistory, isUnicode }: ScreenOptions,
): string[] {
  const [title = "", ...rows] = tableOf(services, SERVICE_COLUMNS, columns);
  if (!hasHistory) return [title, ...rows];
  const indent = "  ";
  return [
    title,
    ...services.flatMap(({ recent }, index) => [
      rows[index] ?? "",
      indent + history(recent, { width: columns - indent.length, isUnicode }),
    ]),
  ];
}

/** A table with as many columns as there is room for. */
function tableOf<Row>(
  rows: readonly Row[],
  all: readonly Column<Row>[],
  columns: number,
): string[] {
  let shown = all;
  for (;;) {
    const lines = formatTable([
      shown.map(({ title }) => title),
      ...rows.map((row) => shown.map(({ cell }) => printable(cell(row)))),
    ]).split("\n");
    const width = Math.max(...lines.map((line) => line.length));
    if (width <= columns || shown.length === 1) return lines;
    const last = Math.max(...shown.map(({ rank }) => rank));
    shown = shown.filter(({ rank }) => rank < last);
  }
}

/** By code points, so that none is cut in two. */
function cut(line: string, columns: number): string {
  if (line.length <= columns) return line;
  const points = [...line];
  return points.length <= columns
    ? line
    : `${points.slice(0, Math.max(0, columns - 1)).join("")}~`;
}
