/**
 * `spawnd run`: one service from the command line. This room reads its words
 * and makes them a configuration of one entry; from there on it is served as
 * any other, by `serving/`.
 *
 * @module
 */

import { ENGINE_OPTION, PROCESS_OPTIONS } from "../serving/options.ts";
import { type Subcommand, subcommand } from "../shared/subcommand.ts";
import { parameterOptions } from "./parameter_options.ts";

/** An attribute as one would write an option. */
const DASHED_ATTRIBUTE = /^--?(user|argv)(?:=|$)/i;

/** The subcommand. */
export const RUN: Subcommand = subcommand({
  name: "run",
  synopsis: "TYPE NAME user=USER[:GROUP] argv=COMMAND [ARG...]",
  summary: "serve one service",
  examples: [
    "run inet 127.0.0.1:7007 user=nobody argv=/bin/cat",
    "run inet 873 --max-processes 20 user=backup argv=rsync --daemon",
  ],
  about: [
    "Serves one service until it is told to stop. The command gets the " +
    "connection as standard input, output and error. No shell comes between, " +
    "and all words after argv= are the command's. Type and name are:",
    {
      term: "inet",
      text: "HOST:PORT, [V6]:PORT, or PORT for every address; port 0 takes a " +
        "free one and says which",
    },
    { term: "unix", text: "the path of a socket, removed at the end" },
    "--max-processes is the maxproc of an entry. What follows it, up to " +
    "--engine, are parameters of spawnd.cf(5) by shorter names; values are " +
    "taken as they stand.",
  ],
  options: [
    {
      name: "max-processes",
      value: "N",
      help: "commands at once, 0 for no limit (100)",
    },
    ...parameterOptions(),
    ENGINE_OPTION,
    ...PROCESS_OPTIONS,
  ],
  words: ["inet", "unix"],
  needsWords: true,
  beginsCommand: (word) => /^argv=/i.test(word),
  mendOf: (word) => {
    const name = DASHED_ATTRIBUTE.exec(word)?.[1]?.toLowerCase();
    return name === undefined
      ? undefined
      : `attributes have no dashes: write ${name}=` +
        (name === "user" ? "NAME" : "COMMAND, last");
  },
  load: async () => (await import("./run.ts")).run,
});
