/**
 * Small programs in fixtures/ that do in a process of their own what a test
 * must not do in the one that all tests share: change ids, give permissions
 * back, receive signals, be started in an unusual way.
 *
 * @module
 */

import { assert } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { environmentOfDeno } from "../e2e/machine.ts";
import { LineReader } from "./line_reader.ts";

const FIXTURES = new URL("fixtures/", import.meta.url);
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** Every grant that the daemon itself is compiled with. */
export const ALLOW_AS_DAEMON = manifest.tasks.compile.command.split(" ")
  .filter((word) => word.startsWith("--allow-"));

/** Those of them for the C library and for the process's own ids. */
export const ALLOW_LIBC = ALLOW_AS_DAEMON
  .filter((word) => /^--allow-(?:ffi|sys)=/.test(word));

/** How a fixture is to be started. */
export interface FixtureOptions {
  readonly args?: readonly string[];
  /** Permission flags; the one for the C library unless others are given. */
  readonly allow?: readonly string[];
  /** Words before the program: `setpriv` and the like. */
  readonly prefix?: readonly string[];
  /** Variables beside the few that it always has. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What is left of a fixture that has ended. */
export interface FixtureEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a fixture to its end. */
export async function runFixture(
  name: string,
  options: FixtureOptions = {},
): Promise<FixtureEnd> {
  const { code, stdout, stderr } = await command(name, options, "null")
    .output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/**
 * Runs a fixture that prints one JSON text, and returns what that says.
 *
 * @throws {Error} With what it said on standard error, if it fails.
 */
export async function reportOf<T>(
  name: string,
  options: FixtureOptions = {},
): Promise<T> {
  const { code, stdout, stderr } = await runFixture(name, options);
  assert(code === 0, `${name} failed:\n${stderr}`);
  return JSON.parse(stdout);
}

function command(
  name: string,
  { args = [], allow = ALLOW_LIBC, prefix = [], env = {} }: FixtureOptions,
  stdin: "null" | "piped",
): Deno.Command {
  const [program = "", ...words] = [
    ...prefix,
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    "--frozen",
    `--config=${CONFIG}`,
    ...allow,
    new URL(name, FIXTURES).pathname,
    ...args,
  ];
  return new Deno.Command(program, {
    args: words,
    clearEnv: true,
    env: { ...environmentOfDeno(), ...env },
    stdin,
    stdout: "piped",
    stderr: "piped",
  });
}

/**
 * A fixture that is talked to, line by line. Ends with the scope: `await using`.
 */
export class Fixture implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: LineReader;
  #stderr: Promise<string> | undefined;

  constructor(name: string, options: FixtureOptions = {}) {
    this.#child = command(name, options, "piped").spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = new LineReader(this.#child.stdout);
  }

  /** Its process id, or that of the first word of the prefix. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Sends it a line. */
  async tell(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /**
   * Waits for its next line.
   *
   * @throws {Error} With what it said on standard error, if it has ended.
   */
  async line(): Promise<string> {
    const line = await this.#output.next();
    if (line !== undefined) return line;
    throw new Error(`it has ended:\n${await this.#said()}`);
  }

  /** Waits for its next line and reads that as JSON. */
  async entry<T>(): Promise<T> {
    return JSON.parse(await this.line());
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for its end. Its standard error is not read before. */
  async ended(): Promise<FixtureEnd> {
    const stderr = this.#said();
    const { code } = await this.#child.status;
    const stdout = await this.#output.toEnd();
    return { code, stdout, stderr: await stderr };
  }

  #said(): Promise<string> {
    return this.#stderr ??= this.#child.stderr.text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.kill("SIGKILL");
    } catch (error) {
      // It has ended already, as the test wanted.
      assert(error instanceof TypeError, String(error));
    }
    await this.#input.close().catch(() => {});
    await this.ended();
  }
}
