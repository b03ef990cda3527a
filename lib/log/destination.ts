/**
 * The places where a daemon's log can go, and the sinks that bring it there.
 *
 * @module
 */

import type { Libc } from "../posix/libc.ts";
import { JournalLog } from "./journal_log.ts";
import type { EntrySink } from "./outlet.ts";
import { SYSLOG_SOCKET, SystemLog } from "./system_log.ts";

/** Where to log, as plain data. */
export type LogDestination =
  | { readonly kind: "stderr" }
  | { readonly kind: "journal" }
  | {
    readonly kind: "syslog";
    /** What stands before the process id. */
    readonly ident: string;
    /** The facility's number. */
    readonly facility: number;
  };

/**
 * Opens a place. Neither syslogd nor journald need be there: they are found by
 * name with each record.
 *
 * @param libc The C library.
 * @param destination Where to log.
 * @returns The sink; `undefined` for standard error, which is always open.
 * @throws {SystemError} If there is no descriptor for it.
 */
export function openDestination(
  libc: Libc,
  destination: LogDestination,
): EntrySink | undefined {
  switch (destination.kind) {
    case "stderr":
      return undefined;
    case "journal":
      return new JournalLog(libc);
    case "syslog": {
      const { ident, facility } = destination;
      return new SystemLog(libc, {
        ident,
        path: SYSLOG_SOCKET,
        hasServices: true,
        origin: { facility },
      });
    }
  }
}
