/**
 * journald's own socket: each record with its fields, so that one can ask for
 * those of a service, of a client, or of an exit status. The format is that of
 * systemd's "Native Journal Protocol".
 *
 * @module
 */

import type { Libc } from "../posix/libc.ts";
import { DatagramSender } from "../posix/sockets.ts";
import { DatagramQueue } from "./datagram_queue.ts";
import { droppedEntry, type Entry, PRIORITIES } from "./formats.ts";
import type { EntrySink } from "./outlet.ts";
import { printable } from "./printable.ts";

/** Where journald listens. */
export const JOURNAL_SOCKET = "/run/systemd/journal/socket";

/** LOG_DAEMON of syslog(3). */
const FACILITY = 3;

const IDENTIFIER = "spawnd";

/** Fields whose own name would say too little where all programs' are. */
const NAMES: Readonly<Record<string, string>> = {
  pid: "COMMAND_PID",
  code: "EXIT_STATUS",
  signal: "EXIT_SIGNAL",
  kind: "EXIT_KIND",
};

/**
 * Writes an entry as a datagram of fields.
 *
 * @param entry The entry.
 * @returns A line for each field. No value has a line's end of its own.
 */
export function journalFormat(
  { level, service, event, text, fields }: Entry,
): string {
  const lines: [name: string, value: unknown][] = [
    ["MESSAGE", text],
    ["PRIORITY", PRIORITIES[level]],
    ["SYSLOG_IDENTIFIER", IDENTIFIER],
    ["SYSLOG_FACILITY", FACILITY],
    ["EVENT", event],
  ];
  if (service !== "") lines.push(["SERVICE", service]);
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    lines.push([NAMES[name] ?? fieldName(name), value]);
  }
  return lines.map(([name, value]) => `${name}=${plain(value)}\n`).join("");
}

/** `timeLimitSeconds` is `TIME_LIMIT_SECONDS`. */
function fieldName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`)
    .replaceAll(/[^A-Za-z0-9_]/g, "_").replace(/^_+/, "").toUpperCase();
}

function plain(value: unknown): string {
  return printable(typeof value === "string" ? value : JSON.stringify(value));
}

/** Sends records to journald. */
export class JournalLog implements EntrySink {
  readonly #queue: DatagramQueue;

  /**
   * @param libc The C library.
   * @param path The socket.
   * @throws {SystemError} If there is no descriptor for it.
   */
  constructor(libc: Libc, path: string = JOURNAL_SOCKET) {
    const sender = new DatagramSender(libc, path);
    this.#queue = new DatagramQueue({
      send: (datagram) => sender.send(datagram),
      dropped: (count) => journalFormat(droppedEntry(count, path)),
    });
  }

  write(entry: Entry): void {
    this.#queue.write(journalFormat(entry));
  }

  flush(limitMs: number): Promise<void> {
    return this.#queue.flush(limitMs);
  }

  [Symbol.dispose](): void {
    this.#queue[Symbol.dispose]();
  }
}
