/**
 * For the tests of `spawnd serve`: configurations written into a folder,
 * daemons that are reloaded, and clients of any address.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import {
  Daemon,
  type Ended,
  type LogEntry,
  readAll,
  runToEnd,
  type StartOptions,
  writeAll,
} from "./daemon.ts";
import { BOUNDED, type Folder, output, statusFields } from "./machine.ts";
import { recordsOf } from "./load.ts";

/** Whether the daemon is the sources on the Deno that runs the tests. */
export const IS_FROM_SOURCE = Deno.env.get("SPAWND_FROM_SOURCE") !== undefined;

/** What most services of the tests run. */
export const CAT = "user=nobody argv=/bin/cat";

/** Ports that the kernel gives to nobody who asks for just any. */
const PORT_MIN = 10_000;
const PORT_COUNT = 20_000;

/** What the files say, line by line. */
export interface Configuration {
  /** main.cf, after a `queue_directory` in the folder. */
  readonly main?: readonly string[];
  readonly master: readonly string[];
}

/**
 * Writes main.cf and master.cf, each in one go, and makes their
 * `queue_directory`.
 *
 * @returns Their directory.
 */
export async function writeConfiguration(
  folder: Folder,
  { main = [], master }: Configuration,
): Promise<string> {
  const directory = folder.join("conf");
  await Deno.mkdir(directory, { recursive: true });
  await Deno.mkdir(queueOf(folder), { recursive: true });
  const files = {
    "main.cf": [`queue_directory = ${queueOf(folder)}`, ...main],
    "master.cf": master,
  };
  for (const [name, lines] of Object.entries(files)) {
    const written = await folder.file(name, `${lines.join("\n")}\n`);
    await Deno.rename(written, `${directory}/${name}`);
  }
  return directory;
}

/** The `queue_directory` of a configuration in a folder. */
export function queueOf(folder: Folder): string {
  return folder.join("queue");
}

/** The line of an inet service. */
export function inet(
  name: string,
  words: string = CAT,
  maxProcesses: number | "-" = "-",
): string {
  return `${name} inet n n n - ${maxProcesses} spawn ${words}`;
}

/** The line of a unix service, private unless it is said to be public. */
export function unix(
  name: string,
  words: string = CAT,
  maxProcesses: number | "-" = "-",
  folder: "private" | "public" = "private",
): string {
  const isPrivate = folder === "private" ? "y" : "n";
  return `${name} unix ${isPrivate} n n - ${maxProcesses} spawn ${words}`;
}

const given = new Set<number>();

/** A port on which nobody listens, another one each time. */
export function freePort(): number {
  for (;;) {
    const port = PORT_MIN + Math.floor(Math.random() * PORT_COUNT);
    if (given.has(port)) continue;
    given.add(port);
    try {
      for (const hostname of ["127.0.0.1", "::"]) {
        Deno.listen({ hostname, port }).close();
      }
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** An address of the loopback, with such a port. */
export function freeAddress(): string {
  return `127.0.0.1:${freePort()}`;
}

/** As many addresses of the loopback, each with a port of its own. */
export function freeAddresses(count: number): string[] {
  return Array.from({ length: count }, freeAddress);
}

/** Connects to an address as the log has it. */
export async function connectTo(address: string): Promise<Deno.Conn> {
  if (address.startsWith("/")) {
    return await Deno.connect({ transport: "unix", path: address });
  }
  const [, v6, v4 = "", port] = /^(?:\[(.*)\]|(.*)):(\d+)$/.exec(address) ?? [];
  return await Deno.connect({ hostname: v6 ?? v4, port: Number(port) });
}

/** Sends a text, closes that direction, and reads all that comes back. */
export async function talkTo(address: string, text = ""): Promise<string> {
  using connection = await connectTo(address);
  const answer = readAll(connection);
  await writeAll(connection, new TextEncoder().encode(text));
  await connection.closeWrite();
  return new TextDecoder().decode(await answer);
}

/** Whether nobody listens on an address. */
export async function isRefused(address: string): Promise<boolean> {
  try {
    (await connectTo(address)).close();
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return true;
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}

/** Whether a path names anything. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A program that was to serve and did not. */
export interface Refused extends Ended {
  readonly entries: readonly LogEntry[];
}

/** Runs `spawnd serve` that refuses to. */
export async function serveRefused(
  args: readonly string[],
  options: StartOptions = {},
): Promise<Refused> {
  const ended = await runToEnd(["serve", "--log-format", "json", ...args], {
    prefix: BOUNDED,
    ...options,
  });
  const entries = ended.stderr.split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line): LogEntry => JSON.parse(line));
  return { ...ended, entries };
}

/** What was refused, in order: `PLACE: TEXT` without what to do about it. */
export function refusals(entries: readonly LogEntry[]): string[] {
  return entries.filter(({ event }) => event === "refused")
    .map(({ fields: { place, text } }) =>
      place === undefined ? String(text) : `${place}: ${text}`
    );
}

/** The ids of a process and of what each of its threads says they are. */
export async function idsOfThreads(pid: number): Promise<string[]> {
  const script = 'for task in /proc/"$0"/task/*; do cat "$task/status"; done';
  const text = await output("sh", "-c", script, String(pid));
  return text.split(/^(?=Name:)/m).map((status) => {
    const fields = statusFields(status);
    return ["Uid", "Gid", "Groups"].map((name) => fields.get(name)).join(", ");
  });
}

/**
 * `spawnd serve`, which is reloaded. It ends with the scope: `await using`.
 */
export class Server implements AsyncDisposable {
  readonly daemon: Daemon;

  private constructor(daemon: Daemon) {
    this.daemon = daemon;
  }

  /** Starts it and waits until it accepts. */
  static async start(
    args: readonly string[],
    options: StartOptions = {},
  ): Promise<Server> {
    return new Server(await Daemon.serve(args, options));
  }

  /** Its process id, whatever it has executed. */
  get pid(): number {
    return this.daemon.pid;
  }

  /** How often it was reloaded. */
  get reloads(): number {
    return recordsOf(this.daemon, "reloaded").length;
  }

  kill(signal: Deno.Signal, pid: number = this.pid): void {
    Deno.kill(pid, signal);
  }

  /** Reloads, and waits until the new configuration serves. */
  async reload(): Promise<LogEntry> {
    const { reloads } = this;
    this.kill("SIGHUP");
    return await this.reloaded(reloads + 1);
  }

  /** Waits for the `count`th reload, all of which are of the same process. */
  async reloaded(count: number): Promise<LogEntry> {
    const entry = await this.daemon.event("reloaded", count, {
      unless: "reload-failed",
    });
    assertEquals([entry.pid, entry.fields["pid"]], [this.pid, this.pid]);
    return entry;
  }

  /** Reloads, and waits until that is given up. */
  async reloadInVain(): Promise<LogEntry> {
    const count = recordsOf(this.daemon, "reload-failed").length;
    this.kill("SIGHUP");
    const entry = await this.daemon.event("reload-failed", count + 1);
    assertEquals(entry.pid, this.pid);
    return entry;
  }

  /** Waits until it has ended. */
  async ended(): Promise<Deno.CommandStatus> {
    return await this.daemon.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon[Symbol.asyncDispose]();
  }
}
