/**
 * `spawnd drain`: has a daemon stop so that nobody is sent to it any more.
 *
 * @module
 */

import { CONFIG_OPTION } from "../shared/config_option.ts";
import { type Subcommand, subcommand } from "../shared/subcommand.ts";

/** The subcommand. */
export const DRAIN: Subcommand = subcommand({
  name: "drain",
  synopsis: "",
  summary: "stop a daemon so that nobody is sent to it",
  examples: ["drain", "drain -c /etc/spawnd --grace 10s"],
  about: [
    "Has a daemon say at once that nobody is to be sent to it: `spawnd status` " +
    "exits with 1, and the metric spawnd_serving is 0. After the grace it does " +
    "as after a SIGTERM: it accepts no more connections, and ends when its " +
    "commands have.",
  ],
  options: [
    CONFIG_OPTION,
    {
      name: "grace",
      value: "TIME",
      help: "how long it goes on to accept: 90, 5m, 2h (0)",
    },
  ],
  words: [],
  load: async () => (await import("./drain.ts")).drain,
});
