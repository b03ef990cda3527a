/**
 * A real journald of the tests' own, which is where only those see it that are
 * to: in a mount namespace with a /run/systemd that holds nothing else.
 *
 * @module
 */

import { BOUNDED, isAlive, output, until } from "../e2e/machine.ts";

/** The program that {@linkcode Journald} needs. */
export const JOURNALD = "/usr/lib/systemd/systemd-journald";

const SOCKET = "/run/systemd/journal/socket";
const RECORDS = "/run/log/journal";

/** Folders of the namespace's own, and a process that keeps it. */
const INSIDE = `set -e
mkdir -p /run/systemd /run/log
mount -t tmpfs -o mode=755 tmpfs /run/systemd
mount -t tmpfs -o mode=755 tmpfs /run/log
mkdir -p ${RECORDS} /run/systemd/journal
echo ready
exec sleep infinity
`;

/** A record, field by field. */
export type JournalRecord = Readonly<Record<string, string>>;

/** A journald that runs. Goes with the scope: `await using`. */
export class Journald implements AsyncDisposable {
  readonly #keeper: Deno.ChildProcess;
  #journald: Deno.ChildProcess | undefined;

  private constructor(keeper: Deno.ChildProcess) {
    this.#keeper = keeper;
  }

  static async start(): Promise<Journald> {
    const words = ["--mount", "--propagation", "private"];
    const keeper = new Deno.Command("unshare", {
      args: [...words, "sh", "-c", INSIDE],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const reader = keeper.stdout.getReader();
    await reader.read();
    await reader.cancel();
    const journald = new Journald(keeper);
    await journald.restart();
    return journald;
  }

  /** Words that have a program run where this journald is seen. */
  get prefix(): string[] {
    return ["nsenter", "--mount", "--target", `${this.#keeper.pid}`];
  }

  /** Ends it, as a crash does. */
  async kill(): Promise<void> {
    this.#journald?.kill("SIGKILL");
    await this.#journald?.status;
    this.#journald = undefined;
    await this.#inside("rm", "-f", SOCKET);
  }

  /** Starts it, or another after a {@linkcode kill}. */
  async restart(): Promise<void> {
    const [program = "", ...words] = this.prefix;
    this.#journald = new Deno.Command(program, {
      args: [...words, JOURNALD],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await until("journald is there", async () => {
      const { success } = await this.#run("test", "-S", SOCKET);
      return success;
    });
  }

  /** The records that have a field of that value, in their order. */
  async records(match: string): Promise<JournalRecord[]> {
    const { success, stdout } = await this.#run(
      ...["journalctl", "--output=json", "--no-pager", "--quiet"],
      ...[`--directory=${RECORDS}`, match],
    );
    if (!success) return [];
    return new TextDecoder().decode(stdout).split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }

  async #inside(...words: string[]): Promise<void> {
    const [program = "", ...prefix] = this.prefix;
    await output(program, ...prefix, ...words);
  }

  #run(...words: string[]): Promise<Deno.CommandOutput> {
    const [program = "", ...prefix] = [...BOUNDED, ...this.prefix];
    return new Deno.Command(program, { args: [...prefix, ...words] }).output();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    if (await isAlive(this.#keeper.pid)) this.#keeper.kill("SIGKILL");
    await this.#keeper.status;
  }
}
