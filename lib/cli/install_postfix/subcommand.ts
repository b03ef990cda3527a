/**
 * `spawnd install-postfix`: the way into a Postfix and out again. This room
 * looks at what there is, plans what is to be changed, shows or does it, and
 * writes down what `--undo` needs.
 *
 * @module
 */

import { type Subcommand, subcommand } from "../shared/subcommand.ts";
import { WAYS } from "../shared/ways.ts";

/** The subcommand. */
export const INSTALL_POSTFIX: Subcommand = subcommand({
  name: "install-postfix",
  synopsis: "[SERVICE/TYPE...]",
  summary: "serve below Postfix, in the place of spawn(8)",
  examples: [
    "install-postfix",
    "install-postfix --yes policy/unix",
    "install-postfix --undo",
  ],
  about: [
    "Puts spawnd in the place of spawn(8) below Postfix: copies this program " +
    "into daemon_directory, and makes the entries that are named, or all whose " +
    "command is spawn, run it. Without --yes it only shows that. It keeps what " +
    "it replaces.",
    'Postfix takes the change with "postfix reload", which is yours to run.',
    "Exit codes: 1 something is left, or with --check not in place; others as " +
    "usual.",
  ],
  options: [
    {
      name: "config",
      alias: "c",
      value: "DIR",
      help:
        `Postfix's configuration (MAIL_CONFIG, or ${WAYS.master.directory})`,
    },
    { name: "yes", help: "do what is shown without it" },
    { name: "check", help: "tell what is in place, and what would fail" },
    { name: "undo", help: "put back what was there before" },
  ],
  words: [],
  load: async () => (await import("./install_postfix.ts")).installPostfix,
});
