/**
 * A real syslogd of the tests' own, which listens on /dev/log where only those
 * see it that are to: in a mount namespace with a /dev that holds little else.
 *
 * @module
 */

import { Folder, isAlive, output, until } from "../e2e/machine.ts";

/** The program that {@linkcode Syslogd} needs. */
export const SYSLOGD = "/usr/bin/busybox";

/** Devices without which no program runs. */
const DEVICES = "null zero full random urandom tty";

/** A /dev of the namespace's own, then syslogd in the place of the shell. */
const INSIDE = `set -e
mkdir "$0/dev"
mount --bind /dev "$0/dev"
mount -t tmpfs -o mode=755 tmpfs /dev
for name in ${DEVICES}; do
  touch "/dev/$name"
  mount --bind "$0/dev/$name" "/dev/$name"
done
ln -s /proc/self/fd /dev/fd
exec ${SYSLOGD} syslogd -n -O "$0/messages"
`;

/** A record as syslogd writes it, without the time and the machine. */
export interface SyslogRecord {
  /** Facility and level: `mail.info`. */
  readonly priority: string;
  /** What stands before the process id. */
  readonly ident: string;
  readonly pid: number;
  readonly text: string;
}

/** A syslogd that runs. Goes with the scope: `await using`. */
export class Syslogd implements AsyncDisposable {
  readonly #folder: Folder;
  readonly #child: Deno.ChildProcess;

  private constructor(folder: Folder, child: Deno.ChildProcess) {
    this.#folder = folder;
    this.#child = child;
  }

  static async start(): Promise<Syslogd> {
    const folder = await Folder.create();
    const words = ["--mount", "--propagation", "private"];
    const child = new Deno.Command("unshare", {
      args: [...words, "sh", "-c", INSIDE, folder.path],
      stdin: "null",
    }).spawn();
    const syslogd = new Syslogd(folder, child);
    await until("syslogd is there", async () => {
      return (await syslogd.#text()).includes("syslogd started");
    });
    return syslogd;
  }

  /** Words that have a program run where this syslogd is seen. */
  get prefix(): string[] {
    return ["nsenter", "--mount", "--target", `${this.#child.pid}`];
  }

  /** Holds it, as if it hung, until SIGCONT. */
  async hold(): Promise<void> {
    this.#child.kill("SIGSTOP");
    await until("syslogd is held", async () => {
      const state = await output(
        "ps",
        "-o",
        "stat=",
        "-p",
        `${this.#child.pid}`,
      );
      return state.startsWith("T");
    });
  }

  /** Ends a {@linkcode hold}. */
  release(): void {
    this.#child.kill("SIGCONT");
  }

  /** Ends it, as a crash does. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }

  /** All records so far, in their order. */
  async records(): Promise<SyslogRecord[]> {
    const line = /^.{15} \S+ (\w+\.\w+) (\S+)\[(\d+)\]: (.*)$/gm;
    return [...(await this.#text()).matchAll(line)]
      .map(([_, priority = "", ident = "", pid, text = ""]) => {
        return { priority, ident, pid: Number(pid), text };
      });
  }

  async #text(): Promise<string> {
    try {
      return await Deno.readTextFile(this.#folder.join("messages"));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (await isAlive(this.#child.pid)) this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#folder[Symbol.asyncDispose]();
  }
}
