/**
 * `spawnd check`: every error and warning that there is about a configuration.
 * What `spawnd serve` would refuse is found by `inspect/`; this room adds what
 * it would serve all the same.
 *
 * @module
 */

import { INSPECT_OPTIONS } from "../inspect/request.ts";
import { type Subcommand, subcommand } from "../shared/subcommand.ts";

/** The subcommand. */
export const CHECK: Subcommand = subcommand({
  name: "check",
  synopsis: "",
  summary: "tell what is wrong with a configuration",
  examples: ["check", "check -c /etc/postfix"],
  about: [
    "Prints every error and warning there is about main.cf and master.cf, one " +
    "a line, as <FILE>:<LINE>:<COLUMN>: level: text (mend), and nothing where " +
    "there is none. With an error, `spawnd serve` would serve nothing, and the " +
    "exit code is 78. On a terminal the line and a caret are below.",
    "Beside mistakes it warns of commands that are missing, that the user " +
    "cannot execute, or that others than root can replace; of configuration " +
    "files that others than root can write; of services without a limit; of " +
    "two services on one address; and of a time limit shorter than smtpd keeps " +
    "its connection to a policy service. It should be run by root, who sees " +
    "all that there is to judge.",
    "`--json` prints one array of objects with level, file, line, column, " +
    "length, text and mend; line and column are 0 where a file as a whole is " +
    "meant.",
  ],
  options: INSPECT_OPTIONS,
  words: [],
  load: async () => (await import("./check.ts")).check,
});
