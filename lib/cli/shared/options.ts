/**
 * Options of the command line: one table for each subcommand drives parsing,
 * checks and help.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import {
  EX,
  failure,
  type Mistake,
  type Result,
  success,
} from "../../result.ts";

/** One option. */
export interface OptionSpec {
  /** Its long name, without dashes. */
  readonly name: string;
  /** Its one-letter name. */
  readonly alias?: string;
  /** What its value is called in help; an option without takes no value. */
  readonly value?: string;
  /** What it is for, with its default. */
  readonly help: string;
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

/** A word within this many changes of a known one is taken for a slip. */
const SLIP_DISTANCE_MAX = 3;

/**
 * Reads a command line.
 *
 * @param args The words.
 * @param specs The options there are.
 * @returns What was given.
 */
export function parseOptions(
  args: readonly string[],
  specs: readonly OptionSpec[],
): Result<ParsedOptions> {
  const end = args.indexOf("--");
  const ours = end < 0 ? args : args.slice(0, end);
  const alone = specs.filter(({ value }) => value === undefined);
  const valued = refuseValues(ours, alone);
  if (valued !== undefined) return failure(valued);
  const takesValue = specs.filter(({ value }) => value !== undefined);
  const switches = alone.filter(isSwitch).map(switchOf);
  const isFlag = alone.filter((spec) => !isSwitch(spec));
  const unknown: string[] = [];
  const parsed = parseArgs([
    ...spelledOut(ours, specs),
    ...args.slice(ours.length),
  ], {
    string: ["_", ...takesValue.map(({ name }) => name)],
    boolean: [...isFlag.map(({ name }) => name), ...switches],
    negatable: switches,
    collect: [...specs.map(({ name }) => name), ...switches],
    alias: Object.fromEntries(
      specs.flatMap(({ name, alias }) => alias ? [[alias, name]] : []),
    ),
    "--": true,
    unknown: (word: string, key?: string) => {
      if (key !== undefined) unknown.push(word);
      return key === undefined;
    },
  });
  const [stranger] = unknown;
  if (stranger !== undefined) return failure(unknownOption(stranger, specs));
  const values = lastValues(parsed, takesValue);
  if (!values.ok) return values;
  const flags = alone.filter((spec) =>
    isSwitch(spec)
      ? parsed[switchOf(spec)] === false
      : (parsed[spec.name] as boolean[]).length > 0 // a collected boolean
  );
  return success({
    values: values.value,
    flags: new Set(flags.map(({ name }) => name)),
    words: [...parsed._ as string[], ...parsed["--"] ?? []],
  });
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
    if (flag === undefined) continue;
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
  specs: readonly OptionSpec[],
): string[] {
  const spelled: string[] = [];
  for (const word of words) {
    const spec = specs.find(names(word));
    const last = spelled.at(-1) ?? "";
    const isValue = /^-[0-9]/.test(word) &&
      specs.find(names(last))?.value !== undefined;
    if (isValue) spelled[spelled.length - 1] = `${last}=${word}`;
    else if (spec === undefined || spec.value !== undefined || isSwitch(spec)) {
      spelled.push(word);
    } else spelled.push(`--${spec.name}=true`);
  }
  return spelled;
}

/** Of a value that was given several times, the last counts. */
function lastValues(
  parsed: Readonly<Record<string, unknown>>,
  specs: readonly OptionSpec[],
): Result<Map<string, string>> {
  const values = new Map<string, string>();
  for (const { name, value } of specs) {
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

function names(word: string): (spec: OptionSpec) => boolean {
  return ({ name, alias }) =>
    word === `--${name}` || (alias !== undefined && word === `-${alias}`);
}

function givesValue(word: string, { name, alias }: OptionSpec): boolean {
  return word.startsWith(`--${name}=`) ||
    (alias !== undefined && word.length > 2 && word.startsWith(`-${alias}`));
}

function unknownOption(
  word: string,
  specs: readonly OptionSpec[],
): Mistake {
  const name = word.replace(/^-+/, "").replace(/=.*$/s, "");
  const nearest = nearestWord(name, specs.map((spec) => spec.name));
  return {
    text: `unknown option: ${word}`,
    mend: nearest === undefined
      ? "--help lists the options"
      : `did you mean --${nearest}?`,
    exitCode: EX.USAGE,
  };
}

/**
 * Finds the word that was probably meant.
 *
 * @param word The word given.
 * @param known The words there are.
 * @returns The nearest, or `undefined` if none is near.
 */
export function nearestWord(
  word: string,
  known: readonly string[],
): string | undefined {
  const nearest = closestString(word, [...known]);
  const begins = known.find((name) => word.length > 2 && name.startsWith(word));
  if (begins !== undefined) return begins;
  const allowed = Math.min(SLIP_DISTANCE_MAX, Math.floor(word.length / 2));
  return levenshteinDistance(word, nearest) <= allowed ? nearest : undefined;
}

/** Where help has what an option is for; longer ones have a line for it. */
const HELP_COLUMN_MAX = 32;

const HELP_COLUMNS = 80;

/**
 * Writes the table of options as help has it.
 *
 * @param specs The options.
 * @returns Lines, two spaces in.
 */
export function optionLines(specs: readonly OptionSpec[]): string {
  const heads = specs.map(({ name, alias, value }) =>
    `${alias ? `-${alias}, ` : ""}--${name}${value ? ` ${value}` : ""}`
  );
  const widths = heads.map((head) => head.length + "    ".length)
    .filter((width) => width <= HELP_COLUMN_MAX);
  const column = Math.max(0, ...widths);
  return specs.flatMap(({ help }, index) => {
    const head = `  ${heads[index]}  `;
    const [first = "", ...more] = wrapped(help, HELP_COLUMNS - column);
    const rest = more.map((line) => " ".repeat(column) + line);
    return head.length <= column
      ? [head.padEnd(column) + first, ...rest]
      : [head.trimEnd(), " ".repeat(column) + first, ...rest];
  }).join("\n");
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1) ?? ""} ${word}`;
    if (lines.length > 0 && longer.length <= width) {
      lines[lines.length - 1] = longer;
    } else lines.push(word);
  }
  return lines;
}
