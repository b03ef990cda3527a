/**
 * The servers that are measured side by side, and how each is started so that
 * it does the same as the others: one command for every connection, as nobody,
 * with nothing but a PATH in its environment, without a limit, a look-up or a
 * log line.
 *
 * @module
 */

import { commandOf, commandPath, type Workload } from "./commands.ts";
import { findFreePort, host, waitForEcho } from "./connections.ts";
import type { Daemon } from "./processes.ts";
import type { Workshop } from "./workshop.ts";

/** A server under measurement. */
export type ServerName =
  | "spawnd"
  /** The same, with all rules on of who may connect, and how much. */
  | "rules"
  /** The same, with all that a command's process can be given. */
  | "surroundings"
  | "tcpserver"
  | "xinetd"
  | "minimal";

/** A server under measurement, or the one that runs no command. */
export type TargetName = ServerName | "control";

/** All servers, in the order of the table's columns. */
export const serverNames: readonly ServerName[] = [
  "spawnd",
  "rules",
  "surroundings",
  "tcpserver",
  "xinetd",
  "minimal",
];

/** How the report calls them. */
export const serverTitles: Readonly<Record<TargetName, string>> = {
  spawnd: "spawnd",
  rules: "all rules on",
  surroundings: "all surroundings on",
  tcpserver: "tcpserver",
  xinetd: "xinetd",
  minimal: "minimal C",
  control: "no command",
};

/** A server that has answered. */
export interface RunningServer<Name extends string = TargetName> {
  name: Name;
  workload: Workload;
  port: number;
  daemon: Daemon;
  /** The process whose time is the server's own, where it is one. */
  pid?: number;
}

/** What a server is to do. */
export interface Task {
  name: TargetName;
  port: number;
  /** The path of the command for each connection. */
  command: string;
}

// As many as the kernel grants (net.core.somaxconn is 4096 by default).
const backlogConnections = 4096;

/**
 * Starts a server on a free port and waits until it answers.
 *
 * @param server The server and its workload.
 * @param workshop The processes and where things are.
 * @returns The server, which has echoed a line.
 * @throws {BenchError} When it ends or stays silent.
 */
export async function startServer(
  { name, workload }: { name: TargetName; workload: Workload },
  workshop: Workshop,
): Promise<RunningServer> {
  const port = findFreePort(workshop);
  const command = commandOf(workload, workshop);
  const daemon = await launch({ name, port, command }, workshop);
  await waitForEcho(daemon, port);
  return { name, workload, port, daemon, pid: daemon.pid };
}

/**
 * Starts a server, and waits for nothing.
 *
 * @param task What it is to do.
 * @param workshop The processes and where things are.
 * @returns Its process.
 */
export async function launch(task: Task, workshop: Workshop): Promise<Daemon> {
  return workshop.processes.startDaemon(
    task.name,
    await commandLine(task, workshop),
  );
}

/**
 * The program and arguments that serve on a port.
 *
 * @param task What the server is to do.
 * @param workshop Where things are.
 * @returns The words of the command line.
 */
export async function commandLine(
  { name, port, command }: Task,
  workshop: Workshop,
): Promise<string[]> {
  const { directory, spawnd, user } = workshop;
  switch (name) {
    case "spawnd":
    case "rules":
    case "surroundings":
      return [
        spawnd,
        ...["run", "inet", `${host}:${port}`, "--max-processes", "0"],
        ...["--connection-environment", "none"],
        ...name === "rules" ? await allRules(workshop) : [],
        ...name === "surroundings" ? allSurroundings(directory) : [],
        ...[`user=${user.name}`, `argv=${command}`],
      ];
    case "tcpserver":
      return [
        // It hands on what it has.
        ...["env", "-i", `PATH=${commandPath}`],
        await locate("tcpserver", workshop),
        // No look-up of the names of either end, nor of the client's user.
        ...["-H", "-R", "-l0"],
        ...["-c", "100000", "-b", `${backlogConnections}`],
        ...["-u", `${user.uid}`, "-g", `${user.gid}`],
        ...[host, `${port}`, command],
      ];
    case "xinetd": {
      const files = `${directory}/xinetd.${port}`;
      const text = xinetdService({ port, command, user: user.name });
      await Deno.writeTextFile(`${files}.conf`, text);
      return [
        "xinetd",
        ...["-dontfork", "-stayalive", "-f", `${files}.conf`],
        ...["-filelog", `${files}.log`, "-pidfile", `${files}.pid`],
      ];
    }
    case "minimal":
      return [
        `${directory}/minimal_server`,
        ...["spawn", `${port}`, user.name, command],
      ];
    case "control":
      return [`${directory}/minimal_server`, "echo", `${port}`, user.name];
  }
}

/** How many networks there are that no client is in. */
const networkCount = 10_000;

/** More than come, in a unit of time and at once. */
const plenty = `${2 ** 22}`;

/** Options for every rule there is, none of which keeps a client out. */
async function allRules({ directory }: Workshop): Promise<string[]> {
  const table = `${directory}/clients.cidr`;
  const networks = Array.from(
    { length: networkCount },
    (_, index) => `10.${index >> 8}.${index & 255}.0/25 deny\n`,
  );
  await Deno.writeTextFile(table, `${networks.join("")}127.0.0.0/8 allow\n`);
  return [
    `--clients=cidr:${table}`,
    `--client-connection-count-limit=${plenty}`,
    `--client-connection-rate-limit=${plenty}`,
    `--connection-rate-limit=${plenty}`,
    "--access-times=00:00-24:00",
    "--load-limit=999999",
    "--pressure-limit=cpu=100 memory=100 io=100",
  ];
}

/** Everything that a service can ask for beside its command's user. */
function allSurroundings(directory: string): string[] {
  const readable = ["/usr", "/bin", "/lib", "/lib64", "/etc", directory];
  return [
    ...[
      "--connection-environment=ucspi",
      "--login-environment",
      "--groups=all",
    ],
    ...["--limits", "nofile=64 as=1G core=0 cpu=60 fsize=1G stack=8M"],
    ...["--nice=0", "--io-priority=best-effort:4", "--umask=022"],
    ...["--cpu-affinity=0-8191", "--directory=/", "--no-new-privileges"],
    ...["--private-network", "--standard-error=null", "--nodelay"],
    ...["--landlock", readable.map((path) => `read=${path}`).join(" ")],
  ];
}

/** A program's full path: env(1) looks in the PATH that it sets. */
async function locate(
  program: string,
  { processes }: Workshop,
): Promise<string> {
  const words = ["sh", "-c", 'command -v "$1"', "sh", program];
  return (await processes.capture(words)).trim();
}

function xinetdService(
  { port, command, user }: { port: number; command: string; user: string },
): string {
  return `service bench
{
  type = UNLISTED
  flags = NODELAY NOLIBWRAP
  socket_type = stream
  protocol = tcp
  wait = no
  bind = ${host}
  port = ${port}
  user = ${user}
  server = ${command}
  passenv =
  env = PATH=${commandPath}
  instances = UNLIMITED
  per_source = UNLIMITED
  cps = 1000000 1
  log_on_success =
  log_on_failure =
}
`;
}
