/**
 * The servers that are measured side by side, and how each is started so that
 * it does the same as the others: `/bin/cat` for every connection, as nobody,
 * without a limit, a look-up or a log line.
 *
 * @module
 */

import { BenchError, type Daemon, type Processes } from "./processes.ts";

/** A server under measurement. */
export type ServerName = "spawnd" | "tcpserver" | "xinetd" | "minimal";

/** A server under measurement, or the one that runs no command. */
export type TargetName = ServerName | "control";

/** All servers, in the order of the table's columns. */
export const serverNames: readonly ServerName[] = [
  "spawnd",
  "tcpserver",
  "xinetd",
  "minimal",
];

/** What the start of a server needs to know. */
export interface Workshop {
  processes: Processes;
  /** The benchmark's own temporary directory. */
  directory: string;
  /** The compiled daemon. */
  spawnd: string;
  /** The account that every command runs as. */
  user: { name: string; uid: number; gid: number };
  /** Below this start the ports that the load client's own end may take. */
  firstEphemeralPort: number;
}

/** A server that has answered. */
export interface RunningServer<Name extends string = TargetName> {
  name: Name;
  port: number;
  daemon: Daemon;
}

/** Where all servers listen. */
export const host = "127.0.0.1";

/** What they run for each connection. */
export const command = "/bin/cat";

// As many as the kernel grants (net.core.somaxconn is 4096 by default).
const backlogConnections = 4096;
const firstPort = 10_000;
const retryMs = 5;
const patienceMs = 10_000;

/** The Debian package of each peer that is not compiled here. */
const packages = {
  tcpserver: "ucspi-tcp",
  xinetd: "xinetd",
} as const;

/**
 * Tells the version of each server, or which one is missing.
 *
 * @param names The servers to measure.
 * @param workshop The processes and where things are.
 * @returns One version text a server.
 * @throws {BenchError} When a server is missing, with what to do about it.
 */
export async function findVersions(
  names: readonly ServerName[],
  workshop: Workshop,
): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const name of names) versions[name] = await findVersion(name, workshop);
  return versions;
}

async function findVersion(
  name: ServerName,
  { processes, spawnd }: Workshop,
): Promise<string> {
  switch (name) {
    case "spawnd":
      return firstLine(
        await orMend(
          processes.capture([spawnd, "--version"]),
          `${spawnd} is missing: run ./build.sh`,
        ),
      );
    case "minimal":
      return firstLine(
        await orMend(
          processes.capture(["cc", "--version"]),
          "a C compiler is missing: apt-get install gcc libc6-dev",
        ),
      );
    case "tcpserver":
    case "xinetd": {
      const mend = `${name} is missing: apt-get install ${packages[name]}`;
      // Both end with a usage text: that they start at all is what counts.
      await orMend(processes.run([name, "-version"]), mend);
      return await packageVersion(processes, packages[name]);
    }
  }
}

/**
 * Tells what to do when a program is missing.
 *
 * @param attempt Something for which it has to be there.
 * @param mend What to do if it is not.
 * @returns What the attempt came to.
 */
export async function orMend<T>(attempt: Promise<T>, mend: string): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    throw error instanceof BenchError
      ? new BenchError(`${mend} (${error.message})`)
      : error;
  }
}

async function packageVersion(
  processes: Processes,
  name: string,
): Promise<string> {
  try {
    const format = "--showformat=${Package} ${Version}";
    return await processes.capture(["dpkg-query", "--show", format, name]);
  } catch (error) {
    // Another distribution: the server is there, its package is not Debian's.
    if (error instanceof BenchError) return "unknown";
    throw error;
  }
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}

/**
 * Compiles one of the benchmark's C programs into the temporary directory.
 *
 * @param workshop The processes and where things are.
 * @param name The program's name: that of its source without `.c`.
 * @throws {BenchError} When the compiler refuses it.
 */
export async function compile(
  { processes, directory }: Workshop,
  name: string,
): Promise<void> {
  const source = `${import.meta.dirname}/${name}.c`;
  const output = `${directory}/${name}`;
  await processes.capture([
    "cc",
    "-O2",
    "-Wall",
    "-Wextra",
    "-o",
    output,
    source,
  ]);
}

