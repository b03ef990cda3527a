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
    "Puts spawnd in the place of spawn(8) below Postfix's master(8): copies " +
    "this program into daemon_directory, and makes the entries of master.cf " +
    "that are named, or all whose command is `spawn`, run it. Without `--yes` " +
    "it shows that, with the call of postconf(1) for each entry, and changes " +
    "nothing. It never reloads Postfix: that is for `postfix reload`.",
    "It keeps master.cf as master.cf.before-spawnd, a program that was there " +
    "before with .before-install at the end of its name, and what it changed " +
    "in spawnd-install.json, beside master.cf. `--undo` needs these. It puts " +
    "master.cf back to the byte, unless others have changed it since: then it " +
    "puts back the entries that are as they were left, and tells of the " +
    "others. The program stays where services are named, and while an entry " +
    "runs it. An entry that cannot run spawnd, or that postconf(1) would " +
    "damage, is left as it is, and told with what to do about it.",
    "The exit code is 1 where an entry was left. With `--check` it is 1 where " +
    "this program, or a service that was named, is not in place, and 78 for " +
    "an error in the configuration.",
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
