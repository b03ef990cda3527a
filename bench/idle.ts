/**
 * Waiting until a daemon has nothing left to do.
 *
 * @module
 */

import { BenchError, type Processes } from "./processes.ts";

const patienceMs = 20_000;
const retryMs = 20;

/**
 * Waits until a daemon has seen the end of each of its commands.
 *
 * @param pid The daemon.
 * @param processes Reads /proc.
 * @throws {BenchError} When a command stays.
 */
export async function waitUntilIdle(
  pid: number,
  processes: Processes,
): Promise<void> {
  const file = `/proc/${pid}/task/${pid}/children`;
  const until = performance.now() + patienceMs;
  while ((await processes.capture(["cat", file])).trim() !== "") {
    if (performance.now() > until) {
      throw new BenchError(`process ${pid} still has children`);
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}
