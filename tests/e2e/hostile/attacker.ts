/**
 * The attacker: the programs of a service's user who hates the others. They are in
 * C, since no script is fast enough.
 *
 * @module
 */

import { type Account, type Folder, output, until } from "../machine.ts";
import { peerTest } from "../load.ts";

/** How long an attack under load goes on: longer to search than to check. */
export const ATTACK_SECONDS = Number(
  Deno.env.get("SPAWND_ATTACK_SECONDS") ?? 3,
);

const SOURCES = new URL("./", import.meta.url).pathname;

/** A test that only root can run, and that needs a C compiler. */
export function attackTest(name: string, fn: () => Promise<void>): void {
  peerTest(name, "/usr/bin/gcc", fn);
}

/** What is compiled already, or soon. A program that runs cannot be written. */
const compiled = new Map<string, Promise<void>>();

/**
 * Compiles a program of the attacker, once.
 *
 * @param name Its source without the `.c`.
 * @param flags What the compiler is told beside.
 * @returns Its path.
 */
export async function compile(
  folder: Folder,
  name: string,
  flags: readonly string[] = ["-static"],
): Promise<string> {
  const path = folder.join(name);
  const done = compiled.get(path) ?? compileAnew(path, name, flags);
  compiled.set(path, done);
  await done;
  return path;
}

async function compileAnew(
  path: string,
  name: string,
  flags: readonly string[],
): Promise<void> {
  await output("gcc", "-O2", ...flags, "-o", path, `${SOURCES}${name}.c`);
  await Deno.chmod(path, 0o755);
}

/** Words before a program that have it run as somebody. */
export function as({ uid, gid }: Account): string[] {
  return [
    "setpriv",
    `--reuid=${uid}`,
    `--regid=${gid}`,
    "--clear-groups",
    "--",
  ];
}

/** Runs a program of the attacker to its end and returns what it prints. */
export async function runAs(
  account: Account,
  ...words: string[]
): Promise<string> {
  const [program = "", ...args] = [...as(account), ...words];
  return await output(program, ...args);
}

/**
 * A program of the attacker that goes on until it is told to stop. Goes with
 * the scope: `await using`.
 */
export class Attacker implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<void>;

  constructor(account: Account, ...words: string[]) {
    const [program = "", ...args] = [...as(account), ...words];
    this.#child = new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#read = this.#readLines();
  }

  /** Waits until it has printed so many lines. */
  async hasPrinted(count: number): Promise<void> {
    await until(
      `the attacker has printed ${count} lines`,
      () => this.lines.length >= count,
    );
  }

  /** Ends its input, which ends it, or kills it. */
  async stop(how: "end of input" | Deno.Signal): Promise<void> {
    if (how === "end of input") await this.#child.stdin.close();
    else this.#child.kill(how);
    await this.#child.status;
    await this.#read;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it was stopped
    }
    // Its reader may be gone already.
    await this.#child.stdin.abort().catch(() => {});
    await this.#child.status;
    await this.#read;
  }

  async #readLines(): Promise<void> {
    let rest = "";
    for await (
      const text of this.#child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
    }
  }
}
