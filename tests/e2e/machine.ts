/**
 * The machine as the tests see and use it: processes in /proc, accounts made
 * for a test, waiting for a condition.
 *
 * @module
 */

import { delay } from "@std/async/delay";

/** Whether the tests may do what only root can. */
export const IS_ROOT = Deno.uid() === 0;

/** A test that only root can run; elsewhere it is shown as ignored. */
export function rootTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !IS_ROOT, fn });
}

/** The engines, for tests that hold for both. */
export const ENGINES = ["direct", "relay"] as const;

/**
 * What has not come by then never will. It says nothing about how long anything
 * may take: a busy machine has time enough, and no test that goes well waits.
 */
export const NEVER_MS = 60_000;

/** Words before a program that is not to hang for ever. */
export const BOUNDED = [
  "timeout",
  "--signal=KILL",
  String(NEVER_MS / 1000),
] as const;

/**
 * Waits until a condition holds, looking again and again.
 *
 * @throws {Error} If it never does.
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + NEVER_MS;
  while (!await condition()) {
    if (performance.now() > deadline) throw new Error(`never so: ${what}`);
    await delay(5);
  }
}

/** Runs a program of the system and returns what it prints. */
export async function output(
  program: string,
  ...args: string[]
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args })
    .output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(`${program} ${args.join(" ")}: ${decoder.decode(stderr)}`);
  }
  return decoder.decode(stdout);
}

/** A file below /proc, which the runtime does not read under its permissions. */
export async function proc(path: string): Promise<string> {
  return await output("cat", `/proc/${path}`);
}

/** The fields of a /proc/PID/status text, by name. */
export function statusFields(text: string): Map<string, string> {
  return new Map(
    text.split("\n").map((line) => {
      const [name = "", value = ""] = line.split(":\t");
      return [name, value.trim().replaceAll("\t", " ")];
    }),
  );
}

/** Whether a process is there and is no zombie. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    return statusFields(await proc(`${pid}/status`)).get("State")?.[0] !== "Z";
  } catch {
    return false;
  }
}

/** The children of a process, zombies included. */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await proc(`${pid}/task/${pid}/children`);
  return text.trim().split(" ").filter((word) => word).map(Number);
}

/** The names in a process's descriptor table. */
export async function descriptorsOf(pid: number): Promise<number[]> {
  const text = await output("ls", `/proc/${pid}/fd`);
  return text.trim().split("\n").map(Number).sort((a, b) => a - b);
}

/** What of this process's environment a program from source needs. */
export function environmentOfDeno(): Record<string, string> {
  return Object.fromEntries(
    ["HOME", "PATH", "DENO_DIR", "DENO_TLS_CA_STORE"].flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/**
 * Words before a program that changes the machine's accounts, or has others
 * mounted in their place. Who comes to change them meanwhile would sleep a
 * second, and in the end give up; and the file that replaces the old one takes
 * away what is mounted there, in every namespace.
 */
export const ONE_AT_A_TIME = ["flock", "/run/spawnd-tests-accounts"] as const;

/** An account made for a test. Goes with the scope: `await using`. */
export class Account implements AsyncDisposable {
  private constructor(
    readonly name: string,
    readonly uid: number,
    readonly gid: number,
  ) {}

  static async create(...options: string[]): Promise<Account> {
    const name = `spawnd-${crypto.randomUUID().slice(0, 8)}`;
    await output(
      ...ONE_AT_A_TIME,
      "useradd",
      "--system",
      "--user-group",
      "--no-create-home",
      "--home-dir=/nonexistent",
      "--shell=/bin/sh",
      ...options,
      name,
    );
    const uid = Number(await output("id", "-u", name));
    const gid = Number(await output("id", "-g", name));
    return new Account(name, uid, gid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await output(...ONE_AT_A_TIME, "userdel", this.name);
  }
}

/**
 * A folder made for a test, which every account may enter. Goes with the scope:
 * `await using`.
 */
export class Folder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  /** @param mode 0o777 for one in which every account may write. */
  static async create(mode = 0o755): Promise<Folder> {
    const path = await Deno.makeTempDir({ prefix: "spawnd-test-" });
    await Deno.chmod(path, mode);
    return new Folder(path);
  }

  /** Writes a file into it, to be read, and perhaps run, by everybody. */
  async file(name: string, text: string, mode = 0o644): Promise<string> {
    const path = this.join(name);
    await Deno.writeTextFile(path, text);
    await Deno.chmod(path, mode);
    return path;
  }

  /** The path of a file in it. */
  join(name: string): string {
    return `${this.path}/${name}`;
  }

  /** The names in it, sorted. */
  async names(): Promise<string[]> {
    const entries = await Array.fromAsync(Deno.readDir(this.path));
    return entries.map(({ name }) => name).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/**
 * Words that keep a record of what the rest calls. The tracer is a grandchild,
 * so that the program itself is the child.
 *
 * @param calls Which system calls, as strace(1) takes them.
 * @param file Where the record goes.
 */
export function traced(calls: string, file: string): string[] {
  return ["strace", "-D", "-f", "-e", `trace=${calls}`, "-o", file];
}

/**
 * The calls recorded of a program that ends, in their order.
 *
 * @param file The record.
 * @param pid The program.
 */
export async function tracedCalls(
  file: string,
  pid: number,
): Promise<string[]> {
  let lines: string[] = [];
  await until("the record is complete", async () => {
    lines = (await Deno.readTextFile(file)).split("\n");
    const ended = new RegExp(`^${pid} +\\+\\+\\+ `);
    return lines.some((line) => ended.test(line));
  });
  return lines.map((line) => line.replace(/^\d+ +/, ""))
    .filter((line) => line !== "" && !/^(?:\+\+\+|---) /.test(line));
}
