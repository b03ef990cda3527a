/**
 * The command line of `spawnd config`.
 *
 * @module
 */

import { EX, failure, type Result, success } from "../result.ts";
import { optionLines, type OptionSpec, parseOptions } from "./options.ts";
import { CONFIG_OPTION, configDirectory } from "./serve_options.ts";

/** The options of `spawnd config`; letters are those of postconf(1). */
export const CONFIG_OPTIONS: readonly OptionSpec[] = [
  CONFIG_OPTION,
  { name: "defaults", alias: "d", help: "defaults, whatever main.cf sets" },
  { name: "set", alias: "n", help: "only what main.cf sets" },
  { name: "expand", alias: "x", help: "with $name and its kin expanded" },
  { name: "values", alias: "h", help: "values alone, without names" },
  { name: "origin", help: "begin each line with what sets it: FILE:LINE" },
  { name: "help", help: "show this" },
];

/** The help of `spawnd config`. */
export const CONFIG_HELP = `\
  spawnd config
  spawnd config -c /etc/postfix -x queue_directory
  spawnd config -n --origin

Usage: spawnd config [options] [NAME...]
Prints parameters as postconf(1) does: those named, or all that spawnd knows and
all that main.cf sets.

${optionLines(CONFIG_OPTIONS)}
`;

/** What a command line asks for. */
export interface ConfigRequest {
  readonly directory: string;
  /** All, if none is named. */
  readonly names: readonly string[];
  readonly which: "actual" | "default" | "set";
  readonly expanded: boolean;
  readonly valuesAlone: boolean;
  readonly origin: boolean;
}

/**
 * Reads the command line.
 *
 * @param args The words after `config`.
 * @returns The request, or `"help"` where that was asked for.
 */
export function parseConfigRequest(
  args: readonly string[],
): Result<ConfigRequest | "help"> {
  const parsed = parseOptions(args.flatMap(lettersApart), CONFIG_OPTIONS);
  if (!parsed.ok) return parsed;
  const { values, flags, words: names } = parsed.value;
  if (flags.has("help")) return success("help");
  const isDefault = flags.has("defaults");
  for (const [other, letter] of [["set", "-n"], ["origin", "--origin"]]) {
    if (!isDefault || !flags.has(other ?? "")) continue;
    return failure({
      text: `specify one of -d ${letter}`,
      mend: "defaults are set nowhere",
      exitCode: EX.USAGE,
    });
  }
  return success({
    directory: configDirectory(values.get("config")),
    names,
    which: isDefault ? "default" : flags.has("set") ? "set" : "actual",
    expanded: flags.has("expand"),
    valuesAlone: flags.has("values"),
    origin: flags.has("origin"),
  });
}

/** `-nx` is `-n -x`, as postconf's users write it. */
function lettersApart(word: string): string[] {
  const letters = CONFIG_OPTIONS
    .flatMap(({ alias, value }) => value === undefined ? alias ?? [] : []);
  return new RegExp(`^-[${letters.join("")}]{2,}$`).test(word)
    ? [...word.slice(1)].map((letter) => `-${letter}`)
    : [word];
}
