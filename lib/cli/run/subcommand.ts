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
    "and all words after `argv=` are the command's. The type and the name are:",
    {
      term: "`inet`",
      text: "<HOST>:<PORT>, [<ADDRESS>]:<PORT>, or <PORT> for every address; " +
        "names of hosts(5) and services(5) are looked up once, and port 0 takes a " +
        "free one and says which.",
    },
    {
      term: "`unix`",
      text:
        "The path of a socket: a stale one is replaced, one that somebody " +
        "listens on is respected, and ours is removed at the end.",
    },
    {
      term: "`stdin`",
      text:
        "No name: the one connection is standard input, as with inetd(8) or " +
        "systemd's Accept=yes. It ends with the command, and logs to syslog " +
        "where standard error is the client's.",
    },
    "--max-processes is the maxproc of an entry. What follows it, up to " +
    "--engine, are parameters of spawnd.cf(5) by shorter names; values are " +
    "taken as they stand.",
    "When a command's time is over, its whole process group is killed. With " +
    "`-v` the log has the client of each connection, the command's process " +
    "id, how long it took and how it ended.",
    "Beyond --max-processes, clients wait in the kernel's queue, which " +
    "--backlog limits. --export-environment is what the command's environment " +
    "has, between commas and white space: names to pass on from the daemon's " +
    "own, <NAME>=<VALUE> words, and { <NAME> = <VALUE> } groups, in which white " +
    "space is the value's. PATH is always /usr/bin:/bin. --socket-mode holds " +
    "from a socket's first instant. On --ready-fd one newline is written, and " +
    "it is closed, when connections are accepted.",
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
  words: ["inet", "unix", "udp", "stdin"],
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
