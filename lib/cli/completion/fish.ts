/**
 * The completion of fish.
 *
 * @module
 */

import type { OptionSpec } from "../shared/options.ts";
import type { Program } from "../shared/subcommand.ts";
import { quoted, type Value, valueOf } from "./script.ts";

/**
 * Makes the script.
 *
 * @param program The command line.
 * @returns The text.
 */
export function fishScript({ options, subcommands }: Program): string {
  const lines = [
    "# fish completion for spawnd",
    "",
    "function __spawnd_has_command",
    "  string match -qi 'argv=*' -- (commandline -opc)",
    "end",
    "",
    "complete -c spawnd -f",
    ...options.map((option) =>
      fishLine("__fish_use_subcommand", fishOption(option))
    ),
    ...subcommands.map(({ name, summary }) =>
      fishLine("__fish_use_subcommand", ["-a", name, "-d", quoted(summary)])
    ),
    ...subcommands.flatMap((subcommand) => {
      const { name, options, words, many } = subcommand;
      const seen = `__fish_seen_subcommand_from ${name}`;
      const first = many
        ? seen
        : `${seen}; and not __fish_seen_subcommand_from ${words.join(" ")}`;
      return [
        ...options.map((option) => fishLine(seen, fishOption(option))),
        ...words.length === 0
          ? []
          : [fishLine(first, ["-a", quoted(words.join(" "))])],
      ];
    }),
    // What follows argv= is the command's.
    fishLine("__fish_seen_subcommand_from run; and not __spawnd_has_command", [
      "-a",
      quoted("user=(__fish_print_users) argv="),
    ]),
    fishLine("__fish_seen_subcommand_from run; and __spawnd_has_command", [
      "-F",
    ]),
  ];
  return lines.join("\n");
}

function fishLine(condition: string, words: readonly string[]): string {
  return `complete -c spawnd -n ${quoted(condition)} ${words.join(" ")}`;
}

function fishOption(option: OptionSpec): string[] {
  const { name, alias, help, value } = option;
  return [
    "-l",
    name,
    ...alias === undefined ? [] : ["-s", alias],
    "-d",
    quoted(help),
    ...value === undefined ? [] : fishValue(valueOf(option)),
  ];
}

function fishValue(value: Value): string[] {
  switch (value.kind) {
    case "choice":
      return ["-x", "-a", quoted(value.choices.join(" "))];
    case "directory":
      return ["-x", "-a", quoted("(__fish_complete_directories)")];
    case "file":
      return ["-r", "-F"];
    case "user":
      return ["-x", "-a", quoted("(__fish_complete_users)")];
    case "other":
      return ["-x"];
  }
}
