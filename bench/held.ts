/**
 * New connections while thousands of others are held: a daemon pays for each of
 * them at every start of a command, if it is not careful.
 *
 * @module
 */

import { whileHolding } from "./connections.ts";
import { waitUntilIdle } from "./idle.ts";
import { type Measurement, measureServer, takeTurns } from "./load.ts";
import type { Options } from "./options.ts";
import { type RunningServer, type ServerName, startServer } from "./servers.ts";
import type { Workshop } from "./workshop.ts";

/** Those that serve thousands at once as they come. */
export const heldServers: readonly ServerName[] = [
  "spawnd",
  "tcpserver",
  "minimal",
];

const workload = "static";
const clients = 8;
const warmUpSeconds = 0.3;

/** One server's load beside held connections, in one round. */
export interface HeldMeasurement extends Measurement<ServerName> {
  /** How many the same daemon held meanwhile. */
  held: number;
}

/** All that this part of the benchmark measures. */
export interface HeldFigures {
  servers: readonly ServerName[];
  /** How many connections are held, where they are. */
  held: number;
  clients: number;
  measurements: readonly HeldMeasurement[];
}

/**
 * Measures each server with none held and with many, in interleaved rounds.
 *
 * @param options Which servers, how often, how long, and how many to hold.
 * @param workshop The processes and where things are.
 * @returns Their figures.
 */
export async function measureHeld(
  options: Options,
  workshop: Workshop,
): Promise<HeldFigures> {
  const servers = heldServers.filter((name) => options.servers.includes(name));
  const running: RunningServer<ServerName>[] = [];
  for (const name of servers) {
    running.push({ ...await startServer({ name, workload }, workshop), name });
  }
  const measurements: HeldMeasurement[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    // None first in one round, many first in the next.
    const steps = takeTurns([0, options.held], round);
    for (const server of takeTurns(running, round)) {
      for (const held of steps) {
        const load = await measureWhileHolding(
          server,
          { held, seconds: options.seconds },
          workshop,
        );
        measurements.push({
          ...{ round, clients, workload, server: server.name, held },
          ...load,
        });
        console.error(
          `round ${round} of ${options.rounds}, ${held} held, ` +
            `${server.name}: ${load.rate.toFixed(0)} connections a second`,
        );
      }
    }
  }
  for (const { daemon } of running) await workshop.processes.end(daemon.pid);
  return { servers, held: options.held, clients, measurements };
}

async function measureWhileHolding(
  server: RunningServer<ServerName>,
  { held, seconds }: { held: number; seconds: number },
  workshop: Workshop,
): ReturnType<typeof measureServer> {
  const { port, daemon: { pid } } = server;
  const load = await whileHolding(
    { port, count: held },
    () => measureServer(server, workshop, { clients, seconds, warmUpSeconds }),
  );
  await waitUntilIdle(pid, workshop.processes);
  return load;
}
