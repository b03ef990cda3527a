/**
 * Parameters as options of `spawnd run`: each row of the table that counts for
 * a service, or for the daemon of one, is an option by a shorter name.
 *
 * A value stands on the command line as it is: it refers to no other.
 *
 * @module
 */

import { fromText, toText } from "../../config/bytes.ts";
import type { OptionSetting } from "../../config/one_entry.ts";
import {
  COUNT_MAX,
  type Parameter,
  PARAMETERS,
} from "../../config/parameters.ts";
import type { ValueReader } from "../shared/option_values.ts";
import type { OptionSpec } from "../shared/options.ts";

/** The parameters, those of the service first. */
const ROWS: readonly Parameter[] = ["service", "daemon"].flatMap((scope) =>
  PARAMETERS.filter((row: Parameter) => row.scope === scope)
);

/**
 * Makes options of parameters.
 *
 * @param rows The parameters; those of the table, if nothing is said.
 * @returns The options.
 */
export function parameterOptions(
  rows: readonly Parameter[] = ROWS,
): OptionSpec[] {
  return rows.map((row) => {
    const value = placeholderOf(row);
    return {
      name: optionOf(row),
      ...value === undefined ? {} : { value },
      ...row.type === "string" && row.choices !== undefined
        ? { choices: row.choices }
        : {},
      help: helpOf(row),
    };
  });
}

/** What was given on a command line. */
export interface GivenOptions {
  readonly values: ReadonlyMap<string, string>;
  readonly flags: ReadonlySet<string>;
  readonly reader: ValueReader;
  /** The type of the service. */
  readonly transport: string;
}

/**
 * Gives the settings that options make.
 *
 * @param given What was given; its reader is told what is wrong.
 * @param rows The parameters; those of the table, if nothing is said.
 * @returns A setting for each option that was given.
 */
export function optionSettings(
  given: GivenOptions,
  rows: readonly Parameter[] = ROWS,
): OptionSetting[] {
  return rows.flatMap((row) => {
    const name = optionOf(row);
    const option = `--${name}`;
    if (row.type === "boolean") {
      return given.flags.has(name)
        ? [{ name: row.name, value: isOn(row) ? "no" : "yes", option }]
        : [];
    }
    const value = given.values.has(name)
      ? valueOf(row, name, given.reader)
      : undefined;
    const { transport = given.transport } = row;
    if (given.values.has(name) && transport !== given.transport) {
      given.reader.bad(name, `only for ${transport} services`, "leave it out");
    }
    return value === undefined ? [] : [{ name: row.name, value, option }];
  });
}

/** The value as a parameter has it; `undefined` if it was told as wrong. */
function valueOf(
  row: Parameter,
  option: string,
  reader: ValueReader,
): string | undefined {
  switch (row.type) {
    case "time": {
      const seconds = reader.time(option, { min: row.min });
      return seconds === undefined ? undefined : `${seconds}s`;
    }
    case "integer": {
      const { min, max = COUNT_MAX } = row;
      const number = reader.count(option, max, min);
      return number === undefined ? undefined : `${number}`;
    }
    case "string": {
      if (row.choices !== undefined) return reader.choice(option, row.choices);
      const text = reader.text(option);
      const parsed = row.parse?.(fromText(text)) ?? { ok: true };
      if (!parsed.ok) reader.bad(option, toText(parsed.wrong), parsed.mend);
      return text;
    }
    case "boolean":
      return undefined;
  }
}

/**
 * Names the option of a parameter.
 *
 * @param row The parameter.
 * @returns The option, without dashes; what turns off a switch that is on by
 * default begins with `no-`.
 */
export function optionOf(row: Parameter): string {
  const name = row.option ??
    row.name.replace(/^spawnd_/, "").replaceAll("_", "-");
  return isOn(row) ? `no-${name}` : name;
}

function isOn(row: Parameter): boolean {
  return row.type === "boolean" && row.default === "yes";
}

function placeholderOf(row: Parameter): string | undefined {
  switch (row.type) {
    case "time":
      return "TIME";
    case "integer":
      return "N";
    case "string":
      return row.placeholder ?? (row.choices ? "WORD" : "TEXT");
    case "boolean":
      return undefined;
  }
}

/** A phrase of what the table says, and the default. */
function helpOf(row: Parameter): string {
  const [sentence = ""] = /^.*?(?=\.(?: |$))/s.exec(row.meaning) ?? [];
  const phrase = row.brief ?? sentence.replace(/^Standalone, /, "")
    .replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());
  if (row.type === "boolean") {
    return isOn(row) ? `not: ${phrase}` : phrase;
  }
  return row.default === "" ? phrase : `${phrase} (${row.default})`;
}
