/**
 * `deno task bench`: spawnd beside tcpserver, xinetd and the least server
 * that C allows, and below Postfix's master(8) beside its spawn(8), in one run
 * on one machine, for a command per connection; and how long it takes to start.
 *
 * It needs root (the commands run as nobody), a C compiler with its binutils,
 * and the peers from Debian's packages, but no network. It writes below dist/ only, and ends with
 * 0 whenever it could measure: with `--assert`, only when all targets are met.
 *
 * @module
 */

import { heldConnections, measureBelowMaster } from "./below_master.ts";
import { judgeBelowMaster } from "./below_master_report.ts";
import { allowDescriptors } from "./descriptors.ts";
import { heldServers, measureHeld } from "./held.ts";
import { judgeHeld } from "./held_report.ts";
import { findMachine, Patience } from "./machine.ts";
import {
  dist,
  help,
  type Options,
  parseOptions,
  type Part,
} from "./options.ts";
import { findPostfixVersion } from "./postfix.ts";
import { BenchError, exitCodes, Processes } from "./processes.ts";
import { type Figures, formatReport, type Report } from "./report.ts";
import { type ServerName, serverNames } from "./servers.ts";
import { measureStandalone } from "./standalone.ts";
import { judgeStandalone } from "./standalone_report.ts";
import { measureStartUp } from "./start_up.ts";
import { judgeStartUp } from "./start_up_report.ts";
import type { Target } from "./targets.ts";
import { findVersions } from "./versions.ts";
import { compilePrograms, type Workshop } from "./workshop.ts";

// What a server or a client needs beside those of the held connections.
const sparedDescriptors = 1024;
const interruptions = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

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
  for (const name of interruptions) Deno.addSignalListener(name, interrupt);
  await Deno.mkdir(dist, { recursive: true });
  const directory = await Deno.makeTempDir({ dir: dist, prefix: "bench." });
  try {
    // The commands' account runs one of the programs, Postfix's has its queue.
    await Deno.chmod(directory, 0o711);
    return await measure(options, {
      processes,
      directory,
      spawnd: options.spawnd,
      user: await findUser("nobody", processes),
      firstEphemeralPort: await findFirstEphemeralPort(processes),
      patience: new Patience(options.patience),
    });
  } catch (error) {
    throw isInterrupted
      ? new BenchError("interrupted", exitCodes.interrupted)
      : error;
  } finally {
    await processes.close();
    await Deno.remove(directory, { recursive: true });
    for (const name of interruptions) {
      Deno.removeSignalListener(name, interrupt);
    }
  }
}

async function measure(options: Options, workshop: Workshop): Promise<Report> {
  const { rounds, seconds, clients, held } = options;
  const has = (part: Part): boolean => options.parts.includes(part);
  const most = Math.max(
    has("held") ? held : 0,
    has("postfix") ? heldConnections.many : 0,
  );
  await allowDescriptors(most + sparedDescriptors, workshop.processes);
  const versions = {
    deno: Deno.version.deno,
    ...await findVersions(serversOf(options), workshop),
    ...has("postfix") ? { postfix: await findPostfixVersion(workshop) } : {},
  };
  const machine = await findMachine(workshop.processes);
  await compilePrograms(workshop);
  const measureIf = async <Figures>(
    part: Part,
    measurePart: (options: Options, workshop: Workshop) => Promise<Figures>,
  ): Promise<Figures | null> =>
    has(part) ? await measurePart(options, workshop) : null;
  const figures = {
    startUp: await measureIf("startup", measureStartUp),
    standalone: await measureIf("standalone", measureStandalone),
    held: await measureIf("held", measureHeld),
    belowMaster: await measureIf("postfix", measureBelowMaster),
  };
  return {
    measuredAt: new Date().toISOString(),
    machine,
    versions,
    plan: { rounds, seconds, clients },
    ...figures,
    targets: judgeAll(figures),
  };
}

/** Those of the parts that are measured. */
function serversOf({ parts, servers }: Options): ServerName[] {
  return serverNames.filter((name) =>
    name === "spawnd" ||
    servers.includes(name) &&
      (parts.includes("standalone") ||
        parts.includes("held") && heldServers.includes(name))
  );
}

function judgeAll(
  { startUp, standalone, held, belowMaster }: Figures,
): Target[] {
  return [
    ...standalone === null ? [] : judgeStandalone(standalone),
    ...held === null ? [] : judgeHeld(held),
    ...belowMaster === null ? [] : judgeBelowMaster(belowMaster),
    ...startUp === null ? [] : judgeStartUp(startUp),
  ];
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
