/**
 * Names that come to nothing: settings that nobody reads, references to what
 * nobody sets, values for what only the program itself can say. None of it
 * stops Postfix or spawnd, and each of it may be a slip of the pen.
 *
 * @module
 */

import { mentionedNames } from "./expand.ts";
import { Guesses } from "../did_you_mean.ts";
import type { MainCf } from "./main_cf.ts";
import { type MasterEntry, settingsOn } from "./master_cf.ts";
import { PARAMETERS, timeLimitParameter } from "./parameters.ts";
import { isPostfixName, POSTFIX_DAEMONS } from "./postfix_names.ts";
import {
  type Finding,
  type Place,
  problemAt,
  type Report,
} from "./problems.ts";
import type { Scope } from "./settings.ts";

/** Nobody reads more, and each takes the time to compare it with all names. */
const WARNINGS_MAX = 1000;

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
  let warnings = 0;
  const warn = (place: Place, finding: Finding): void => {
    if (++warnings > WARNINGS_MAX) return;
    report(problemAt(place, { level: "warning", ...finding }));
  };
  const overrides = entries.flatMap(settingsOn);
  const settings = [...main.settings.values(), ...overrides];
  const defined = new Set(settings.map(({ name }) => name.text));
  const known = knownNames(entries);
  const settable = new Guesses(known);
  const mentionable = new Guesses([...known, ...defined]);
  const mentioned = new Set<string>();
  for (const { name, value } of settings) {
    const isRead = isOurs || scope.parameter(name.text) !== undefined ||
      overrides.some((override) => override.value === value);
    const told = new Set<string>();
    for (const mention of mentionedNames(value)) {
      mentioned.add(mention.text);
      if (told.has(mention.text)) continue;
      told.add(mention.text);
      if (!isRead || defined.has(mention.text)) continue;
      if (mention.text === "" || scope.parameter(mention.text)) continue;
      // That is an error where the value is used.
      if (isPostfixName(mention.text)) continue;
      if (warnings > WARNINGS_MAX) return;
      warn(mention.placeIn(main.file), {
        text: `undefined parameter: ${mention.text}`,
        mend: mentionable.didYouMean(mention.text) ??
          "it is taken for empty",
      });
    }
  }
  for (const { name, value } of settings) {
    const parameter = scope.parameter(name.text);
    const assignment = `${name.text}=${value.text}`;
    if (parameter?.readOnly && !overrides.some((each) => each.name === name)) {
      warn(name.placeIn(main.file), {
        text: `read-only parameter assignment: ${assignment}`,
        mend: "it is ignored: leave it out",
      });
    }
    if (parameter !== undefined || mentioned.has(name.text)) continue;
    if (isPostfixName(name.text)) continue;
    if (warnings > WARNINGS_MAX) return;
    const mend = settable.didYouMean(name.text);
    if (mend === undefined && !isOurs) continue;
    warn(name.placeIn(main.file), {
      text: `unused parameter: ${assignment}`,
      mend: mend ?? "nothing uses it: leave it out",
    });
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
  const guesses = new Guesses(["spawn", "spawnd"]);
  for (const { command } of entries) {
    if (POSTFIX_DAEMONS.has(command.text)) continue;
    const mend = guesses.didYouMean(command.text);
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
