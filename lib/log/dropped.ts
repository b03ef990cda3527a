/**
 * The record that tells of records that were dropped.
 *
 * @module
 */

import type { Entry } from "./formats.ts";

/**
 * Makes the record.
 *
 * @param count How many were dropped.
 * @param reader What the reader reads, which did not keep up.
 * @returns The record.
 */
export function droppedEntry(count: number, reader: string): Entry {
  return {
    time: new Date(),
    level: "warning",
    service: "",
    event: "log-dropped",
    text: `${count} log records were dropped: ` +
      `the reader of ${reader} does not keep up`,
    fields: { count },
  };
}
