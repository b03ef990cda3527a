/**
 * How a record is written: as a line for people and log watchers, or as one
 * JSON object a line.
 *
 * LogTape has formatters too. Its JSON has names of its own, "@timestamp" and
 * "logger", that no option changes; its text would leave all to be made here
 * but the time; and neither escapes what turns the direction of a text.
 *
 * @module
 */

import { red, yellow } from "@std/fmt/colors";
import { printable, printableJson } from "./printable.ts";

/** How grave a record is. */
export type Level = "info" | "warning" | "error" | "fatal";

/** A record, ready to be written. */
export interface Entry {
  readonly time: Date;
  readonly level: Level;
  /** The service that it is about; empty for the daemon as a whole. */
  readonly service: string;
  readonly event: string;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Writes an entry as a line, its newline included. */
export type Format = (entry: Entry) => string;

/**
 * Makes the record that tells of those that nobody will read.
 *
 * @param count How many were dropped.
 * @param where What their reader reads.
 * @returns The record.
 */
export function droppedEntry(count: number, where: string): Entry {
  return {
    time: new Date(),
    level: "warning",
    service: "",
    event: "log-dropped",
    text: `${count} log records were dropped: ` +
      `the reader of ${where} does not keep up`,
    fields: { count },
  };
}

const PROGRAM = "spawnd";

/** Priorities of sd-daemon(3), which are those of syslog(3). */
export const PRIORITIES: Readonly<Record<Level, number>> = {
  fatal: 2,
  error: 3,
  warning: 4,
  info: 6,
};

/** What stands before the text, as in Postfix's own log. */
export const LABELS: Readonly<Record<Level, string>> = {
  fatal: "fatal: ",
  error: "error: ",
  warning: "warning: ",
  info: "",
};

/** Where the text goes. */
export type TextStyle = "plain" | "terminal" | "journal";

/**
 * Makes the format for people.
 *
 * @param style `journal` has a priority and no time, which journald adds;
 * `terminal` has colours.
 * @returns The format.
 */
export function textFormat(style: TextStyle): Format {
  return ({ time, level, service, text }) => {
    const name = service === "" ? PROGRAM : `${PROGRAM}/${printable(service)}`;
    const label = style === "terminal" ? coloured(level) : LABELS[level];
    const line = `${name}[${Deno.pid}]: ${label}${printable(text)}\n`;
    return style === "journal"
      ? `<${PRIORITIES[level]}>${line}`
      : `${time.toISOString()} ${line}`;
  };
}

function coloured(level: Level): string {
  switch (level) {
    case "fatal":
    case "error":
      return red(LABELS[level]);
    case "warning":
      return yellow(LABELS[level]);
    case "info":
      return LABELS[level];
  }
}

/**
 * The format for programs: one object a line.
 *
 * @param entry The entry.
 * @returns Its line.
 */
export function jsonFormat(entry: Entry): string {
  const { time, level, service, event, text, fields } = entry;
  const object = {
    time: time.toISOString(),
    level,
    service,
    pid: Deno.pid,
    event,
    text,
    fields,
  };
  return `${printableJson(JSON.stringify(object))}\n`;
}