/**
 * Starts a server on a free port and waits until it answers.
 *
 * @param name The server.
 * @param workshop The processes and where things are.
 * @returns The server, which has echoed a line.
 * @throws {BenchError} When it ends or stays silent.
 */
export async function startServer(
  name: TargetName,
  workshop: Workshop,
): Promise<RunningServer> {
  const port = findFreePort(workshop);
  const daemon = workshop.processes.startDaemon(
    name,
    await commandLine(name, port, workshop),
  );
  await waitForEcho(daemon, port);
  return { name, port, daemon };
}

/**
 * Finds a port for a server, outside of those that the kernel gives to
 * connecting sockets: on one of them a client that connects before the
 * server listens can meet itself.
 *
 * @param workshop Where the kernel's own range starts.
 * @returns A port that was free a moment ago.
 */
export function findFreePort({ firstEphemeralPort }: Workshop): number {
  for (;;) {
    const range = firstEphemeralPort - firstPort;
    const port = firstPort + Math.floor(Math.random() * range);
    try {
      Deno.listen({ hostname: host, port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/**
 * The program and arguments that serve on a port.
 *
 * @param name The server.
 * @param port Where on 127.0.0.1 it is to listen.
 * @param workshop Where things are.
 * @returns The words of the command line.
 */
export async function commandLine(
  name: TargetName,
  port: number,
  workshop: Workshop,
): Promise<string[]> {
  const { directory, spawnd, user } = workshop;
  switch (name) {
    case "spawnd":
      return [
        spawnd,
        ...["run", "inet", `${host}:${port}`, "--max-processes", "0"],
        ...[`user=${user.name}`, `argv=${command}`],
      ];
    case "tcpserver":
      return [
        "tcpserver",
        // No look-up of the names of either end, nor of the client's user.
        ...["-H", "-R", "-l0"],
        ...["-c", "100000", "-b", `${backlogConnections}`],
        ...["-u", `${user.uid}`, "-g", `${user.gid}`],
        ...[host, `${port}`, command],
      ];
    case "xinetd": {
      const configuration = `${directory}/xinetd.conf`;
      await Deno.writeTextFile(configuration, xinetdService(port, user.name));
      return [
        "xinetd",
        ...["-dontfork", "-stayalive", "-f", configuration],
        ...["-filelog", `${directory}/xinetd.log`],
        ...["-pidfile", `${directory}/xinetd.pid`],
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

function xinetdService(port: number, user: string): string {
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
  instances = UNLIMITED
  per_source = UNLIMITED
  cps = 1000000 1
  log_on_success =
  log_on_failure =
}
`;
}

/**
 * Waits until a server answers.
 *
 * @param daemon Its process.
 * @param port Where it listens.
 * @throws {BenchError} When it ends or stays silent.
 */
export async function waitForEcho(
  daemon: Daemon,
  port: number,
): Promise<void> {
  let hasEnded = false;
  daemon.ended.then(() => hasEnded = true);
  const until = performance.now() + patienceMs;
  while (!await answers(port)) {
    if (hasEnded || performance.now() > until) {
      const what = hasEnded ? "ended at its start" : "does not answer";
      throw new BenchError(`${daemon.name} ${what}: ${daemon.complaint()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    const held = await holdConnection(port);
    held.close();
    return true;
  } catch (error) {
    if (
      error instanceof Deno.errors.ConnectionRefused ||
      error instanceof Deno.errors.ConnectionReset ||
      error instanceof Deno.errors.BrokenPipe ||
      error instanceof BenchError
    ) return false;
    throw error;
  }
}

/**
 * Connects and stays connected.
 *
 * @param port Where the server listens.
 * @returns The connection, whose command has echoed a line and so is running.
 * @throws {BenchError} When the connection ends instead.
 */
export async function holdConnection(port: number): Promise<Deno.Conn> {
  const connection = await Deno.connect({ hostname: host, port });
  try {
    const line = new TextEncoder().encode("held\n");
    await connection.write(line);
    for (let received = 0; received < line.length;) {
      const count = await connection.read(new Uint8Array(line.length));
      if (count === null) throw new BenchError("a connection ended unanswered");
      received += count;
    }
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}
