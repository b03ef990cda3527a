/**
 * What a daemon costs while it stands: its memory after start, after many
 * connections and per connection held; its threads; and whether any page of it
 * can be both written and executed.
 *
 * A held connection's command is a process of its own that any daemon of this
 * kind starts; what is measured is what the daemon itself holds beside it.
 *
 * @module
 */

import { whileHolding } from "./connections.ts";
import { waitUntilIdle } from "./idle.ts";
import { runLoadClient } from "./load_client.ts";
import { BenchError, type Processes } from "./processes.ts";
import { type ServerName, startServer } from "./servers.ts";
import type { Workshop } from "./workshop.ts";

const clientsWhileServing = 8;
const mostSecondsServing = 120;
/** Connections held when the memory is read the third time. */
const held = 500;

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

/**
 * Measures a fresh daemon's memory.
 *
 * @param name The server.
 * @param amounts How many connections to serve before the second figure.
 * @param workshop The processes and where things are.
 * @returns Its figures.
 */
export async function measureFootprint(
  name: ServerName,
  { served }: { served: number },
  workshop: Workshop,
): Promise<Footprint> {
  const { processes } = workshop;
  const { port, daemon: { pid } } = await startServer(
    { name, workload: "cat" },
    workshop,
  );
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

  const holding = await whileHolding(
    { port, count: held },
    () => readMemory(pid, processes),
  );
  const grownKb = holding.ownKb - afterServing.ownKb;
  const maps = await processes.capture(["cat", `/proc/${pid}/maps`]);
  await processes.end(pid);
  return {
    server: name,
    afterStart,
    served: connections,
    afterServing,
    held,
    whileHolding: holding,
    bytesPerHeld: Math.round(grownKb * 1024 / held),
    writableExecutable: countWritableExecutable(maps),
  };
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
