/**
 * Options of the command line: one table for each subcommand drives parsing,
 * checks and help.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { EX, failure, type Mistake, type Result, success } from "../result.ts";

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
  const unknown: string[] = [];
  const takesValue = specs.filter(({ value }) => value !== undefined);
  const isFlag = specs.filter(({ value }) => value === undefined);
  const end = args.indexOf("--");
  const ours = end < 0 ? args : args.slice(0, end);
  for (const word of ours) {
    const valued = isFlag.find((flag) => givesValue(word, flag));
    if (valued === undefined) continue;
    return failure({
      text: `bad option: ${word}: --${valued.name} takes no value`,
      mend: `write --${valued.name} alone`,
      exitCode: EX.USAGE,
    });
  }
  // Written out, or the parser would take a "true" that follows for a value,
  // and a negative number for an option.
  const words: string[] = [];
  for (const [index, word] of args.entries()) {
    const isOurs = index < ours.length;
    const flag = isOurs ? isFlag.find(names(word)) : undefined;
    const last = words.at(-1);
    if (
      isOurs && /^-[0-9]/.test(word) && last !== undefined &&
      takesValue.some((spec) => names(last)(spec))
    ) {
      words[words.length - 1] = `${last}=${word}`;
    } else words.push(flag === undefined ? word : `--${flag.name}=true`);
  }
  const parsed = parseArgs(words, {
    string: ["_", ...takesValue.map(({ name }) => name)],
    boolean: isFlag.map(({ name }) => name),
    collect: specs.map(({ name }) => name),
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
  const values = new Map<string, string>();
  for (const { name, value } of takesValue) {
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
  const flags = isFlag
    .filter(({ name }) => (parsed[name] as boolean[]).at(-1) === true)
    .map(({ name }) => name);
  return success({
    values,
    flags: new Set(flags),
    words: [...parsed._ as string[], ...parsed["--"] ?? []],
  });
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
  const width = Math.max(...heads.map((head) => head.length));
  return specs
    .map(({ help }, index) => `  ${heads[index]?.padEnd(width)}  ${help}`)
    .join("\n");
}
