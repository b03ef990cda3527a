/**
 * The command line of `spawnd config`.
 *
 * @module
 */

import { EX, failure, type Result, success } from "../../result.ts";
import {
  optionLines,
  type OptionSpec,
  parseOptions,
} from "../shared/options.ts";
import { CONFIG_OPTION, configDirectory } from "../serve/request.ts";

/** The options of `spawnd config`; letters are those of postconf(1). */
export const CONFIG_OPTIONS: readonly OptionSpec[] = [
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
  { name: "help", help: "show this" },
];

/** The help of `spawnd config`. */
export const CONFIG_HELP = `\
  spawnd config
  spawnd config -c /etc/postfix -x queue_directory
  spawnd config -n --origin

Usage: spawnd config [options] [NAME...]
Prints parameters as postconf(1) does: those named, or all that spawnd knows and
all that main.cf sets and something uses.

${optionLines(CONFIG_OPTIONS)}
`;

const CLASSES = ["builtin", "service", "user"] as const;

/**
 * Whose a parameter is: Postfix's or spawnd's own, a service's by its name, or
 * one that main.cf makes for other values to refer to.
 */
export type ParameterClass = typeof CLASSES[number];

/** What a command line asks for. */
export interface ConfigRequest {
  readonly directory: string;
  /** All, if none is named. */
  readonly names: readonly string[];
  readonly which: "actual" | "default" | "set";
  /** Of which kinds, where none is named. */
  readonly classes: readonly ParameterClass[];
  readonly expanded: boolean;
  readonly valuesAlone: boolean;
  readonly origin: boolean;
  readonly json: boolean;
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
  for (const { flags: [one, other], text, mend } of EXCLUSIVE) {
    if (!flags.has(one) || !flags.has(other)) continue;
    return failure({
      text: `specify one of ${text}`,
      mend,
      exitCode: EX.USAGE,
    });
  }
  const directory = configDirectory(values.get("config"));
  if (!directory.ok) return directory;
  const classes = parseClasses(values.get("class"));
  if (!classes.ok) return classes;
  return success({
    directory: directory.value,
    names,
    which: isDefault ? "default" : flags.has("set") ? "set" : "actual",
    classes: classes.value,
    expanded: flags.has("expand"),
    valuesAlone: flags.has("values"),
    origin: flags.has("origin"),
    json: flags.has("json"),
  });
}

/** Options that do not go together. */
const EXCLUSIVE = [
  {
    flags: ["defaults", "set"],
    text: "-d -n",
    mend: "defaults are set nowhere",
  },
  {
    flags: ["defaults", "origin"],
    text: "-d --origin",
    mend: "defaults are set nowhere",
  },
  {
    flags: ["json", "values"],
    text: "-j -h",
    mend: "objects have names",
  },
  {
    flags: ["json", "origin"],
    text: "-j --origin",
    mend: "objects have names and values alone",
  },
] as const;

function parseClasses(
  list: string = "all",
): Result<readonly ParameterClass[]> {
  const words = list.split(/[, \t\r\n]+/).filter((word) => word !== "");
  const unknown = words.find((word) =>
    word !== "all" && !CLASSES.some((known) => known === word)
  );
  if (unknown !== undefined || words.length === 0) {
    return failure({
      text: `unknown -C option value "${unknown ?? ""}" in "${list}"`,
      mend: `it is all, or of ${CLASSES.join(", ")}`,
      exitCode: EX.USAGE,
    });
  }
  return success(
    CLASSES.filter((known) => words.includes("all") || words.includes(known)),
  );
}

/** `-nx` is `-n -x`, as postconf's users write it. */
function lettersApart(word: string): string[] {
  const letters = CONFIG_OPTIONS
    .flatMap(({ alias, value }) => value === undefined ? alias ?? [] : []);
  return new RegExp(`^-[${letters.join("")}]{2,}$`).test(word)
    ? [...word.slice(1)].map((letter) => `-${letter}`)
    : [word];
}
