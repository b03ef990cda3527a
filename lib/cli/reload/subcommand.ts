/**
 * `spawnd reload`: asks a running daemon to reload.
 *
 * @module
 */

import { type Subcommand, subcommand } from "../shared/subcommand.ts";

/** The subcommand. */
export const RELOAD: Subcommand = subcommand({
  name: "reload",
  synopsis: "",
  summary: "make a daemon take its configuration anew",
  examples: ["reload --pid-file /run/spawnd/pid"],
  about: [
    "Makes the daemon take its configuration, and its binary, anew, and waits " +
    "until the new one serves. If it cannot, the old one goes on, its log says " +
    "why, and the exit code is 78.",
  ],
  options: [{
    name: "pid-file",
    value: "FILE",
    help: "where the daemon has written its process id (required)",
  }],
  words: [],
  load: async () => (await import("./reload.ts")).reload,
});
