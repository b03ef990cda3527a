/**
 * The commands that the servers run for each connection.
 *
 * @module
 */

import type { Workshop } from "./workshop.ts";

/**
 * A command to measure with: one as users have it, and the least there is,
 * beside which the server's own part is large.
 */
export type Workload = "cat" | "static";

/** All of them, in the order of the tables. */
export const workloads: readonly Workload[] = ["cat", "static"];

/** The command that users have: a dynamic program with the C library. */
export const usualCommand = "/bin/cat";

/** How the report calls them. */
export const workloadTitles: Readonly<Record<Workload, string>> = {
  cat: usualCommand,
  static: "static command",
};

/** The PATH that spawnd gives every command, and so what all of them get. */
export const commandPath = "/usr/bin:/bin";

/** The command that tells its environment. */
export const environmentTeller = "/usr/bin/env";

/**
 * Tells where a workload's command is.
 *
 * @param workload The workload.
 * @param workshop Where the compiled programs are.
 * @returns Its path.
 */
export function commandOf(workload: Workload, { directory }: Workshop): string {
  switch (workload) {
    case "cat":
      return usualCommand;
    case "static":
      return `${directory}/echo_command`;
  }
}
