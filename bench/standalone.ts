/**
 * Daemons that listen by themselves: spawnd beside tcpserver, xinetd and the
 * least server that C allows.
 *
 * @module
 */

import {
  measureLoad,
  type Measurement,
  summarize,
  type Summary,
} from "./load.ts";
import {
  type Footprint,
  measureFootprint,
  measureStartUp,
  type StartUp,
} from "./memory.ts";
import type { Options } from "./options.ts";
import {
  type RunningServer,
  type ServerName,
  startServer,
  type TargetName,
  type Workshop,
} from "./servers.ts";

const warmUpSeconds = 0.3;

/** All that this part of the benchmark measures. */
export interface StandaloneFigures {
  servers: readonly ServerName[];
  measurements: readonly Measurement[];
  summaries: readonly Summary[];
  startUp: StartUp | null;
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
  // Before anything else has made the binary warm.
  const startUp = servers.includes("spawnd")
    ? await measureStartUp("spawnd", workshop)
    : null;

  const running: RunningServer[] = [];
  const targetNames: TargetName[] = [...servers, "control"];
  for (const name of targetNames) {
    running.push(await startServer(name, workshop));
  }
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
    measurements,
    summaries: summarize(measurements),
    startUp,
    footprints,
  };
}
