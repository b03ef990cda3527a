/**
 * The mail system's log: syslogd's datagram socket, or that of Postfix's own
 * log daemon, postlogd(8), where `maillog_file` is set.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import type { Libc } from "../posix/libc.ts";
import { DatagramSender } from "../posix/sockets.ts";
import { FACILITIES } from "../posix/syslog.ts";
import type { Timer } from "../timer.ts";
import { FULL_RETRY_MS } from "./bounded_writer.ts";
import { droppedEntry, type Entry, LABELS, PRIORITIES } from "./formats.ts";
import { printable } from "./printable.ts";

/** Where syslogd listens, as for syslog(3). */
export const SYSLOG_SOCKET = "/dev/log";

const MONTHS: readonly string[] = [
  ...["Jan", "Feb", "Mar", "Apr", "May", "Jun"],
  ...["Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
];

/** The same where it has just taken some. */
const SLOW_RETRY_MS = 1;

/** How many records may wait for it. */
const PENDING_MAX = 1000;

/** Who logs, and where. */
export interface SystemLogOptions {
  /** What stands before the process id. */
  readonly ident: string;
  /** The socket. */
  readonly path: string;
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
  { time, level, text }: Entry,
  { ident, origin }: SystemLogOptions,
): string {
  const message = `${ident}[${Deno.pid}]: ${LABELS[level]}${printable(text)}`;
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
export class SystemLog {
  #options: SystemLogOptions;
  readonly #sender: DatagramSender;
  #pending: string[] = [];
  #droppedCount = 0;
  #retry: Timer | undefined;

  /**
   * @param libc The C library.
   * @param options Who logs, and where.
   * @throws {SystemError} If there is no descriptor for it.
   */
  constructor(libc: Libc, options: SystemLogOptions) {
    this.#options = options;
    this.#sender = new DatagramSender(libc, options.path);
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
   * Sends a record, or keeps it where the reader has no room. Where nobody
   * reads it is lost, as with syslog(3).
   *
   * @param entry The record.
   */
  write(entry: Entry): void {
    const line = systemFormat(entry, this.#options);
    if (this.#pending.length === 0 && this.#sender.send(line)) return;
    if (this.#pending.length >= PENDING_MAX) this.#droppedCount++;
    else this.#pending.push(line);
    this.#retry ??= setTimeout(() => this.#again(), FULL_RETRY_MS);
  }

  /**
   * Waits for the last records to be taken, but not for long.
   *
   * @param limitMs For how long.
   */
  async flush(limitMs: number): Promise<void> {
    const endMs = performance.now() + limitMs;
    while (this.#pending.length > 0 && performance.now() < endMs) {
      await delay(FULL_RETRY_MS);
    }
  }

  #again(): void {
    this.#retry = undefined;
    const refused = this.#pending.findIndex((line) => !this.#sender.send(line));
    this.#pending = refused < 0 ? [] : this.#pending.slice(refused);
    if (refused >= 0) {
      const delayMs = refused > 0 ? SLOW_RETRY_MS : FULL_RETRY_MS;
      this.#retry = setTimeout(() => this.#again(), delayMs);
    } else if (this.#droppedCount > 0) {
      const count = this.#droppedCount;
      this.#droppedCount = 0;
      this.write(droppedEntry(count, this.#options.path));
    }
  }
}
