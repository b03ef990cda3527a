/**
 * A real Postfix of the tests' own: its configuration, queue and data, below
 * one folder; the machine's own instance is never touched.
 *
 * @module
 */

import { programWords, readAll, writeAll } from "../e2e/daemon.ts";
import { peerTest } from "../e2e/load.ts";
import { Folder, output, until } from "../e2e/machine.ts";
import type { Syslogd } from "./syslogd.ts";

const DAEMONS = "/usr/lib/postfix/sbin";

/** A test that needs Postfix, and perhaps other programs. */
export function postfixTest(
  name: string,
  fn: () => Promise<void>,
  { others = [] }: { readonly others?: readonly string[] } = {},
): void {
  peerTest(name, [`${DAEMONS}/master`, ...others], fn);
}

/** An instance that runs. Goes with the scope: `await using`. */
export class Postfix implements AsyncDisposable {
  readonly #folder: Folder;
  readonly #prefix: readonly string[];

  private constructor(folder: Folder, prefix: readonly string[]) {
    this.#folder = folder;
    this.#prefix = prefix;
  }

  /**
   * Starts an instance.
   *
   * @param masterCf Lines of its master.cf.
   * @param mainCf Lines of its main.cf, beside the usual.
   * @param options Where it logs to.
   */
  static async start(
    masterCf: string,
    mainCf = "",
    { syslogd }: { readonly syslogd?: Syslogd } = {},
  ): Promise<Postfix> {
    const folder = await Folder.create();
    const postfix = new Postfix(folder, syslogd?.prefix ?? []);
    const maillog = syslogd ? "" : folder.join("maillog");
    for (const name of ["etc", "sbin", "queue", "data"]) {
      await Deno.mkdir(folder.join(name));
    }
    await output("chown", "postfix", folder.join("data"));
    for await (const { name } of Deno.readDir(DAEMONS)) {
      await output("cp", `${DAEMONS}/${name}`, folder.join("sbin"));
    }
    await installProgram(folder.join("sbin/spawnd"));
    await folder.file(
      "etc/main.cf",
      `compatibility_level = 3.6
queue_directory = ${folder.join("queue")}
data_directory = ${folder.join("data")}
daemon_directory = ${folder.join("sbin")}
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = test.example
alias_maps =
default_process_limit = 300
maillog_file = ${maillog}
maillog_file_prefixes = ${folder.path}
${mainCf}
`,
    );
    await postfix.setMasterCf(masterCf);
    await postfix.control("start");
    return postfix;
  }

  /** A path below its folder, in which are `etc`, `sbin`, `queue`, `data`. */
  join(name: string): string {
    return this.#folder.join(name);
  }

  /** Writes master.cf anew; a reload makes it count. */
  async setMasterCf(lines: string): Promise<void> {
    const postlog = "postlog unix-dgram n - n - 1 postlogd\n";
    await this.#folder.file("etc/master.cf", `${postlog}${lines}\n`);
  }

  /** Makes a file that everybody may read, and perhaps run. */
  async file(name: string, text: string, mode?: number): Promise<string> {
    return await this.#folder.file(name, text, mode);
  }

  /** `postfix start`, `stop` or `reload`. */
  async control(word: string): Promise<void> {
    const words = ["postfix", "-c", this.#folder.join("etc"), word];
    const [program = "", ...args] = [...this.#prefix, ...words];
    await output(program, ...args);
  }

  /** The process id of its master. */
  async masterPid(): Promise<number> {
    const path = this.#folder.join("queue/pid/master.pid");
    return Number(await Deno.readTextFile(path));
  }

  /**
   * Connects to a private service, or to one of the loopback by its host and
   * port. After a reload it may be there only after a while.
   */
  async connect(service: string): Promise<Deno.Conn> {
    const [hostname = "", port] = service.split(":");
    const path = this.#folder.join(`queue/private/${service}`);
    const connections: Deno.Conn[] = [];
    await until(`${service} can be connected to`, async () => {
      const connected = port === undefined
        ? Deno.connect({ transport: "unix", path })
        : Deno.connect({ hostname, port: Number(port) });
      connections.push(...await orNone(connected));
      return connections.length > 0;
    });
    const [connection] = connections;
    if (connection === undefined) throw new Error(`no ${service}`);
    return connection;
  }

  /** Sends a text to a private service and returns the whole answer. */
  async ask(service: string, text = ""): Promise<string> {
    using connection = await this.connect(service);
    await writeAll(connection, new TextEncoder().encode(text));
    await connection.closeWrite();
    return new TextDecoder().decode(await readAll(connection));
  }

  /** The mail log so far. */
  async log(): Promise<string> {
    return await Deno.readTextFile(this.#folder.join("maillog"));
  }

  /** Waits for a text in the mail log. */
  async logged(text: string | RegExp): Promise<void> {
    await until(`logged: ${text}`, async () => {
      return (await this.log()).search(text) >= 0;
    });
  }

  /**
   * The processes that serve a service.
   *
   * @param parent Who has started them, if that is not master.
   */
  async daemons(service: string, parent?: number): Promise<number[]> {
    const pid = parent ?? await this.masterPid();
    const { stdout } = await new Deno.Command("pgrep", {
      args: ["-P", `${pid}`, "-f", "--", `-n ${service} -t`],
    }).output();
    return new TextDecoder().decode(stdout).split("\n")
      .filter((line) => line !== "").map(Number);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const etc = this.#folder.join("etc");
    // It may have ended in the test.
    await new Deno.Command("postfix", {
      args: ["-c", etc, "stop"],
      stdout: "null",
      stderr: "null",
    }).output();
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** The connection, or none where nobody listens yet. */
async function orNone(connected: Promise<Deno.Conn>): Promise<Deno.Conn[]> {
  try {
    return [await connected];
  } catch (error) {
    const { NotFound, ConnectionRefused } = Deno.errors;
    if (error instanceof NotFound || error instanceof ConnectionRefused) {
      return [];
    }
    throw error;
  }
}

/** The binary; or a script in its place that runs the sources. */
async function installProgram(path: string): Promise<void> {
  const words = programWords();
  if (words.length === 1) {
    await output("cp", words[0] ?? "", path);
    return;
  }
  const quoted = words.map((word) => `'${word}'`).join(" ");
  const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache`;
  await Deno.writeTextFile(
    path,
    `#!/bin/bash
DENO_DIR='${cache}' exec -a spawnd ${quoted} "$@"
`,
  );
  await Deno.chmod(path, 0o755);
}
