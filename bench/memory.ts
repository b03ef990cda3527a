/**
 * What a daemon costs while it stands: its memory after start, after many
 * connections and per connection held; its threads; whether any page of it
 * can be both written and executed; and how long it takes to start.
 *
 * A held connection's command is a process of its own that any daemon of this
 * kind starts; what is measured is what the daemon itself holds beside it.
 *
 * @module
 */

import { median, runLoadClient } from "./load.ts";
import { waitForQuiet } from "./machine.ts";
import { BenchError, type Processes } from "./processes.ts";
import {
  commandLine,
  findFreePort,
  holdConnection,
  type ServerName,
  startServer,
  type Workshop,
} from "./servers.ts";

const clientsWhileServing = 8;
const mostSecondsServing = 120;
const warmStarts = 10;
const patienceMs = 10_000;
const retryMs = 20;

/** A process's memory, from /proc/PID/status. */
export interface Memory {
  /** VmRSS: all of its pages in memory, the binary's own among them. */
  residentKb: number;
  /** RssAnon: those that are its own and no file's. */
  ownKb: number;
  threads: number;
}

/** One daemon's memory over its life. */
export interface Footprint {
  server: ServerName;
  afterStart: Memory;
  /** How many connections it served before the next figure. */
  served: number;
  afterServing: Memory;
  /** How many connections it held for the next figure. */
  held: number;
  whileHolding: Memory;
  /** The growth of its own memory for each of them. */
  bytesPerHeld: number;
  /** Mappings that are both writable and executable. */
  writableExecutable: number;
}

/** How long a server takes from exec to its first answered connection. */
export interface StartUp {
  server: ServerName;
  firstMs: number;
  warmMedianMs: number;
  warmStarts: number;
}

/**
 * Measures a fresh daemon's memory.
 *
 * @param name The server.
 * @param amounts How many connections to serve, and then to hold at once.
 * @param workshop The processes and where things are.
 * @returns Its figures.
 */
export async function measureFootprint(
  name: ServerName,
  { served, held }: { served: number; held: number },
  workshop: Workshop,
): Promise<Footprint> {
  const { processes } = workshop;
  const { port, daemon: { pid } } = await startServer(name, workshop);
  await waitUntilIdle(pid, processes);
  const afterStart = await readMemory(pid, processes);

  const { connections, errors } = await runLoadClient(workshop, {
    port,
    clients: clientsWhileServing,
    warmUpSeconds: 0,
    seconds: mostSecondsServing,
    connections: served,
  });
  if (errors > 0 || connections < served) {
    throw new BenchError(
      `${name} served ${connections} of ${served} connections, ${errors} errors`,
    );
  }
  await waitUntilIdle(pid, processes);
  const afterServing = await readMemory(pid, processes);

  const whileHolding = await readMemoryWhileHolding(held, port, pid, processes);
  const grownKb = whileHolding.ownKb - afterServing.ownKb;
  const maps = await processes.capture(["cat", `/proc/${pid}/maps`]);
  await processes.end(pid);
  return {
    server: name,
    afterStart,
    served: connections,
    afterServing,
    held,
    whileHolding,
    bytesPerHeld: Math.round(grownKb * 1024 / held),
    writableExecutable: countWritableExecutable(maps),
  };
}

async function readMemoryWhileHolding(
  count: number,
  port: number,
  pid: number,
  processes: Processes,
): Promise<Memory> {
  const connections: Deno.Conn[] = [];
  try {
    while (connections.length < count) {
      connections.push(await holdConnection(port));
    }
    return await readMemory(pid, processes);
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** Waits until the daemon has seen the end of each of its commands. */
async function waitUntilIdle(pid: number, processes: Processes): Promise<void> {
  const file = `/proc/${pid}/task/${pid}/children`;
  const until = performance.now() + patienceMs;
  while ((await processes.capture(["cat", file])).trim() !== "") {
    if (performance.now() > until) {
      throw new BenchError(`process ${pid} still has children`);
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

async function readMemory(pid: number, processes: Processes): Promise<Memory> {
  const status = await processes.capture(["cat", `/proc/${pid}/status`]);
  const field = (name: string): number => {
    const value = new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(status)?.[1];
    if (value === undefined) {
      throw new BenchError(`/proc/${pid}/status has no ${name}`);
    }
    return Number(value);
  };
  return {
    residentKb: field("VmRSS"),
    ownKb: field("RssAnon"),
    threads: field("Threads"),
  };
}

function countWritableExecutable(maps: string): number {
  return maps.split("\n").filter((line) => /^\S+ .wx/.test(line)).length;
}

/**
 * Measures how long a server takes to start, the first time and then warm.
 *
 * @param name The server.
 * @param workshop The processes and where the compiled clock is.
 * @returns Its figures.
 */
export async function measureStartUp(
  name: ServerName,
  workshop: Workshop,
): Promise<StartUp> {
  const { processes, directory } = workshop;
  const startOnce = async (): Promise<number> => {
    await waitForQuiet(processes);
    const port = findFreePort(workshop);
    const words = await commandLine(name, port, workshop);
    const text = await processes.capture([
      `${directory}/start_clock`,
      `${port}`,
      ...words,
    ]);
    return Number(text) / 1000;
  };
  const firstMs = await startOnce();
  const warmMs: number[] = [];
  while (warmMs.length < warmStarts) warmMs.push(await startOnce());
  return { server: name, firstMs, warmMedianMs: median(warmMs), warmStarts };
}
