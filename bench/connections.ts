/**
 * Connections of the benchmark's own, beside those of the load client: to see
 * that a server answers, to hold many, and to read what a command writes.
 *
 * @module
 */

import { BenchError, type Daemon } from "./processes.ts";
import type { Workshop } from "./workshop.ts";

/** Where all servers listen. */
export const host = "127.0.0.1";

const firstPort = 10_000;
const retryMs = 5;
const patienceMs = 10_000;
// More at once than a server starts commands at once, and far fewer than wait
// in a queue.
const connectsAtOnce = 32;

// Of two servers that start later, both could be given the same.
const givenPorts = new Set<number>();

/**
 * Finds a port for a server, outside of those that the kernel gives to
 * connecting sockets: on one of them a client that connects before the
 * server listens can meet itself.
 *
 * @param workshop Where the kernel's own range starts.
 * @returns A port that was free a moment ago.
 */
export function findFreePort({ firstEphemeralPort }: Workshop): number {
  for (;;) {
    const range = firstEphemeralPort - firstPort;
    const port = firstPort + Math.floor(Math.random() * range);
    if (givenPorts.has(port)) continue;
    try {
      Deno.listen({ hostname: host, port }).close();
      givenPorts.add(port);
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/**
 * Waits until a server answers.
 *
 * @param daemon Its process.
 * @param port Where it listens.
 * @throws {BenchError} When it ends or stays silent.
 */
export async function waitForEcho(
  daemon: Daemon,
  port: number,
): Promise<void> {
  await untilAnswered(daemon, async () => {
    const held = await holdConnection(port);
    held.close();
    return "";
  });
}

/**
 * Reads all that a server's command writes by itself, once the server answers.
 *
 * @param daemon The server's process.
 * @param port Where it listens.
 * @returns The text.
 * @throws {BenchError} When the server ends or stays silent.
 */
export async function readAnswer(
  daemon: Daemon,
  port: number,
): Promise<string> {
  return await untilAnswered(daemon, async () => {
    const connection = await Deno.connect({ hostname: host, port });
    const text = await new Response(connection.readable).text();
    if (text === "") throw new BenchError("a connection ended unanswered");
    return text;
  });
}

async function untilAnswered(
  daemon: Daemon,
  ask: () => Promise<string>,
): Promise<string> {
  let hasEnded = false;
  daemon.ended.then(() => hasEnded = true);
  const until = performance.now() + patienceMs;
  for (;;) {
    const answer = await attempt(ask);
    if (answer !== undefined) return answer;
    if (hasEnded || performance.now() > until) {
      const what = hasEnded ? "ended at its start" : "does not answer";
      throw new BenchError(`${daemon.name} ${what}: ${daemon.complaint()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

/** Nothing, where the server does not serve as yet. */
async function attempt(
  ask: () => Promise<string>,
): Promise<string | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (
      error instanceof Deno.errors.ConnectionRefused ||
      error instanceof Deno.errors.ConnectionReset ||
      error instanceof Deno.errors.BrokenPipe ||
      error instanceof BenchError
    ) return undefined;
    throw error;
  }
}

/**
 * Holds connections while something is done.
 *
 * @param target Where the server listens, and how many connections to hold.
 * @param act What to do while all of them are held.
 * @returns What it came to; the connections are closed.
 * @throws {BenchError} When a connection ends unanswered.
 */
export async function whileHolding<T>(
  { port, count }: { port: number; count: number },
  act: () => Promise<T>,
): Promise<T> {
  const held: Deno.Conn[] = [];
  let begun = 0;
  const holdMore = async (): Promise<void> => {
    while (begun < count) {
      begun++;
      held.push(await holdConnection(port));
    }
  };
  try {
    const holders = await Promise.allSettled(
      Array.from({ length: connectsAtOnce }, holdMore),
    );
    const failed = holders.find((one) => one.status === "rejected");
    if (failed !== undefined) {
      throw new BenchError(
        `only ${held.length} of ${count} connections could be held: ` +
          `${failed.reason}`,
      );
    }
    return await act();
  } finally {
    for (const connection of held) connection.close();
  }
}

/** Connects, and stays connected to a command that has echoed a line. */
async function holdConnection(port: number): Promise<Deno.Conn> {
  const connection = await Deno.connect({ hostname: host, port });
  try {
    const line = new TextEncoder().encode("held\n");
    await connection.write(line);
    for (let received = 0; received < line.length;) {
      const count = await connection.read(new Uint8Array(line.length));
      if (count === null) throw new BenchError("a connection ended unanswered");
      received += count;
    }
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}
