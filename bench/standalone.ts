/**
 * Daemons that listen by themselves: spawnd beside tcpserver, xinetd and the
 * least server that C allows.
 *
 * @module
 */

import { workloads } from "./commands.ts";
import { checkEnvironments, type Environment } from "./environments.ts";
import { measureLoad, type Measurement } from "./load.ts";
import { type Footprint, measureFootprint } from "./memory.ts";
import type { Options } from "./options.ts";
import { type RunningServer, type ServerName, startServer } from "./servers.ts";
import { summarize, type Summary } from "./summary.ts";
import type { Workshop } from "./workshop.ts";

const warmUpSeconds = 0.3;

/** All that this part of the benchmark measures. */
export interface StandaloneFigures {
  servers: readonly ServerName[];
  environments: readonly Environment[];
  measurements: readonly Measurement[];
  summaries: readonly Summary[];
  footprints: readonly Footprint[];
}

/**
 * Measures servers that it starts and ends.
 *
 * @param options Which servers, how often, how long, and with how many clients.
 * @param workshop The processes and where things are.
 * @returns Their figures.
 */
export async function measureStandalone(
  options: Options,
  workshop: Workshop,
): Promise<StandaloneFigures> {
  const { rounds, seconds, clients, servers } = options;
  const environments = await checkEnvironments(servers, workshop);
  const running: RunningServer[] = [];
  for (const workload of workloads) {
    for (const name of servers) {
      running.push(await startServer({ name, workload }, workshop));
    }
  }
  // Beside the faster ones: it shows that the client is faster still.
  const control = { name: "control", workload: "static" } as const;
  running.push(await startServer(control, workshop));
  const plan = { rounds, seconds, clients, warmUpSeconds };
  const measurements = await measureLoad(running, plan, workshop);
  for (const { daemon } of running) await workshop.processes.end(daemon.pid);

  const footprints = [];
  for (const name of servers) {
    console.error(`memory: ${name}`);
    footprints.push(await measureFootprint(name, options, workshop));
  }
  return {
    servers,
    environments,
    measurements,
    summaries: summarize(measurements),
    footprints,
  };
}
