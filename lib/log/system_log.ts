/**
 * The mail system's log: syslogd's datagram socket, or that of Postfix's own
 * log daemon, postlogd(8), where `maillog_file` is set.
 *
 * @module
 */

import type { Libc } from "../posix/libc.ts";
import { DatagramSender } from "../posix/sockets.ts";
import { FACILITIES } from "../posix/syslog.ts";
import { DatagramQueue } from "./datagram_queue.ts";
import { droppedEntry, type Entry, LABELS, PRIORITIES } from "./formats.ts";
import type { EntrySink } from "./outlet.ts";
import { printable } from "./printable.ts";

/** Where syslogd listens, as for syslog(3). */
export const SYSLOG_SOCKET = "/dev/log";

const MONTHS: readonly string[] = [
  ...["Jan", "Feb", "Mar", "Apr", "May", "Jun"],
  ...["Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
];

/** Who logs, and where. */
export interface SystemLogOptions {
  /** What stands before the process id. */
  readonly ident: string;
  /** The socket. */
  readonly path: string;
  /** Whether each record says its service: a process may have many. */
  readonly hasServices?: boolean;
  /** syslogd is told a facility's number, postlogd the machine's name. */
  readonly origin: { readonly facility: number } | { readonly host: string };
}

/**
 * Finds a facility.
 *
 * @param name Its name.
 * @returns Its number; `undefined` if there is none of that name.
 */
export function facilityNumber(name: string): number | undefined {
  return Object.hasOwn(FACILITIES, name) ? FACILITIES[name] : undefined;
}

/**
 * Writes an entry as a datagram.
 *
 * @param entry The entry.
 * @param options Who logs.
 * @returns The datagram's text: RFC 3164's for syslogd, and for postlogd the
 * line as it goes into its file.
 */
export function systemFormat(
  { time, level, service, text }: Entry,
  { ident, origin, hasServices = false }: SystemLogOptions,
): string {
  // Before the label, so that what log watchers match on stays in one piece.
  const about = hasServices && service !== "" ? `${printable(service)}: ` : "";
  const message = `${ident}[${Deno.pid}]: ${about}${LABELS[level]}` +
    printable(text);
  const at = `${MONTHS[time.getMonth()]} ${two(time.getDate(), " ")} ` +
    [time.getHours(), time.getMinutes(), time.getSeconds()]
      .map((part) => two(part, "0")).join(":");
  return "host" in origin
    ? `${at} ${origin.host} ${message}`
    : `<${8 * origin.facility + PRIORITIES[level]}>${at} ${message}`;
}

function two(number: number, fill: string): string {
  return String(number).padStart(2, fill);
}

/** Sends records without ever waiting for whoever reads them. */
export class SystemLog implements EntrySink {
  #options: SystemLogOptions;
  readonly #queue: DatagramQueue;

  /**
   * @param libc The C library.
   * @param options Who logs, and where.
   * @throws {SystemError} If there is no descriptor for it.
   */
  constructor(libc: Libc, options: SystemLogOptions) {
    const { path } = options;
    this.#options = options;
    const sender = new DatagramSender(libc, path);
    this.#queue = new DatagramQueue({
      send: (line) => sender.send(line),
      dropped: (count) =>
        systemFormat(droppedEntry(count, path), this.#options),
    });
  }

  /**
   * Goes on under another name, once the configuration is known.
   *
   * @param ident What stands before the process id.
   * @param facility The facility's number, for syslogd.
   */
  rename(ident: string, facility: number): void {
    const { origin } = this.#options;
    this.#options = {
      ...this.#options,
      ident,
      origin: "host" in origin ? origin : { facility },
    };
  }

  /**
   * Sends a record, or keeps it where the reader has no room or is about to be
   * started anew.
   *
   * @param entry The record.
   */
  write(entry: Entry): void {
    this.#queue.write(systemFormat(entry, this.#options));
  }

  flush(limitMs: number): Promise<void> {
    return this.#queue.flush(limitMs);
  }

  [Symbol.dispose](): void {
    this.#queue[Symbol.dispose]();
  }
}
