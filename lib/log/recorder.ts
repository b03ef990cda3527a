/**
 * A log that keeps what it is told, for another process to tell.
 *
 * @module
 */

import type { EventName } from "./events.ts";
import type { DaemonLog, Fields, Log } from "./log.ts";

/** What was told. Errors are told as values, so there is no graver level. */
export interface LogRecord {
  readonly level: "info" | "warning";
  readonly event: EventName;
  readonly text: string;
  readonly fields: Fields;
}

/** A log and what it was told. */
export interface Recorder {
  readonly log: DaemonLog;
  readonly records: readonly LogRecord[];
}

/**
 * Makes a log that tells nobody.
 *
 * @returns The log and what it was told.
 */
export function recorder(): Recorder {
  const records: LogRecord[] = [];
  const at = (level: LogRecord["level"]): Log["info"] => {
    return (event, text, fields = {}) => {
      records.push({ level, event, text, fields });
    };
  };
  const [info, warning] = [at("info"), at("warning")];
  const log: Log = { info, warning, error: warning, fatal: warning };
  return {
    log: {
      ...log,
      forService: () => log,
      flush: () => Promise.resolve(),
    },
    records,
  };
}

/**
 * Tells what another process was told.
 *
 * @param records What that was.
 * @param log Where to tell it.
 */
export function retell(records: readonly LogRecord[], log: Log): void {
  for (const { level, event, text, fields } of records) {
    log[level](event, text, fields);
  }
}
