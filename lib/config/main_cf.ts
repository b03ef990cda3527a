/**
 * main.cf: `name = value`, once a logical line, the last one for a name
 * counting.
 *
 * @module
 */

import { type PlacedText, readLogicalLines } from "./logical_lines.ts";
import { Findings, type Problem, problemAt } from "./problems.ts";

/** A parameter's value as it was written. */
export interface Setting {
  readonly name: PlacedText;
  /** Not yet expanded. */
  readonly value: PlacedText;
}

/** Settings by name. */
export type Settings = ReadonlyMap<string, Setting>;

/** A main.cf, read. */
export interface MainCf {
  readonly file: string;
  readonly settings: Settings;
  readonly problems: readonly Problem[];
}

/** Name, white space, `=`, and the rest. */
const NAME = /^([^ \t\n\v\f\r=]*)[ \t\n\v\f\r]*(=?)/;

/** What `name = value` is taken for, or why it is not that. */
export type Split =
  | { ok: true; setting: Setting }
  | {
    ok: false;
    text: "missing attribute name" | "missing '=' after attribute name";
  };

/**
 * Reads `name = value`.
 *
 * @param text The text; white space around both is not theirs.
 * @returns The setting, or Postfix's word for what is missing.
 */
export function splitNameValue(text: PlacedText): Split {
  const trimmed = text.trim();
  const [all = "", name = "", equals] = NAME.exec(trimmed.text) ?? [];
  if (name === "") return { ok: false, text: "missing attribute name" };
  if (equals === "") {
    return { ok: false, text: "missing '=' after attribute name" };
  }
  const value = trimmed.slice(all.length).trim();
  return { ok: true, setting: { name: trimmed.slice(0, name.length), value } };
}

/**
 * Reads a main.cf.
 *
 * @param file Its name, for places.
 * @param binary What it says, as a binary string.
 * @param earlier Settings that stand before its first line.
 * @returns Its settings, and everything wrong with it.
 */
export function parseMainCf(
  file: string,
  binary: string,
  earlier: Iterable<Setting> = [],
): MainCf {
  const findings = new Findings();
  const { report, problems } = findings;
  const settings = new Map<string, Setting>();
  for (const setting of earlier) settings.set(setting.name.text, setting);
  for (const line of readLogicalLines(file, binary, report)) {
    if (!findings.goesOn(line.placeIn(file))) break;
    const split = splitNameValue(line);
    if (split.ok) {
      const old = settings.get(split.setting.name.text);
      if (old !== undefined && old.value.text !== split.setting.value.text) {
        report(overriding(file, old, split.setting));
      }
      settings.set(split.setting.name.text, split.setting);
    } else {
      report(problemAt(line.placeIn(file), {
        text: `${split.text}: "${line.text}"`,
        mend: "write name = value",
      }));
    }
  }
  return { file, settings, problems };
}

function overriding(file: string, old: Setting, setting: Setting): Problem {
  const { name } = setting;
  const earlierLine = old.name.place?.line;
  return problemAt(name.placeIn(file), {
    level: "warning",
    text: `overriding earlier entry: ${name.text}=${old.value.text}`,
    mend: earlierLine === undefined
      ? "leave one of them out"
      : `leave one of them out: the other is in line ${earlierLine}`,
  });
}
