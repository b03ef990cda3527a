/**
 * The number of descriptors that the benchmark and all that it starts may have.
 *
 * @module
 */

import { BenchError, type Processes } from "./processes.ts";

/**
 * Raises the limits of this process, which those that it starts inherit, so
 * that all servers have the same. Enough limits stay as they are.
 *
 * @param needed The descriptors of the process that needs most of them.
 * @param processes Runs prlimit(1).
 * @throws {BenchError} When the system refuses.
 */
export async function allowDescriptors(
  needed: number,
  processes: Processes,
): Promise<void> {
  const prlimit = ["prlimit", "--pid", `${Deno.pid}`];
  const text = await processes.capture([
    ...prlimit,
    ...["--nofile", "--raw", "--noheadings", "--output", "SOFT,HARD"],
  ]);
  const [soft = NaN, hard = NaN] = text.trim().split(/\s+/).map(Number);
  if (soft >= needed) return;
  const limits = `--nofile=${needed}:${Math.max(needed, hard)}`;
  const { code, stderr } = await processes.run([...prlimit, limits]);
  if (code !== 0) {
    throw new BenchError(
      `a process may have ${soft} descriptors, and ${needed} are needed: ` +
        `allow more, or hold fewer connections with --held (${stderr})`,
    );
  }
}
