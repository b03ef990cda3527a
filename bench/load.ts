/**
 * The load on the servers: rounds that go through all of them at each number
 * of clients, and the medians over the rounds.
 *
 * All servers stay up for the whole run and take turns, in another order each
 * round, so that what else happens on the machine meets them alike.
 *
 * @module
 */

import { type Disturbance, isQuiet, observe, waitForQuiet } from "./machine.ts";
import { BenchError, type Processes } from "./processes.ts";
import type { RunningServer, TargetName, Workshop } from "./servers.ts";

// The control makes so many connections a second that it needs less time; and
// each one keeps a pair of addresses busy for a minute after it.
const controlConnections = 10_000;
const unlimited = 10_000_000;
const mostAttempts = 3;

/** What the load client found out in one go. */
export interface Load {
  /** Those that ended well within the measured time. */
  connections: number;
  seconds: number;
  /** Connections a second. */
  rate: number;
  p50Us: number;
  p99Us: number;
  /** Refused, cut off, garbled or never answered. */
  errors: number;
  /** The processor time of the client, as a share of one processor's. */
  clientCpuShare: number;
}

/** One server's load at one number of clients, in one round. */
export interface Measurement<Name extends string = TargetName>
  extends Load, Disturbance {
  round: number;
  clients: number;
  server: Name;
}

/** One server's medians over the rounds at one number of clients. */
export interface Summary<Name extends string = TargetName> {
  clients: number;
  server: Name;
  rate: number;
  p50Us: number;
  p99Us: number;
  clientCpuShare: number;
  /** Not a median: the errors of all rounds. */
  errors: number;
}

/** How to measure. */
export interface LoadPlan {
  rounds: number;
  seconds: number;
  clients: readonly number[];
  /** How long a server is under load before that counts. */
  warmUpSeconds: number;
  /** Brings the servers to the same state before each measurement. */
  prepare?: () => Promise<void>;
}

/**
 * Measures all servers in interleaved rounds.
 *
 * @param servers The running servers, the control among them.
 * @param plan How often, how long, and with how many clients.
 * @param workshop The processes and where things are.
 * @returns Each measurement as it was made.
 */
export async function measureLoad<Name extends string>(
  servers: readonly RunningServer<Name>[],
  plan: LoadPlan,
  workshop: Workshop,
): Promise<Measurement<Name>[]> {
  const measurements: Measurement<Name>[] = [];
  for (let round = 1; round <= plan.rounds; round++) {
    const first = (round - 1) % servers.length;
    const order = [...servers.slice(first), ...servers.slice(0, first)];
    for (const clients of plan.clients) {
      for (const { name, port, daemon } of order) {
        const connections = name === "control" ? controlConnections : unlimited;
        const load = await measureQuietly(daemon.pid, workshop.processes, {
          prepare: plan.prepare,
          measure: () =>
            runLoadClient(workshop, {
              port,
              clients,
              warmUpSeconds: plan.warmUpSeconds,
              seconds: plan.seconds,
              connections,
            }),
        });
        measurements.push({ round, clients, server: name, ...load });
        console.error(
          `round ${round} of ${plan.rounds}, ${clients} clients, ${name}: ` +
            `${load.rate.toFixed(0)} connections a second`,
        );
        if (load.errors > 0) {
          console.error(
            `${load.errors} failed; ${name}: ${daemon.complaint()}`,
          );
        }
      }
    }
  }
  return measurements;
}

/** Measures again when something else took time, and keeps the best of it. */
async function measureQuietly(
  pid: number,
  processes: Processes,
  { prepare, measure }: {
    prepare: LoadPlan["prepare"];
    measure: () => Promise<Load>;
  },
): Promise<Load & Disturbance> {
  const attemptOnce = async (): Promise<Load & Disturbance> => {
    await prepare?.();
    await waitForQuiet(processes);
    return await observe(pid, processes, measure);
  };
  let best = await attemptOnce();
  for (let attempt = 2; attempt <= mostAttempts; attempt++) {
    if (isQuiet(best)) break;
    const next = await attemptOnce();
    if (worst(next) < worst(best)) best = next;
  }
  return best;
}

function worst({ othersShare, stolenShare }: Disturbance): number {
  return Math.max(othersShare, stolenShare);
}

/** One go of the load client. */
export interface LoadClientOptions {
  port: number;
  clients: number;
  warmUpSeconds: number;
  /** It ends after this time, */
  seconds: number;
  /** or after this many connections. */
  connections: number;
}

/**
 * Runs the load client once.
 *
 * @param workshop The processes and where the compiled client is.
 * @param options Whom to load, how much, and how long.
 * @returns What it found out.
 */
export async function runLoadClient(
  { processes, directory }: Workshop,
  options: LoadClientOptions,
): Promise<Load> {
  const { port, clients, warmUpSeconds, seconds, connections } = options;
  const words = [port, clients, warmUpSeconds, seconds, connections];
  const { code, stdout, stderr } = await processes.run([
    `${directory}/load_client`,
    ...words.map(String),
  ]);
  if (code !== 0) {
    throw new BenchError(`the load client ended with ${code}: ${stderr}`);
  }
  // It tells of the first error only; the number of them is in its figures.
  if (stderr !== "") console.error(`port ${port}: ${stderr}`);
  return parseLoad(stdout);
}

function parseLoad(text: string): Load {
  const fields: Record<string, unknown> = JSON.parse(text);
  const field = (name: string): number => {
    const value = fields[name];
    if (typeof value === "number") return value;
    throw new TypeError(`the load client printed no "${name}": ${text}`);
  };
  const seconds = field("seconds");
  return {
    connections: field("connections"),
    seconds,
    rate: field("rate"),
    p50Us: field("p50_us"),
    p99Us: field("p99_us"),
    errors: field("errors"),
    clientCpuShare: field("client_cpu_seconds") / seconds,
  };
}

/**
 * Takes the medians over the rounds.
 *
 * @param measurements All measurements of a run.
 * @returns One summary for each server at each number of clients.
 */
export function summarize<Name extends string>(
  measurements: readonly Measurement<Name>[],
): Summary<Name>[] {
  const groups = Map.groupBy(
    measurements,
    ({ clients, server }) => `${clients} ${server}`,
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    return [{
      clients: first.clients,
      server: first.server,
      rate: median(group.map((one) => one.rate)),
      p50Us: median(group.map((one) => one.p50Us)),
      p99Us: median(group.map((one) => one.p99Us)),
      clientCpuShare: median(group.map((one) => one.clientCpuShare)),
      errors: group.reduce((sum, one) => sum + one.errors, 0),
    }];
  });
}

/**
 * Finds one server's medians.
 *
 * @param summaries All of them.
 * @param server The server.
 * @param clients The number of clients.
 * @returns Its summary, if it was measured with so many.
 */
export function summaryAt<Name extends string>(
  summaries: readonly Summary<Name>[],
  server: Name,
  clients: number,
): Summary<Name> | undefined {
  return summaries.find((one) =>
    one.server === server && one.clients === clients
  );
}

/**
 * The value in the middle, or the mean of the two that are.
 *
 * @param values At least one number.
 * @returns Their median; NaN of none.
 */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN;
  return (lower + upper) / 2;
}
