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
    "Prints the services as spawnd serve would run them. Where it would serve " +
    "nothing, prints the errors instead, to standard error; the exit code is " +
    "78.",
  ],
  options: INSPECT_OPTIONS,
  words: [],
  load: async () => (await import("./services.ts")).services,
});
