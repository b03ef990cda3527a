/**
 * A real Postfix of the benchmark's own: its configuration, queue and data are
 * below the benchmark's directory, and it listens on 127.0.0.1 alone; the
 * machine's own instance is never touched.
 *
 * Below its master(8) stand the services under measurement: the same command
 * by Postfix's spawn(8), by spawnd as it comes, and by spawnd with one command
 * a process. Each stands there three times: as Postfix comes, with a maxproc of 100,
 * a queue of as many waiting connections and max_use = 100, after which a
 * process of spawn(8) ends; with a maxproc above the number of connections that
 * are held for the figures of memory; and with a command that tells its
 * environment.
 *
 * @module
 */

import { environmentTeller, usualCommand } from "./commands.ts";
import { findFreePort, host, readAnswer, waitForEcho } from "./connections.ts";
import { BenchError, type Daemon, type Processes } from "./processes.ts";
import type { RunningServer } from "./servers.ts";
import { orMend } from "./versions.ts";
import type { Workshop } from "./workshop.ts";

/** A service below master(8). */
export type MasterServiceName = "spawn" | "spawnd" | "classic";

/** All of them, in the order of the table's columns. */
export const masterServiceNames: readonly MasterServiceName[] = [
  "spawn",
  "spawnd",
  "classic",
];

/** A service that has answered. */
export type RunningService = RunningServer<MasterServiceName>;

/**
 * What a service is there for: its limit of commands at once, as master.cf has
 * it, and its command.
 */
const purposes = {
  load: { maxProcesses: "-", command: usualCommand },
  held: { maxProcesses: "1200", command: usualCommand },
  environment: { maxProcesses: "-", command: environmentTeller },
} as const;

type Purpose = keyof typeof purposes;

const programs: Readonly<Record<MasterServiceName, string>> = {
  spawn: "spawn",
  spawnd: "spawnd",
  classic: "spawnd -o spawnd_concurrency=1",
};

const owner = "postfix";
const patienceMs = 30_000;
const retryMs = 5;
const charactersOfLogTold = 4000;

/**
 * Tells the version of the installed Postfix.
 *
 * @param workshop The processes and where things are.
 * @returns Its name and version.
 * @throws {BenchError} When it is missing, with what to do about it.
 */
export async function findPostfixVersion(workshop: Workshop): Promise<string> {
  const version = await orMend(
    builtIn("mail_version", workshop),
    "postfix is missing: apt-get install postfix",
  );
  return `postfix ${version}`;
}

/** What a parameter is where no configuration says otherwise. */
async function builtIn(
  parameter: string,
  { processes }: Workshop,
): Promise<string> {
  const words = ["postconf", "-d", "-h", parameter];
  return (await processes.capture(words)).trim();
}

/** An instance that runs. */
export class Postfix {
  readonly #processes: Processes;
  readonly #folder: string;
  readonly #master: Daemon;

  private constructor(
    { processes, folder, master }: {
      processes: Processes;
      folder: string;
      master: Daemon;
    },
    /** As Postfix comes, in the order of {@linkcode masterServiceNames}. */
    readonly services: readonly RunningService[],
    /** Those that hold as many connections as are asked for, in that order. */
    readonly holders: readonly RunningService[],
    /** Those whose command tells its environment, in that order. */
    readonly tellers: readonly RunningService[],
  ) {
    this.#processes = processes;
    this.#folder = folder;
    this.#master = master;
  }

  /**
   * Starts an instance and waits until all of its services answer.
   *
   * @param workshop The processes and where things are.
   * @returns The instance.
   * @throws {BenchError} When master(8) ends or a service stays silent.
   */
  static async start(workshop: Workshop): Promise<Postfix> {
    const { processes } = workshop;
    const folder = `${workshop.directory}/postfix`;
    const daemons = await builtIn("daemon_directory", workshop);
    const ports = masterServiceNames.map(() => ({
      load: findFreePort(workshop),
      held: findFreePort(workshop),
      environment: findFreePort(workshop),
    }));
    await makeFolders(folder, { daemons, workshop });
    await Deno.writeTextFile(`${folder}/etc/main.cf`, mainCf(folder));
    await Deno.writeTextFile(
      `${folder}/etc/master.cf`,
      masterCf(ports, workshop.user.name),
    );
    const { pid, ended, complaint } = processes.startDaemon("master", [
      `${daemons}/master`,
      // In the foreground: a child whose end is seen.
      ...["-d", "-c", `${folder}/etc`],
    ]);
    const master = {
      name: "master",
      pid,
      ended,
      complaint: () => `${complaint()}\n${endOfLog(folder)}`.trim(),
    };
    const running = (purpose: Purpose): RunningService[] =>
      masterServiceNames.map((name, i) => ({
        name,
        workload: "cat",
        port: ports[i]?.[purpose] ?? NaN,
        daemon: master,
      }));
    const services = running("load");
    const holders = running("held");
    for (const { port } of [...services, ...holders]) {
      await waitForEcho(master, port);
    }
    const instance = { processes, folder, master };
    return new Postfix(instance, services, holders, running("environment"));
  }

