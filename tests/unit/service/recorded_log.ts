/**
 * A log that keeps its records for a test to look at.
 *
 * @module
 */

import type { Fields, Log } from "../../../lib/log/log.ts";

/** One record. */
export interface Record {
  readonly level: string;
  readonly event: string;
  readonly text: string;
  readonly fields: Fields;
}

/** The records, in their order. */
export class RecordedLog implements Log {
  readonly records: Record[] = [];

  /** The records as `LEVEL: TEXT`. */
  get lines(): string[] {
    return this.records.map(({ level, text }) => `${level}: ${text}`);
  }

  info(event: string, text: string, fields: Fields = {}): void {
    this.records.push({ level: "info", event, text, fields });
  }

  warning(event: string, text: string, fields: Fields = {}): void {
    this.records.push({ level: "warning", event, text, fields });
  }

  error(event: string, text: string, fields: Fields = {}): void {
    this.records.push({ level: "error", event, text, fields });
  }

  fatal(event: string, text: string, fields: Fields = {}): void {
    this.records.push({ level: "fatal", event, text, fields });
  }
}
