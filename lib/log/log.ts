/**
 * The log: LogTape carries the records, a sink takes them, which is standard
 * error unless another is given. Nothing that logs ever waits.
 *
 * The door of lib/log, which imports from posix. Whoever has something to tell
 * is given a {@linkcode Log}, the daemon a {@linkcode DaemonLog}; an
 * {@linkcode EntrySink} is where records go (bounded_writer.ts,
 * system_log.ts), in a form of formats.ts.
 *
 * @module
 */

import { configureSync, getLogger, type LogRecord } from "@logtape/logtape";
import { BoundedWriter } from "./bounded_writer.ts";
import type { EventName } from "./events.ts";
import {
  droppedEntry,
  type Entry,
  type Format,
  jsonFormat,
  type Level,
  textFormat,
} from "./formats.ts";
import { type EntrySink, Outlet } from "./outlet.ts";

/** The formats, by name. */
export type LogFormat = "text" | "json";

/** How many characters of log may wait for a reader that is slow. */
const MAX_PENDING = 2 ** 20;

/** How long an ending daemon waits for the last lines to be read. */
const FLUSH_MS = 2000;

const CATEGORY = "spawnd";

/** What a record is about, beside its text. */
export type Fields = Readonly<Record<string, unknown>>;

/** Logs for one service, or for the daemon as a whole. */
export interface Log {
  info(event: EventName, text: string, fields?: Fields): void;
  warning(event: EventName, text: string, fields?: Fields): void;
  error(event: EventName, text: string, fields?: Fields): void;
  fatal(event: EventName, text: string, fields?: Fields): void;
}

/** The process's log. */
export interface DaemonLog extends Log {
  /** Makes a service's log. */
  forService(name: string): Log;
  /** Waits for the last lines to be written, but not for long. */
  flush(): Promise<void>;
}

/** How to log. */
export interface LogOptions {
  readonly format: LogFormat;
  /** Whether journald reads standard error. */
  readonly journal: boolean;
}

/**
 * Sets the log up, on standard error. Once a process.
 *
 * @param options How to log.
 * @returns The log, and what it can be led elsewhere by.
 */
export function openLog(
  options: LogOptions,
): { log: DaemonLog; outlet: Outlet } {
  const format = formatOf(options);
  const writer = new BoundedWriter(Deno.stderr, {
    maxPending: MAX_PENDING,
    dropped: (count) => format(droppedEntry(count, "standard error")),
  });
  const outlet = new Outlet({
    write: (entry) => writer.write(format(entry)),
    flush: (limitMs) => writer.flush(limitMs),
  });
  return { log: logTo(outlet), outlet };
}

/**
 * Sets the log up with a sink of its own, in place of any other.
 *
 * @param sink Where records go.
 * @returns The log.
 */
export function logTo(sink: EntrySink): DaemonLog {
  configureSync({
    reset: true,
    sinks: { sink: (record: LogRecord) => sink.write(entryOf(record)) },
    loggers: [
      { category: [CATEGORY], sinks: ["sink"], lowestLevel: "info" },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "fatal" },
    ],
  });
  return {
    ...logFor(""),
    forService: logFor,
    flush: () => sink.flush(FLUSH_MS),
  };
}

function formatOf({ format, journal }: LogOptions): Format {
  if (format === "json") return jsonFormat;
  if (journal) return textFormat("journal");
  const colours = Deno.stderr.isTerminal() && !Deno.noColor;
  return textFormat(colours ? "terminal" : "plain");
}

function logFor(service: string): Log {
  const logger = getLogger([CATEGORY]);
  const at = (level: Level) => {
    return (event: EventName, text: string, fields: Fields = {}): void =>
      logger[level]("{text}", { text, event, service, fields });
  };
  return {
    info: at("info"),
    warning: at("warning"),
    error: at("error"),
    fatal: at("fatal"),
  };
}

function entryOf({ level, timestamp, properties }: LogRecord): Entry {
  const { text, event, service, fields } = properties;
  return {
    time: new Date(timestamp),
    level: level as Level, // logFor() is the only one who logs
    service: String(service),
    event: String(event),
    text: String(text),
    fields: fields as Fields, // likewise
  };
}