  /**
   * Reads the environment that each service gives its command.
   *
   * @returns What env(1) writes, by service.
   * @throws {BenchError} When a service stays silent.
   */
  async readEnvironments(): Promise<
    { name: MasterServiceName; text: string }[]
  > {
    const texts = [];
    for (const { name, daemon, port } of this.tellers) {
      texts.push({ name, text: await readAnswer(daemon, port) });
    }
    return texts;
  }

  /**
   * Finds the processes that serve a service, without the commands: master(8)'s
   * process group, to which no command belongs, by the name that it gave them.
   *
   * @param service The service.
   * @returns Their process ids.
   */
  async findDaemons(service: RunningService): Promise<number[]> {
    const { stdout } = await this.#processes.run([
      "pgrep",
      ...["--pgroup", `${this.#master.pid}`, "--full"],
      ...["--", `-n ${host}:${service.port} -t`],
    ]);
    return stdout.split("\n").filter((line) => line !== "").map(Number);
  }

  /**
   * Has master(8) end the idle processes of all services, as for a reload of
   * its configuration, and waits until they are gone.
   *
   * @throws {BenchError} When one stays.
   */
  async endIdleDaemons(): Promise<void> {
    const until = performance.now() + patienceMs;
    Deno.kill(this.#master.pid, "SIGHUP");
    const all = [...this.services, ...this.holders, ...this.tellers];
    for (const service of all) {
      while ((await this.findDaemons(service)).length > 0) {
        if (performance.now() > until) {
          throw new BenchError(`${service.name} stays after a reload`);
        }
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  /**
   * Sums up the memory of the processes that serve a service.
   *
   * @param service The service.
   * @returns Their proportional set size, and how many they are.
   */
  async readMemory(
    service: RunningService,
  ): Promise<{ proportionalKb: number; processes: number }> {
    const pids = await this.findDaemons(service);
    const files = pids.map((pid) => `/proc/${pid}/smaps_rollup`);
    const text = await this.#processes.capture(["cat", ...files]);
    const sizes = [...text.matchAll(/^Pss:\s*(\d+) kB$/gm)].map(([, size]) =>
      Number(size)
    );
    return {
      proportionalKb: sizes.reduce((total, size) => total + size, 0),
      processes: pids.length,
    };
  }

  /** What the mail log has that should not be there, line by line. */
  findWarnings(): string[] {
    return readLog(this.#folder).split("\n").filter((line) =>
      /: (warning|error|fatal|panic): /.test(line)
    );
  }

  /** Ends it with all of its processes. */
  async stop(): Promise<void> {
    await this.#processes.end(this.#master.pid);
  }
}

async function makeFolders(
  folder: string,
  { daemons, workshop }: { daemons: string; workshop: Workshop },
): Promise<void> {
  const { processes, spawnd } = workshop;
  const inFolder = (names: readonly string[]): string[] =>
    names.map((name) => `${folder}/${name}`);
  const owned = inFolder(["data", "queue/private", "queue/public"]);
  const others = inFolder(["etc", "sbin", "queue/pid"]);
  await processes.capture(["mkdir", "--parents", ...owned, ...others]);
  await processes.capture(["chown", owner, ...owned]);
  const binary = (await processes.capture(["realpath", spawnd])).trim();
  const linked = [`${daemons}/spawn`, `${daemons}/postlogd`];
  await processes.capture(["ln", "-s", ...linked, `${folder}/sbin`]);
  await processes.capture(["ln", "-s", binary, `${folder}/sbin/spawnd`]);
}

function mainCf(folder: string): string {
  return `compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
daemon_directory = ${folder}/sbin
mail_owner = ${owner}
inet_interfaces = ${host}
inet_protocols = ipv4
myhostname = bench.example
alias_maps =
maillog_file = ${folder}/maillog
maillog_file_prefixes = ${folder}
`;
}

function masterCf(
  ports: readonly Readonly<Record<Purpose, number>>[],
  user: string,
): string {
  const services = masterServiceNames.flatMap((name, i) => {
    const port = ports[i];
    if (port === undefined) return [];
    return (Object.keys(port) as Purpose[]).map((purpose) => {
      const { maxProcesses, command } = purposes[purpose];
      return `${host}:${port[purpose]} inet n n n - ${maxProcesses} ` +
        `${programs[name]} user=${user} argv=${command}\n`;
    });
  });
  return ["postlog unix-dgram n - n - 1 postlogd\n", ...services].join("");
}

function endOfLog(folder: string): string {
  return readLog(folder).slice(-charactersOfLogTold);
}

function readLog(folder: string): string {
  try {
    return Deno.readTextFileSync(`${folder}/maillog`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return `no mail log: can the account ${owner} enter ${folder}?`;
    }
    throw error;
  }
}
