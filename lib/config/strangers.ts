/**
 * Names that come to nothing: settings that nobody reads, references to what
 * nobody sets, values for what only the program itself can say. None of it
 * stops Postfix or spawnd, and each of it may be a slip of the pen.
 *
 * @module
 */

import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";
import { mentionedNames } from "./expand.ts";
import type { MainCf } from "./main_cf.ts";
import type { MasterEntry } from "./master_cf.ts";
import { PARAMETERS, timeLimitParameter } from "./parameters.ts";
import { isPostfixName, POSTFIX_DAEMONS } from "./postfix_names.ts";
import { problemAt, type Report } from "./problems.ts";
import type { Scope } from "./settings.ts";

/** A name within this many changes of a known one is taken for a slip. */
const SLIP_DISTANCE_MAX = 2;

/** Where to look. */
export interface Suspects {
  readonly main: MainCf;
  /** The entries that spawnd serves. */
  readonly entries: readonly MasterEntry[];
  readonly scope: Scope;
  /**
   * Whether the directory is spawnd's alone. In one of Postfix's, most names
   * are Postfix's, and only slips are told.
   */
  readonly isOurs: boolean;
}

/**
 * Tells what comes to nothing, in the words of postconf(1).
 *
 * @param suspects Where to look.
 * @param report Where warnings go.
 */
export function reportStrangers(suspects: Suspects, report: Report): void {
  const { main, entries, scope, isOurs } = suspects;
  const overrides = entries.flatMap(({ options }) =>
    options.flatMap((option) =>
      option.kind === "override" && option.setting ? [option.setting] : []
    )
  );
  const settings = [...main.settings.values(), ...overrides];
  const defined = new Set(settings.map(({ name }) => name.text));
  const mentioned = new Set<string>();
  for (const { name, value } of settings) {
    const isRead = isOurs || scope.parameter(name.text) !== undefined ||
      overrides.some((override) => override.value === value);
    for (const mention of mentionedNames(value)) {
      mentioned.add(mention.text);
      if (!isRead || defined.has(mention.text)) continue;
      if (mention.text === "" || scope.parameter(mention.text)) continue;
      // That is an error where the value is used.
      if (isPostfixName(mention.text)) continue;
      report(problemAt(mention.placeIn(main.file), {
        level: "warning",
        text: `undefined parameter: ${mention.text}`,
        mend: didYouMean(mention.text, [...knownNames(entries), ...defined]) ??
          "it is taken for empty",
      }));
    }
  }
  for (const { name, value } of settings) {
    const parameter = scope.parameter(name.text);
    const assignment = `${name.text}=${value.text}`;
    if (parameter?.readOnly && !overrides.some((each) => each.name === name)) {
      report(problemAt(name.placeIn(main.file), {
        level: "warning",
        text: `read-only parameter assignment: ${assignment}`,
        mend: "it is ignored: leave it out",
      }));
    }
    if (parameter !== undefined || mentioned.has(name.text)) continue;
    if (isPostfixName(name.text)) continue;
    const mend = didYouMean(name.text, knownNames(entries));
    if (mend === undefined && !isOurs) continue;
    report(problemAt(name.placeIn(main.file), {
      level: "warning",
      text: `unused parameter: ${assignment}`,
      mend: mend ?? "nothing uses it: leave it out",
    }));
  }
}

/**
 * Tells which entries run nothing that there is, and were meant for spawnd.
 *
 * @param entries Entries that spawnd does not serve.
 * @param file Their file.
 * @param report Where warnings go.
 */
export function reportStrangeCommands(
  entries: readonly MasterEntry[],
  file: string,
  report: Report,
): void {
  for (const { command } of entries) {
    if (POSTFIX_DAEMONS.has(command.text)) continue;
    const mend = didYouMean(command.text, ["spawn", "spawnd"]);
    if (mend === undefined) continue;
    report(problemAt(command.placeIn(file), {
      level: "warning",
      text: `unknown command: ${command.text}`,
      mend,
    }));
  }
}

function knownNames(entries: readonly MasterEntry[]): string[] {
  return [
    ...PARAMETERS.map(({ name }) => name),
    ...entries.map(({ name }) => timeLimitParameter(name.text).name),
  ];
}

function didYouMean(name: string, known: string[]): string | undefined {
  const alike = known.filter(({ length }) =>
    Math.abs(length - name.length) <= SLIP_DISTANCE_MAX
  );
  if (alike.length === 0) return undefined;
  const nearest = closestString(name, alike);
  const distance = levenshteinDistance(name, nearest);
  return distance > 0 && distance <= SLIP_DISTANCE_MAX
    ? `did you mean ${nearest}?`
    : undefined;
}
