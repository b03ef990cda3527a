/**
 * Drives a real daemon from outside: the compiled binary, or, where
 * SPAWND_FROM_SOURCE is set, the sources on the Deno that runs the tests.
 *
 * @module
 */

import { assert } from "@std/assert";
import { NEVER_MS } from "./machine.ts";
import manifest from "../../deno.json" with { type: "json" };
import { environmentOfDeno } from "./machine.ts";

const ROOT = new URL("../../", import.meta.url);

/** The program and the words before its own. */
export function programWords(): string[] {
  if (Deno.env.get("SPAWND_FROM_SOURCE") === undefined) {
    return [new URL("dist/spawnd", ROOT).pathname];
  }
  const flags = manifest.tasks.compile.command.split(" ")
    .filter((word) => /^--(?:allow-|v8-flags=)/.test(word));
  const main = new URL("main.ts", ROOT).pathname;
  const config = new URL("deno.json", ROOT).pathname;
  return [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    "--frozen",
    `--config=${config}`,
    ...flags,
    main,
  ];
}

/** How a daemon is to be started. */
export interface StartOptions {
  /** Variables beside the few that it always has. */
  readonly env?: Record<string, string>;
  /** Words before the program: `setpriv`, `prlimit`, `strace` and the like. */
  readonly prefix?: readonly string[];
  /** The program and the words before its own, if not {@linkcode programWords}. */
  readonly program?: readonly string[];
  readonly cwd?: string;
}

/** A line of the log with `--log-format json`. */
export interface LogEntry {
  readonly level: string;
  readonly service: string;
  readonly pid: number;
  readonly event: string;
  readonly text: string;
  readonly fields: Record<string, unknown>;
}

/** What is left of a program that has ended. */
export interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end. */
export async function runToEnd(
  args: readonly string[],
  options: StartOptions = {},
): Promise<Ended> {
  const { code, signal, stdout, stderr } = await command(args, options)
    .output();
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, signal, stdout: decode(stdout), stderr: decode(stderr) };
}

/** Starts the program and leaves its outputs, both pipes, to the caller. */
export function launch(
  args: readonly string[],
  options: StartOptions = {},
): Deno.ChildProcess {
  return command(args, options).spawn();
}

