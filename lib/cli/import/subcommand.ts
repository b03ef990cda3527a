/**
 * `spawnd import`: from another super-server to spawnd. This room has a file or
 * more for each format, which translates; what is common to all translations;
 * and one that prints.
 *
 * @module
 */

import { type Subcommand, subcommand } from "../shared/subcommand.ts";
import { IMPORT_FORMATS } from "./formats.ts";

/** The subcommand. */
export const IMPORT: Subcommand = subcommand({
  name: "import",
  synopsis: `${IMPORT_FORMATS.join("|")} FILE...`,
  summary: "translate the configuration of another super-server",
  examples: [
    "import xinetd /etc/xinetd.conf",
    "import --master inetd /etc/inetd.conf",
    "import systemd /lib/systemd/system/tangd.socket",
    "import tcprules /etc/tcp.smtp",
  ],
  about: [
    "Prints what the files of another super-server come to: parameters of " +
    "main.cf and entries of master.cf; of tcprules(1), a table for " +
    "spawnd_clients. Standard error has each thing that could not be " +
    "translated, as <FILE>:<LINE>: <TEXT> (<MEND>). Nothing is changed.",
    "What spawnd would refuse, or what would let in more clients than before, " +
    "is printed as a comment, to be mended first. What is disabled there is a " +
    "remark here.",
    "Of xinetd, <FILE> may be a directory, and what it includes is followed. " +
    "Of systemd it is the .socket, or its .service; the other one is looked " +
    "for beside it and where systemd does, drop-ins too. `--main` and " +
    "`--master` print one part, for a file of its own.",
    "The exit code is 1 where something could not be translated, and 78 where " +
    "nothing could be.",
  ],
  options: [
    { name: "main", help: "print the parameters alone, for main.cf" },
    { name: "master", help: "print the entries alone, for master.cf" },
  ],
  words: IMPORT_FORMATS,
  needsWords: true,
  load: async () => (await import("./import.ts")).importFiles,
});
