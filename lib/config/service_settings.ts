/**
 * The settings of one service: the values of all parameters that count for a
 * service by itself, read once, in whatever way the service came to be served.
 * They go with its plan, and over a reload.
 *
 * @module
 */

import {
  findParameter,
  type Parameter,
  PARAMETERS,
  type Row,
  timeLimitParameter,
  type ValueOf,
} from "./parameters.ts";
import { takeValue } from "./parameter_value.ts";
import type { Report } from "./problems.ts";
import type { Scope } from "./settings.ts";

/** A parameter that counts for a service by itself. */
export type ServiceRow = Extract<Row, { scope: "service" }>;

/** Values by the names of their parameters; times are in seconds. */
export type ServiceValues = {
  readonly [Each in ServiceRow as Each["name"]]: ValueOf<Each>;
};

/** The settings of a service. */
export interface ServiceSettings extends ServiceValues {
  /** The expanded texts of all, binary strings, from which they can be read. */
  readonly texts: Readonly<Record<string, string>>;
}

const ROWS: readonly Parameter[] = PARAMETERS.filter((row: Parameter) =>
  row.scope === "service"
);

/** Defaults, which refer to nothing, each read once for all services. */
const defaults = new Map<string, { text: string; value: unknown }>();

function readDefault(name: string): { text: string; value: unknown } {
  let read = defaults.get(name);
  if (read === undefined) {
    const text = findParameter(name)?.default ?? "";
    read = { text, value: valueOf([name, text])[1] };
    defaults.set(name, read);
  }
  return read;
}

/**
 * Reads the settings of a service.
 *
 * @param service Its name, a binary string.
 * @param scope What it sees.
 * @param report Where mistakes go.
 * @returns The settings; `undefined` if one of them was reported as wrong.
 */
export function readServiceSettings(
  service: string,
  scope: Scope,
  report: Report,
): ServiceSettings | undefined {
  const texts: [string, string][] = [];
  const values: [string, unknown][] = [];
  for (const { name } of ROWS) {
    // One of its own counts before the one for all.
    const named = name === "command_time_limit"
      ? timeLimitParameter(service).name
      : name;
    const read = named === name && scope.setting(name) === undefined
      ? readDefault(name)
      : scope.read(named, report);
    if (read === undefined) continue;
    texts.push([name, read.text]);
    values.push([name, read.value]);
  }
  return texts.length === ROWS.length ? settingsOf(values, texts) : undefined;
}

/**
 * Reads settings from their texts, which were read before.
 *
 * @param texts The texts, as {@linkcode ServiceSettings} has them.
 * @returns The settings.
 * @throws {TypeError} If they are not those of any settings.
 */
export function settingsFromTexts(
  texts: Readonly<Record<string, unknown>>,
): ServiceSettings {
  const entries = ROWS.map(({ name }): [string, string] => {
    const text = texts[name];
    if (typeof text !== "string") throw new TypeError(`no text of ${name}`);
    return [name, text];
  });
  const values = entries.map(([name, text]): [string, unknown] => {
    const byDefault = readDefault(name);
    return text === byDefault.text
      ? [name, byDefault.value]
      : valueOf([name, text]);
  });
  return settingsOf(values, entries);
}

/** The settings of a service that sets none. */
export function defaultSettings(): ServiceSettings {
  return settingsFromTexts(
    Object.fromEntries(ROWS.map((row) => [row.name, row.default])),
  );
}

function valueOf([name, text]: [string, string]): [string, unknown] {
  const parameter = findParameter(name);
  const taken = parameter && takeValue(parameter, text);
  if (taken === undefined || "wrong" in taken) {
    throw new TypeError(`no value of ${name}: ${text}`);
  }
  return [name, taken.value];
}

function settingsOf(
  values: readonly [string, unknown][],
  texts: readonly [string, string][],
): ServiceSettings {
  // A value for each row, as the row says that it is read.
  const all = Object.fromEntries(values) as unknown as ServiceValues;
  return { ...all, texts: Object.fromEntries(texts) };
}