function command(
  args: readonly string[],
  { env, prefix = [], program: ours = programWords(), cwd }: StartOptions,
): Deno.Command {
  const [program = "", ...words] = [...prefix, ...ours, ...args];
  return new Deno.Command(program, {
    args: words,
    clearEnv: true,
    env: { ...environmentOfDeno(), ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

/** A daemon that runs and accepts. Ends with the scope: `await using`. */
export class Daemon implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #read: Promise<void>;
  #over = false;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#read = this.#readLines();
  }

  /**
   * Starts `spawnd run` and waits until it accepts.
   *
   * @param args The words after `run`; `--log-format json` is put before them.
   * @throws {Error} With its log, if it does not come so far.
   */
  static async start(
    args: readonly string[],
    options: StartOptions = {},
  ): Promise<Daemon> {
    const [type = "", name = "", ...rest] = args;
    const words = ["run", type, name, "--log-format", "json", ...rest];
    const daemon = new Daemon(command(words, options).spawn());
    return await daemon.#cameTo(() => daemon.event("listening"));
  }

  /**
   * Starts `spawnd run` with the words as they are, and waits for a line of
   * its log, whatever its format.
   *
   * @param pattern What the line has.
   * @throws {Error} With its log, if it ends without such a line.
   */
  static async startUntil(
    pattern: RegExp,
    args: readonly string[],
    options: StartOptions = {},
  ): Promise<Daemon> {
    const daemon = new Daemon(command(["run", ...args], options).spawn());
    return await daemon.#cameTo(() => daemon.line(pattern));
  }

  /**
   * Starts `spawnd serve` and waits until it accepts.
   *
   * @param args The words after `serve`; `--log-format json` is put before.
   * @throws {Error} With its log, if it does not come so far.
   */
  static async serve(
    args: readonly string[],
    options: StartOptions = {},
  ): Promise<Daemon> {
    const words = ["serve", "--log-format", "json", ...args];
    const daemon = new Daemon(command(words, options).spawn());
    return await daemon.#cameTo(() => daemon.event("listening"));
  }

  /** The process id of the daemon, or of the first word of the prefix. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Every line of its log so far. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Every record of its log so far. */
  get entries(): LogEntry[] {
    return this.#lines.filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
  }

  /** Where it listens, as it said itself. */
  get addresses(): string[] {
    const listening = this.entries.find(({ event }) => event === "listening");
    return listening?.fields["addresses"] as string[]; // as announced
  }

  /** The port of its first address. */
  get port(): number {
    return Number(this.addresses[0]?.match(/:(\d+)$/)?.[1]);
  }

  /**
   * Waits for the `count`th record of an event.
   *
   * @throws {Error} With its log, if it ends without; or if another event
   * happens from now on, `unless` which it would have come.
   */
  async event(
    name: string,
    count = 1,
    { unless = "" }: { unless?: string } = {},
  ): Promise<LogEntry> {
    const countOf = (name: string): number =>
      this.entries.filter(({ event }) => event === name).length;
    const before = countOf(unless);
    for (;;) {
      const found = this.entries.filter(({ event }) => event === name);
      const entry = found[count - 1];
      if (entry !== undefined) return entry;
      if (this.#over || countOf(unless) > before) {
        throw new Error(`no "${name}" in the log:\n${this.#lines.join("\n")}`);
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Waits for a line that matches. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.#lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      if (this.#over) {
        throw new Error(`no ${pattern} in the log:\n${this.#lines.join("\n")}`);
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async #cameTo(there: () => Promise<unknown>): Promise<this> {
    try {
      await there();
      return this;
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Connects to its first address. */
  async connect(): Promise<Deno.Conn> {
    const address = this.addresses[0] ?? "";
    if (address.startsWith("/")) {
      return await Deno.connect({ transport: "unix", path: address });
    }
    const [, v6, v4] = /^(?:\[(.*)\]|(.*)):\d+$/.exec(address) ?? [];
    const hostname = v6 ?? v4 ?? "";
    return await Deno.connect({
      hostname: hostname === "::" ? "::1" : hostname,
      port: this.port,
    });
  }

  /** Sends bytes, closes that direction, and reads all that comes back. */
  async talk(input: string | Uint8Array = ""): Promise<string> {
    const bytes = typeof input === "string"
      ? new TextEncoder().encode(input)
      : input;
    using connection = await this.connect();
    const answer = readAll(connection);
    await writeAll(connection, bytes);
    await connection.closeWrite();
    return new TextDecoder().decode(await answer);
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** How it ended. */
  async ended(): Promise<Deno.CommandStatus> {
    const status = await this.#child.status;
    await this.#read;
    return status;
  }

  /** Ends it, commands and all. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.kill("SIGINT");
    } catch (error) {
      // It has ended already, as the test wanted.
      assert(error instanceof TypeError, String(error));
    }
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      this.kill("SIGKILL");
    }, NEVER_MS);
    await this.ended();
    clearTimeout(timer);
    assert(!hung, "the daemon did not end");
  }

  async #readLines(): Promise<void> {
    this.#child.stdout.cancel();
    let rest = "";
    for await (
      const text of this.#child.stderr.pipeThrough(new TextDecoderStream())
    ) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.#lines.push(...lines);
      this.#tell();
    }
    if (rest !== "") this.#lines.push(rest);
    this.#over = true;
    this.#tell();
  }

  #tell(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Reads until the other side ends. */
export async function readAll(connection: Deno.Conn): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const buffer = new Uint8Array(65536);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) break;
    chunks.push(buffer.slice(0, count));
  }
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

/** Writes all of it. */
export async function writeAll(
  connection: Deno.Conn,
  bytes: Uint8Array,
): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await connection.write(bytes.subarray(sent));
  }
}
