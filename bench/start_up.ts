/**
 * How long spawnd takes to start, beside a program that does nothing and is
 * compiled the same way.
 *
 * @module
 */

import { compileBareProgram } from "./bare_program.ts";
import { commandOf } from "./commands.ts";
import { findFreePort } from "./connections.ts";
import { takeTurns } from "./load.ts";
import { waitForQuiet } from "./machine.ts";
import type { Options } from "./options.ts";
import { commandLine } from "./servers.ts";
import type { Workshop } from "./workshop.ts";

/**
 * What is started: the bare program and `spawnd --version` to their ends, and
 * `spawnd run` to its first answer.
 */
export type Start = "bare" | "version" | "run";

/** All of them, in the order of the table. */
export const starts: readonly Start[] = ["bare", "version", "run"];

// Each takes a tenth of a second: many cost little, and differ much.
const startsEachRound = 3;

/** One start. */
export interface StartTime {
  round: number;
  start: Start;
  ms: number;
}

/** All that this part of the benchmark measures. */
export interface StartUpFigures {
  /** The first of each, before the machine has its pages in memory. */
  first: readonly StartTime[];
  measurements: readonly StartTime[];
}

/**
 * Measures starts in interleaved rounds.
 *
 * @param options How often.
 * @param workshop The processes and where the compiled clock is.
 * @returns Their times.
 */
export async function measureStartUp(
  { rounds }: Options,
  workshop: Workshop,
): Promise<StartUpFigures> {
  const bare = await compileBareProgram(workshop);
  const measureRound = async (round: number): Promise<StartTime[]> => {
    const times: StartTime[] = [];
    for (const start of takeTurns(starts, round)) {
      await waitForQuiet(workshop);
      const ms = await startOnce({ start, bare }, workshop);
      times.push({ round, start, ms });
    }
    return times;
  };
  const first = await measureRound(1);
  const measurements: StartTime[] = [];
  const count = rounds * startsEachRound;
  for (let round = 1; round <= count; round++) {
    console.error(`start ${round} of ${count}`);
    measurements.push(...await measureRound(round));
  }
  return { first, measurements };
}

/** What to start, and where the bare program is. */
interface Choice {
  start: Start;
  bare: string;
}

async function startOnce(
  choice: Choice,
  workshop: Workshop,
): Promise<number> {
  const { processes, directory } = workshop;
  const words = await clockWords(choice, workshop);
  const clock = `${directory}/start_clock`;
  return Number(await processes.capture([clock, ...words])) / 1000;
}

async function clockWords(
  { start, bare }: Choice,
  workshop: Workshop,
): Promise<string[]> {
  switch (start) {
    case "bare":
      return ["end", bare];
    case "version":
      return ["end", workshop.spawnd, "--version"];
    case "run": {
      const port = findFreePort(workshop);
      const command = commandOf("cat", workshop);
      const task = { name: "spawnd", port, command } as const;
      return ["answer", `${port}`, ...await commandLine(task, workshop)];
    }
  }
}
