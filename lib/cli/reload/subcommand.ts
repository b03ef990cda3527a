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
    "Makes a running `spawnd serve` take its configuration, and its binary, " +
    "anew, in the same process, and waits until the new one serves. No " +
    "connection is lost and no command cut short; commands that run stay " +
    "counted and keep their time limit. If the new one would not serve, the " +
    "old one goes on, its log says why, and the exit code is 78.",
    "The daemon has its program tried as a child that reads, checks and opens " +
    "everything; if that would serve, it executes it in its own place. For " +
    "some tenth of a second clients wait in the kernel's queue. A unix socket " +
    "that was removed is made anew.",
    "A trial may take 60 seconds. It starts in the directory that the daemon " +
    "was started in, and takes the program by the path that it was started " +
    "by. It opens new addresses beside the old ones, so a service cannot move " +
    "from one address of a port to every address of it, or back: restart for " +
    "that.",
  ],
  options: [{
    name: "pid-file",
    value: "FILE",
    help: "where the daemon has written its process id (required)",
  }],
  words: [],
  load: async () => (await import("./reload.ts")).reload,
});
