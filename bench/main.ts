/**
 * `deno task bench`: spawnd beside tcpserver, xinetd and the least server
 * that C allows, in one run on one machine, for a command per connection.
 *
 * It needs root (the commands run as nobody), a C compiler, and the peers from
 * Debian's packages, but no network. It writes below dist/ only, and ends with
 * 0 whenever it could measure: with `--assert`, only when all targets are met.
 *
 * @module
 */

import { measureLoad, summarize } from "./load.ts";
import { findMachine } from "./machine.ts";
import { measureFootprint, measureStartUp } from "./memory.ts";
import { dist, help, type Options, parseOptions } from "./options.ts";
import { BenchError, exitCodes, Processes } from "./processes.ts";
import { formatReport, judge, type Report } from "./report.ts";
import {
  compile,
  findVersions,
  type RunningServer,
  startServer,
  type TargetName,
  type Workshop,
} from "./servers.ts";

async function main(): Promise<number> {
  const options = parseOptions(Deno.args);
  if (options === "help") {
    console.log(help);
    return 0;
  }
  if (Deno.uid() !== 0) {
    throw new BenchError("run it as root: commands are started as nobody");
  }
  const report = await measureInWorkshop(options);
  console.log(formatReport(report));
  await Deno.writeTextFile(
    options.json,
    JSON.stringify(report, null, 2) + "\n",
  );
  const isMissed = report.targets.some((one) => one.verdict === "missed");
  return options.assert && isMissed ? 1 : 0;
}

/** Measures, and leaves no process and no file behind. */
async function measureInWorkshop(options: Options): Promise<Report> {
  const processes = new Processes();
  let isInterrupted = false;
  const interrupt = (): void => {
    isInterrupted = true;
    // Whatever waits for one of them now fails and comes past `finally`.
    processes.close();
  };
  Deno.addSignalListener("SIGINT", interrupt);
  Deno.addSignalListener("SIGTERM", interrupt);
  await Deno.mkdir(dist, { recursive: true });
  const directory = await Deno.makeTempDir({ dir: dist, prefix: "bench." });
  try {
    return await measure(options, {
      processes,
      directory,
      spawnd: options.spawnd,
      user: await findUser("nobody", processes),
      firstEphemeralPort: await findFirstEphemeralPort(processes),
    });
  } catch (error) {
    throw isInterrupted
      ? new BenchError("interrupted", exitCodes.interrupted)
      : error;
  } finally {
    await processes.close();
    await Deno.remove(directory, { recursive: true });
    Deno.removeSignalListener("SIGINT", interrupt);
    Deno.removeSignalListener("SIGTERM", interrupt);
  }
}

async function measure(options: Options, workshop: Workshop): Promise<Report> {
  const { rounds, seconds, clients, servers } = options;
  const plan = { rounds, seconds, clients, servers };
  const { processes } = workshop;
  const versions = await findVersions(servers, workshop);
  const machine = await findMachine(processes);
  for (const name of ["minimal_server", "load_client", "start_clock"]) {
    await compile(workshop, name);
  }

  // Before anything else has made the binary warm.
  const startUp = servers.includes("spawnd")
    ? await measureStartUp("spawnd", workshop)
    : null;

  const running: RunningServer[] = [];
  const targetNames: TargetName[] = [...servers, "control"];
  for (const name of targetNames) {
    running.push(await startServer(name, workshop));
  }
  const measurements = await measureLoad(running, plan, workshop);
  for (const { daemon } of running) await processes.end(daemon.pid);

  const footprints = [];
  for (const name of servers) {
    console.error(`memory: ${name}`);
    footprints.push(await measureFootprint(name, options, workshop));
  }

  const summaries = summarize(measurements);
  return {
    measuredAt: new Date().toISOString(),
    machine,
    versions: { deno: Deno.version.deno, ...versions },
    plan,
    measurements,
    summaries,
    startUp,
    footprints,
    targets: judge(summaries, footprints),
  };
}

async function findUser(
  name: string,
  processes: Processes,
): Promise<Workshop["user"]> {
  const uid = Number(await processes.capture(["id", "-u", name]));
  const gid = Number(await processes.capture(["id", "-g", name]));
  return { name, uid, gid };
}

async function findFirstEphemeralPort(processes: Processes): Promise<number> {
  const file = "/proc/sys/net/ipv4/ip_local_port_range";
  return Number.parseInt(await processes.capture(["cat", file]), 10);
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main();
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    console.error(`bench: ${error.message}`);
    Deno.exitCode = error.exitCode;
  }
}
