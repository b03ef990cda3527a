/**
 * One master(8), three ways to run a command for each connection: Postfix's
 * spawn(8), spawnd in its place, and spawnd with one command a process.
 *
 * Measured are the load, as of the standalone servers; the memory of all
 * processes of a service while connections are held; and what the first client
 * sees that comes while no process of the service runs.
 *
 * @module
 */

import { whileHolding } from "./connections.ts";
import { compareEnvironments, splitEnvironment } from "./environments.ts";
import { measureLoad, type Measurement } from "./load.ts";
import { runLoadClient } from "./load_client.ts";
import { waitForQuiet } from "./machine.ts";
import type { Options } from "./options.ts";
import {
  type MasterServiceName,
  Postfix,
  type RunningService,
} from "./postfix.ts";
import { BenchError } from "./processes.ts";
import { median, summarize, type Summary } from "./summary.ts";
import type { Workshop } from "./workshop.ts";

/** Connections held for the two figures of memory. */
export const heldConnections = { few: 100, many: 1000 } as const;

// Each process serves at most max_use = 100 connections: within a second
// there are as many of them as there will be.
const warmUpSeconds = 1;
const coldStarts = 10;
const mostSecondsOfColdStart = 10;
// One process of Deno has some 20 MB that it shares with no other.
const availableKbForClassic = 2 * heldConnections.few * 20_000;

/** The memory of all processes of a service while connections are held. */
export interface HeldMemory {
  server: MasterServiceName;
  held: number;
  /** The sum of Pss: a page that processes share counts once. */
  proportionalKb: number;
  processes: number;
}

/** From connect to the end of the echo when no process of the service runs. */
export interface ColdStart {
  server: MasterServiceName;
  medianMs: number;
  eachMs: readonly number[];
}

/** All that this part of the benchmark measures. */
export interface BelowMasterFigures {
  /** That of every command, `NAME=VALUE` in order of the names. */
  environment: readonly string[];
  measurements: readonly Measurement<MasterServiceName>[];
  summaries: readonly Summary<MasterServiceName>[];
  /** Without those for which the machine has too little memory. */
  memory: readonly HeldMemory[];
  coldStarts: readonly ColdStart[];
  /** What the mail log has that should not be there. */
  warnings: readonly string[];
}

/**
 * Measures below a master(8) that it starts and ends.
 *
 * @param options How often, how long, and with how many clients.
 * @param workshop The processes and where things are.
 * @returns Its figures.
 * @throws {BenchError} When Postfix or one of the services fails.
 */
export async function measureBelowMaster(
  { rounds, seconds, clients }: Options,
  workshop: Workshop,
): Promise<BelowMasterFigures> {
  const postfix = await Postfix.start(workshop);
  const environment = await checkEnvironment(postfix);
  const measurements = await measureLoad(postfix.services, {
    ...{ rounds, seconds, clients, warmUpSeconds },
    // Those that a measurement with more clients left behind would take part.
    prepare: () => postfix.endIdleDaemons(),
  }, workshop);
  const memory = await measureMemory(postfix, workshop);
  const coldStarts = await measureColdStarts(postfix, workshop);
  const warnings = postfix.findWarnings();
  await postfix.stop();
  return {
    environment,
    measurements,
    summaries: summarize(measurements),
    memory,
    coldStarts,
    warnings,
  };
}

/** The two programs are to hand on the same, as both come. */
async function checkEnvironment(postfix: Postfix): Promise<string[]> {
  const environments = [];
  for (const { name, text } of await postfix.readEnvironments()) {
    const common = splitEnvironment(text);
    environments.push({ server: name, common, added: [] });
  }
  const wanted = environments[0]?.common ?? [];
  compareEnvironments(environments, wanted);
  return wanted;
}

async function measureMemory(
  postfix: Postfix,
  workshop: Workshop,
): Promise<HeldMemory[]> {
  const memory: HeldMemory[] = [];
  for (const held of Object.values(heldConnections)) {
    for (const service of postfix.holders) {
      // Pages that processes of two services shared would count half.
      await postfix.endIdleDaemons();
      if (!await hasRoom(service, held, workshop)) continue;
      console.error(`memory: ${service.name} with ${held} held`);
      memory.push(await readMemoryWhileHolding(held, service, postfix));
    }
  }
  return memory;
}

/** Whether the memory is enough, where each connection takes a Deno process. */
async function hasRoom(
  { name }: RunningService,
  held: number,
  { processes }: Workshop,
): Promise<boolean> {
  if (name !== "classic") return true;
  if (held > heldConnections.few) return false;
  const text = await processes.capture(["cat", "/proc/meminfo"]);
  const available = /^MemAvailable:\s*(\d+) kB$/m.exec(text)?.[1];
  return Number(available) >= availableKbForClassic;
}

async function readMemoryWhileHolding(
  held: number,
  service: RunningService,
  postfix: Postfix,
): Promise<HeldMemory> {
  const memory = await whileHolding(
    { port: service.port, count: held },
    () => postfix.readMemory(service),
  );
  return { server: service.name, held, ...memory };
}

async function measureColdStarts(
  postfix: Postfix,
  workshop: Workshop,
): Promise<ColdStart[]> {
  const times = new Map<MasterServiceName, number[]>();
  for (let count = 1; count <= coldStarts; count++) {
    console.error(`cold start ${count} of ${coldStarts}`);
    for (const { name, port } of postfix.services) {
      await postfix.endIdleDaemons();
      await waitForQuiet(workshop);
      const { p50Us, errors } = await runLoadClient(workshop, {
        port,
        clients: 1,
        warmUpSeconds: 0,
        seconds: mostSecondsOfColdStart,
        connections: 1,
      });
      if (errors > 0) throw new BenchError(`${name} did not start`);
      times.set(name, [...times.get(name) ?? [], p50Us / 1000]);
    }
  }
  return [...times].map(([server, eachMs]) => ({
    server,
    medianMs: median(eachMs),
    eachMs,
  }));
}
