/**
 * `spawnd services`: the table of the services of a configuration.
 *
 * @module
 */

import { INSPECT_OPTIONS } from "../inspect/request.ts";
import { type Subcommand, subcommand } from "../shared/subcommand.ts";

/** The subcommand. */
export const SERVICES: Subcommand = subcommand({
  name: "services",
  synopsis: "",
  summary: "print the table of services",
  examples: ["services", "services -c /etc/postfix --json"],
  about: [
    "Prints the services as `spawnd serve` would run them: name and type, " +
    "addresses, user, how many commands at once, how long each may run, and " +
    "the command. Where it would serve nothing, prints the errors instead, to " +
    "standard error; the exit code is 78.",
    "`--json` prints one array of objects with service, type, addresses, user, " +
    "uid, gid, maxProcesses (0 for no limit), timeLimitSeconds, argv, file and " +
    "line.",
  ],
  options: INSPECT_OPTIONS,
  words: [],
  load: async () => (await import("./services.ts")).services,
});
