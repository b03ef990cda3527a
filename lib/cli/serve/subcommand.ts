/**
 * `spawnd serve`: all spawn services of a configuration in one process. This
 * room reads its words, and goes on where a former image of the process was;
 * what is to be served is planned by `serving/`.
 *
 * @module
 */

import { ENGINE_OPTION, PROCESS_OPTIONS } from "../serving/options.ts";
import { CONFIG_OPTION } from "../shared/config_option.ts";
import { type Subcommand, subcommand } from "../shared/subcommand.ts";

/** The subcommand. */
export const SERVE: Subcommand = subcommand({
  name: "serve",
  synopsis: "",
  summary: "serve all spawn services of a configuration",
  examples: [
    "serve",
    "serve -c /etc/postfix --pid-file /run/spawnd/pid",
  ],
  about: [
    "Serves the entries of master.cf whose command is `spawn` or `spawnd`, " +
    "all in one process, and leaves the others alone. With one error " +
    "anywhere, nothing is served and every error is told with its place. A " +
    "service at its maxproc leaves connections in the kernel's queue and " +
    "delays no other.",
    "SIGHUP takes a new configuration, or a new binary, and cuts no " +
    "connection. SIGTERM lets commands finish.",
  ],
  options: [
    CONFIG_OPTION,
    ENGINE_OPTION,
    {
      name: "stop-timeout",
      value: "TIME",
      help: "how long a stop waits (spawnd_stop_timeout)",
    },
    {
      name: "pid-file",
      value: "FILE",
      help: "write the process id there (none)",
    },
    ...PROCESS_OPTIONS,
  ],
  words: [],
  load: async () => (await import("./serve.ts")).serve,
});
