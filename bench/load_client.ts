/**
 * One go of the load client, and what it found out.
 *
 * @module
 */

import { BenchError } from "./processes.ts";
import type { Workshop } from "./workshop.ts";

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
  /** All processors' time for each connection, the client's own included. */
  machineUsEach: number;
  /**
   * The daemon's own time for each connection, its children's not counted;
   * null where the server is not one process.
   */
  daemonUsEach: number | null;
  /** That of its children, from fork to end; null likewise. */
  childrenUsEach: number | null;
}

/** What the load client is to do. */
export interface LoadClientOptions {
  port: number;
  clients: number;
  warmUpSeconds: number;
  /** It ends after this time, */
  seconds: number;
  /** or after this many connections. */
  connections: number;
  /** The daemon whose processor time counts. */
  pid?: number | undefined;
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
  const { port, clients, warmUpSeconds, seconds, connections, pid } = options;
  const words = [port, clients, warmUpSeconds, seconds, connections];
  const { code, stdout, stderr } = await processes.run([
    `${directory}/load_client`,
    ...[...words, ...pid === undefined ? [] : [pid]].map(String),
  ]);
  if (code !== 0) {
    throw new BenchError(`the load client ended with ${code}: ${stderr}`);
  }
  // It tells of the first error only; the number of them is in its figures.
  if (stderr !== "") console.error(`port ${port}: ${stderr}`);
  return parseLoad(stdout, { hasDaemon: pid !== undefined });
}

function parseLoad(
  text: string,
  { hasDaemon }: { hasDaemon: boolean },
): Load {
  const fields: Record<string, unknown> = JSON.parse(text);
  const field = (name: string): number => {
    const value = fields[name];
    if (typeof value === "number") return value;
    throw new TypeError(`the load client printed no "${name}": ${text}`);
  };
  const seconds = field("seconds");
  const connections = field("connections");
  const usEach = (name: string): number => 1e6 * field(name) / connections;
  return {
    connections,
    seconds,
    rate: field("rate"),
    p50Us: field("p50_us"),
    p99Us: field("p99_us"),
    errors: field("errors"),
    clientCpuShare: field("client_cpu_seconds") / seconds,
    machineUsEach: usEach("machine_cpu_seconds"),
    daemonUsEach: hasDaemon ? usEach("daemon_cpu_seconds") : null,
    childrenUsEach: hasDaemon ? usEach("children_cpu_seconds") : null,
  };
}
