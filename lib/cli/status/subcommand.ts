/**
 * `spawnd status`: what a running daemon does.
 *
 * @module
 */

import { CONFIG_OPTION } from "../shared/config_option.ts";
import { type Subcommand, subcommand } from "../shared/subcommand.ts";

/** The subcommand. */
export const STATUS: Subcommand = subcommand({
  name: "status",
  synopsis: "",
  summary: "tell what a running daemon does",
  examples: ["status", "status -c /etc/spawnd --watch"],
  about: [
    "Tells what a running `spawnd serve` does: per service how many commands " +
    "run and may, how many clients wait in the kernel's queue, how many there " +
    "were, and what came of them; then the commands, with client, process id, " +
    "age and processor time. The exit code is 1 while the daemon drains or " +
    "stops, and 71 where none answers.",
    "Counts begin when the service was first served; a reload does not end " +
    "them. PER S is over the last minute. MEDIAN and P99 are how long the " +
    "median command took, and all but one of a hundred: right to an eighth. " +
    "On a narrow terminal the columns that matter least are left out. " +
    "`--watch` shows it anew each second, with the connections of each second " +
    "of the last minute. `--json` prints one object with all there is, times " +
    "in seconds; with `--watch`, one a line.",
    "The daemon answers root, and who has started it, over the socket " +
    "spawnd.status in its queue_directory. Where there is no such directory, " +
    "or another daemon has its socket there, it warns and serves without.",
  ],
  options: [
    CONFIG_OPTION,
    { name: "json", help: "print one object" },
    { name: "watch", alias: "w", help: "show it anew each second" },
  ],
  words: [],
  load: async () => (await import("./status.ts")).status,
});
