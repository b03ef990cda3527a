/**
 * `spawnd kill`: ends commands by hand.
 *
 * @module
 */

import { CONFIG_OPTION } from "../shared/config_option.ts";
import { type Subcommand, subcommand } from "../shared/subcommand.ts";

/** The subcommand. */
export const KILL: Subcommand = subcommand({
  name: "kill",
  synopsis: "SERVICE|PID",
  summary: "end commands by hand",
  examples: ["kill policy", "kill -c /etc/spawnd 4711"],
  about: [
    "Ends the commands of a <SERVICE> that run now, or the one with the process " +
    "id <PID>, and says which. Each one's process group gets SIGTERM and, " +
    "after five seconds, SIGKILL. What is no running command of the daemon is " +
    "never signalled. Where a name is that of several services, `NAME/TYPE` " +
    "is one.",
  ],
  options: [CONFIG_OPTION],
  words: [],
  load: async () => (await import("./kill.ts")).kill,
});
