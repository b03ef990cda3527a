/**
 * Options of the command line: one table for each subcommand drives parsing,
 * checks, help, completion and the manual.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { didYouMean } from "../../did_you_mean.ts";
import {
  EX,
  failure,
  type Mistake,
  type Result,
  success,
} from "../../result.ts";
import { itemLines } from "./wrapped.ts";

/** One option. */
export interface OptionSpec {
  /** Its long name, without dashes. */
  readonly name: string;
  /** Its one-letter name. */
  readonly alias?: string;
  /** What its value is called in help; an option without takes no value. */
  readonly value?: string;
  /** The values there are, if they are few. */
  readonly choices?: readonly string[];
  /** What it is for, with its default. */
  readonly help: string;
}

/** The option that every subcommand has. */
export const HELP_OPTION: OptionSpec = { name: "help", help: "show this" };

/** What a command line may have. */
export interface CommandLine {
  readonly options: readonly OptionSpec[];
  /** Tells the word from which on all is another program's. */
  readonly beginsCommand?: (word: string) => boolean;
  /** What to do about an option that there is not, where that is known. */
  readonly mendOf?: (word: string) => string | undefined;
}

/** What was given. */
export interface ParsedOptions {
  /** Values by long name; an option that was not given is not in it. */
  readonly values: ReadonlyMap<string, string>;
  /** Names of the flags given. */
  readonly flags: ReadonlySet<string>;
  /** The words that are no options, in their order. */
  readonly words: readonly string[];
}

/**
 * Reads a command line.
 *
 * @param args The words.
 * @param line What it may have.
 * @returns What was given.
 */
export function parseOptions(
  args: readonly string[],
  { options, beginsCommand = () => false, mendOf }: CommandLine,
): Result<ParsedOptions> {
  const { ours, rest, command } = parted(args, beginsCommand);
  const alone = options.filter(({ value }) => value === undefined);
  const valued = refuseValues(ours, alone);
  if (valued !== undefined) return failure(valued);
  const takesValue = options.filter(({ value }) => value !== undefined);
  const switches = alone.filter(isSwitch).map(switchOf);
  const flags = alone.filter((option) => !isSwitch(option));
  const unknown: string[] = [];
  const parsed = parseArgs(spelledOut(ours, options), {
    string: ["_", ...takesValue.map(({ name }) => name)],
    boolean: [...flags.map(({ name }) => name), ...switches],
    negatable: switches,
    collect: [...options.map(({ name }) => name), ...switches],
    alias: Object.fromEntries(
      options.flatMap(({ name, alias }) => alias ? [[alias, name]] : []),
    ),
    unknown: (word: string, key?: string) => {
      if (key !== undefined) unknown.push(word);
      return key === undefined;
    },
  });
  const [stranger] = unknown;
  if (stranger !== undefined) {
    const mistake = unknownOption(stranger, options);
    return failure({ ...mistake, mend: mendOf?.(stranger) ?? mistake.mend });
  }
  const values = lastValues(parsed, takesValue);
  if (!values.ok) return values;
  const given = alone.filter((option) =>
    isSwitch(option)
      ? parsed[switchOf(option)] === false
      : (parsed[option.name] as boolean[]).length > 0 // a collected boolean
  );
  return success({
    values: values.value,
    flags: new Set(given.map(({ name }) => name)),
    words: [...parsed._ as string[], ...rest, ...command],
  });
}

/** The words in which options may be, those behind `--`, and the command's. */
function parted(
  args: readonly string[],
  beginsCommand: (word: string) => boolean,
): Record<"ours" | "rest" | "command", readonly string[]> {
  const commandAt = args.findIndex(beginsCommand);
  const before = commandAt < 0 ? args : args.slice(0, commandAt);
  const end = before.indexOf("--");
  return {
    ours: end < 0 ? before : before.slice(0, end),
    rest: end < 0 ? [] : before.slice(end + 1),
    command: commandAt < 0 ? [] : args.slice(commandAt),
  };
}

