/**
 * `deno task bench`: spawnd beside tcpserver, xinetd and the least server
 * that C allows, and below Postfix's master(8) beside its spawn(8), in one run
 * on one machine, for a command per connection.
 *
 * It needs root (the commands run as nobody), a C compiler, and the peers from
 * Debian's packages, but no network. It writes below dist/ only, and ends with
 * 0 whenever it could measure: with `--assert`, only when all targets are met.
 *
 * @module
 */

import { measureBelowMaster } from "./below_master.ts";
import { judgeBelowMaster } from "./below_master_report.ts";
import { findMachine } from "./machine.ts";
import { dist, help, type Options, parseOptions } from "./options.ts";
import { findPostfixVersion } from "./postfix.ts";
import { BenchError, exitCodes, Processes } from "./processes.ts";
import { formatReport, type Report } from "./report.ts";
import { compile, findVersions, type Workshop } from "./servers.ts";
import { measureStandalone } from "./standalone.ts";
import { judgeStandalone } from "./standalone_report.ts";

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
  const { rounds, seconds, clients, servers, parts } = options;
  const isStandalone = parts.includes("standalone");
  const isBelowMaster = parts.includes("postfix");
  const versions = {
    deno: Deno.version.deno,
    ...await findVersions(isStandalone ? servers : ["spawnd"], workshop),
    ...isBelowMaster ? { postfix: await findPostfixVersion(workshop) } : {},
  };
  const machine = await findMachine(workshop.processes);
  for (const name of ["minimal_server", "load_client", "start_clock"]) {
    await compile(workshop, name);
  }
  const standalone = isStandalone
    ? await measureStandalone(options, workshop)
    : null;
  const belowMaster = isBelowMaster
    ? await measureBelowMaster(options, workshop)
    : null;
  return {
    measuredAt: new Date().toISOString(),
    machine,
    versions,
    plan: { rounds, seconds, clients },
    standalone,
    belowMaster,
    targets: [
      ...standalone === null ? [] : judgeStandalone(standalone),
      ...belowMaster === null ? [] : judgeBelowMaster(belowMaster),
    ],
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
