/**
 * The load on the servers: rounds that go through all of them at each number
 * of clients.
 *
 * All servers stay up for the whole run and take turns, in another order each
 * round, so that what else happens on the machine meets them alike.
 *
 * @module
 */

import type { Workload } from "./commands.ts";
import { type Load, runLoadClient } from "./load_client.ts";
import { type Disturbance, isQuiet, observe, waitForQuiet } from "./machine.ts";
import type { RunningServer, TargetName } from "./servers.ts";
import type { Workshop } from "./workshop.ts";

// The control makes so many connections a second that it needs less time; and
// each one keeps a pair of addresses busy for a minute after it.
const controlConnections = 10_000;
const unlimited = 10_000_000;
const mostAttempts = 3;

/** One server's load at one number of clients, in one round. */
export interface Measurement<Name extends string = TargetName>
  extends Load, Disturbance {
  round: number;
  clients: number;
  workload: Workload;
  server: Name;
}

/** How to measure one server. */
export interface LoadOptions {
  clients: number;
  seconds: number;
  /** How long a server is under load before that counts. */
  warmUpSeconds: number;
  /** Brings the servers to the same state before each measurement. */
  prepare?: () => Promise<void>;
}

/** How to measure all of them. */
export interface LoadPlan extends Omit<LoadOptions, "clients"> {
  rounds: number;
  clients: readonly number[];
}

/**
 * Measures all servers in interleaved rounds; those of one workload are next
 * to each other.
 *
 * @param servers The running servers, the control among them.
 * @param plan How often, how long, and with how many clients.
 * @param workshop The processes and where things are.
 * @returns Each measurement as it was made.
 */
export async function measureLoad<Name extends string>(
  servers: readonly RunningServer<Name>[],
  { rounds, clients: levels, ...how }: LoadPlan,
  workshop: Workshop,
): Promise<Measurement<Name>[]> {
  const byWorkload = Map.groupBy(servers, ({ workload }) => workload);
  const measurements: Measurement<Name>[] = [];
  for (let round = 1; round <= rounds; round++) {
    const order = [...byWorkload.values()].flatMap((group) =>
      takeTurns(group, round)
    );
    for (const clients of levels) {
      for (const server of order) {
        const load = await measureServer(server, workshop, { clients, ...how });
        const { name, workload } = server;
        measurements.push({ round, clients, workload, server: name, ...load });
        console.error(
          `round ${round} of ${rounds}, ${clients} clients, ` +
            `${workload}, ${name}: ${
              load.rate.toFixed(0)
            } connections a second`,
        );
      }
    }
  }
  return measurements;
}

/**
 * The order of a round: each has another first one, and every second one goes
 * backwards, so that nobody always comes after the same other.
 *
 * @param all Those that take turns.
 * @param round The round, from 1 on.
 * @returns All of them.
 */
export function takeTurns<T>(all: readonly T[], round: number): T[] {
  const at = (round - 1) % all.length;
  const others = [...all.slice(at + 1), ...all.slice(0, at)];
  return [
    ...all.slice(at, at + 1),
    ...round % 2 === 0 ? others.toReversed() : others,
  ];
}

/**
 * Measures one server once; again when something else took time, as long as
 * the run has patience, and keeps the best of it.
 *
 * @param server The running server.
 * @param workshop The processes and where things are.
 * @param options How long, and with how many clients.
 * @returns Its load, and what disturbed it.
 */
export async function measureServer(
  server: RunningServer<string>,
  workshop: Workshop,
  options: LoadOptions,
): Promise<Load & Disturbance> {
  let best = await measureOnce(server, workshop, options);
  for (let attempt = 2; attempt <= mostAttempts; attempt++) {
    if (isQuiet(best) || workshop.patience.isOver) break;
    const next = await workshop.patience.spend(
      () => measureOnce(server, workshop, options),
    );
    if (worst(next) < worst(best)) best = next;
  }
  if (best.errors > 0) {
    const { name, daemon } = server;
    console.error(`${best.errors} failed; ${name}: ${daemon.complaint()}`);
  }
  return best;
}

async function measureOnce(
  { name, port, daemon, pid }: RunningServer<string>,
  workshop: Workshop,
  { clients, seconds, warmUpSeconds, prepare }: LoadOptions,
): Promise<Load & Disturbance> {
  await prepare?.();
  await waitForQuiet(workshop);
  const connections = name === "control" ? controlConnections : unlimited;
  return await observe(
    daemon.pid,
    workshop.processes,
    () =>
      runLoadClient(workshop, {
        ...{ port, clients, warmUpSeconds, seconds, connections, pid },
      }),
  );
}

function worst({ othersShare, stolenShare }: Disturbance): number {
  return Math.max(othersShare, stolenShare);
}
