/**
 * `spawnd config`: the values of parameters, in the format of postconf(1).
 *
 * @module
 */

import { PARAMETERS } from "../../config/parameters.ts";
import { CONFIG_OPTION } from "../shared/config_option.ts";
import { type Subcommand, subcommand } from "../shared/subcommand.ts";

/** The subcommand; letters of its options are those of postconf(1). */
export const CONFIG: Subcommand = subcommand({
  name: "config",
  synopsis: "[NAME...]",
  summary: "print values of parameters, as postconf does",
  examples: [
    "config",
    "config -c /etc/postfix -x queue_directory",
    "config -n --origin",
  ],
  about: [
    "Prints parameters in the format of postconf(1): those named, or all that " +
    "spawnd knows, and of those that main.cf sets Postfix's and the ones that " +
    "some value refers to.",
    "`-C` selects by class: builtin parameters, those of a service, those that " +
    "main.cf makes (user). Letters can be joined: `-nx`. A line of `--origin` " +
    "begins with <FILE>:<LINE>, with default, or with spawnd for what the " +
    "program sets itself. With `--json` each line is an object, " +
    '{"NAME":"VALUE"}.',
  ],
  options: [
    CONFIG_OPTION,
    { name: "defaults", alias: "d", help: "defaults, whatever main.cf sets" },
    { name: "set", alias: "n", help: "only what main.cf sets" },
    {
      name: "class",
      alias: "C",
      value: "CLASS",
      help: "some of builtin, service, user; by commas (all)",
    },
    { name: "expand", alias: "x", help: "with $name and its kin expanded" },
    { name: "values", alias: "h", help: "values alone, without names" },
    { name: "json", alias: "j", help: 'a line {"NAME": "VALUE"} for each' },
    { name: "origin", help: "begin each line with what sets it: FILE:LINE" },
  ],
  words: PARAMETERS.map(({ name }) => name),
  many: true,
  load: async () => (await import("./config.ts")).config,
});