/** Whether an option turns something off that is on by default. */
function isSwitch({ name }: OptionSpec): boolean {
  return name.startsWith("no-");
}

function switchOf({ name }: OptionSpec): string {
  return name.slice("no-".length);
}

/** The parser would take a value for a flag, whatever it says. */
function refuseValues(
  words: readonly string[],
  alone: readonly OptionSpec[],
): Mistake | undefined {
  for (const word of words) {
    const flag = alone.find((flag) => givesValue(word, flag));
    if (flag === undefined || lettersApart(word, alone).length > 1) continue;
    return {
      text: `bad option: ${word}: --${flag.name} takes no value`,
      mend: `write --${flag.name} alone`,
      exitCode: EX.USAGE,
    };
  }
  return undefined;
}

/**
 * Writes values out: the parser would take a "true" that follows a flag for its
 * value, and a negative number for an option.
 */
function spelledOut(
  words: readonly string[],
  options: readonly OptionSpec[],
): string[] {
  const spelled: string[] = [];
  for (const word of words.flatMap((word) => lettersApart(word, options))) {
    const last = spelled.at(-1) ?? "";
    const isValue = /^-[0-9]/.test(word) &&
      options.find(names(last))?.value !== undefined;
    const option = options.find(names(word));
    const isFlag = option?.value === undefined && option !== undefined &&
      !isSwitch(option);
    if (isValue) spelled[spelled.length - 1] = `${last}=${word}`;
    else spelled.push(isFlag ? `--${option.name}=true` : word);
  }
  return spelled;
}

/** `-nx` is `-n -x`, where all of its letters stand alone. */
function lettersApart(
  word: string,
  options: readonly OptionSpec[],
): string[] {
  const letters = options.flatMap(({ alias, value }) =>
    value === undefined ? alias ?? [] : []
  );
  const joined = [.../^-([A-Za-z]{2,})$/.exec(word)?.[1] ?? ""];
  return joined.length > 0 && joined.every((letter) => letters.includes(letter))
    ? joined.map((letter) => `-${letter}`)
    : [word];
}

/** Of a value that was given several times, the last counts. */
function lastValues(
  parsed: Readonly<Record<string, unknown>>,
  options: readonly OptionSpec[],
): Result<Map<string, string>> {
  const values = new Map<string, string>();
  for (const { name, value } of options) {
    const given = parsed[name] as string[]; // a collected string option
    const last = given.at(-1);
    if (last === undefined) continue;
    if (last === "") {
      return failure({
        text: `--${name} needs a value`,
        mend: `write --${name} ${value}`,
        exitCode: EX.USAGE,
      });
    }
    values.set(name, last);
  }
  return success(values);
}

function names(word: string): (option: OptionSpec) => boolean {
  return ({ name, alias }) =>
    word === `--${name}` || (alias !== undefined && word === `-${alias}`);
}

function givesValue(word: string, { name, alias }: OptionSpec): boolean {
  return word.startsWith(`--${name}=`) ||
    (alias !== undefined && word.length > 2 && word.startsWith(`-${alias}`));
}

function unknownOption(
  word: string,
  options: readonly OptionSpec[],
): Mistake {
  const name = word.replace(/^-+/, "").replace(/=.*$/s, "");
  const known = options.map((option) => option.name);
  return {
    text: `unknown option: ${word}`,
    mend: didYouMean(name, known, "--") ?? "--help lists the options",
    exitCode: EX.USAGE,
  };
}

/**
 * Writes the table of options as help has it.
 *
 * @param options The options.
 * @returns Lines, two spaces in.
 */
export function optionLines(options: readonly OptionSpec[]): string {
  return itemLines(options.map(({ name, alias, value, help }) => ({
    term: `${alias ? `-${alias}, ` : ""}--${name}${value ? ` ${value}` : ""}`,
    text: help,
  })));
}
