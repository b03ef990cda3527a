/**
 * `spawnd config`: the values of parameters, in the format of postconf(1).
 *
 * @module
 */

import { fromText, toBytes, toText } from "../../config/bytes.ts";
import { type Expansion, mentionedNames } from "../../config/expand.ts";
import type { Configuration } from "../../config/configuration.ts";
import { PARAMETERS, timeLimitParameter } from "../../config/parameters.ts";
import { formatProblem } from "../../config/problems.ts";
import type { Scope } from "../../config/settings.ts";
import type { MainCf } from "../../config/main_cf.ts";
import { type MasterCf, settingsOn } from "../../config/master_cf.ts";
import { isPostfixName } from "../../config/postfix_names.ts";
import { printable, printableJson } from "../../log/printable.ts";
import { EX, type ExitCode, formatMistake, success } from "../../result.ts";
import type { ParsedOptions } from "../shared/options.ts";
import type { Outcome } from "../shared/subcommand.ts";
import {
  type ConfigRequest,
  configRequest,
  type ParameterClass,
} from "./request.ts";
import { isError } from "../inspect/inspect.ts";
import { didYouMean } from "../../did_you_mean.ts";
import { readConfiguration } from "../shared/read_configuration.ts";

/**
 * Runs the subcommand.
 *
 * @param given What was given.
 * @returns The exit code.
 */
export function config(given: ParsedOptions): Outcome {
  const request = configRequest(given);
  if (!request.ok) return request;
  const configuration = readConfiguration(request.value.directory);
  const unreadable = unreadableProblems(configuration);
  if (request.value.which !== "default" && unreadable.length > 0) {
    for (const problem of unreadable) complain(formatProblem(problem));
    return success(EX.CONFIG);
  }
  const answer = new Answer(configuration, request.value);
  const names = request.value.names.map(toBinaryName);
  const { classes } = request.value;
  const all = classifiedNames(configuration)
    .filter(([_name, kind]) => classes.includes(kind))
    .map(([name]) => name);
  for (const name of names.length > 0 ? names : all) answer.add(name);
  print(answer.lines);
  return success(answer.exitCode);
}

/** Where main.cf makes no sense; as for postconf(1), then none of it counts. */
function unreadableProblems(
  { main, problems }: Configuration,
): Configuration["problems"] {
  const isWhole = ({ file, line }: (typeof problems)[number]): boolean =>
    file === main.file && line === 0;
  return [...problems.filter(isWhole), ...main.problems].filter(isError);
}

function toBinaryName(name: string): string {
  return fromText(name);
}

/** The parameters that there are, in byte order; not what nothing uses. */
function classifiedNames(
  { main, master, scope }: Configuration,
): (readonly [name: string, kind: ParameterClass])[] {
  const kinds = new Map<string, ParameterClass>();
  for (const name of usedNames(main, master)) kinds.set(name, "user");
  for (const { name } of master.services) {
    const parameter = timeLimitParameter(name.text).name;
    if (scope.parameter(parameter)) kinds.set(parameter, "service");
  }
  for (const name of main.settings.keys()) {
    if (isPostfixName(name)) kinds.set(name, "builtin");
  }
  for (const { name } of PARAMETERS) kinds.set(name, "builtin");
  return [...kinds].sort(([one], [other]) => one < other ? -1 : 1);
}

/** The names that main.cf sets, and that some value refers to. */
function usedNames(main: MainCf, master: MasterCf): string[] {
  const values = [
    ...[...main.settings.values()].map(({ value }) => value),
    ...master.services.flatMap(settingsOn).map(({ value }) => value),
  ];
  const mentioned = new Set(
    values.flatMap(mentionedNames).map(({ text }) => text),
  );
  return [...main.settings.keys()].filter((name) => mentioned.has(name));
}

/** What is printed, line by line. */
class Answer {
  readonly #configuration: Configuration;
  readonly #request: ConfigRequest;
  readonly #scope: Scope;
  readonly #lines: string[] = [];
  #exitCode: ExitCode = EX.OK;

  constructor(configuration: Configuration, request: ConfigRequest) {
    this.#configuration = configuration;
    this.#request = request;
    this.#scope = request.which === "default"
      ? configuration.defaults
      : configuration.scope;
  }

  /** Binary strings. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  get exitCode(): ExitCode {
    return this.#exitCode;
  }

  /** Adds a parameter, if there is something to print of it. */
  add(name: string): void {
    const { which, names, expanded, valuesAlone, origin, json } = this.#request;
    const scope = this.#scope;
    const value = scope.written(name);
    if (value === undefined) {
      if (names.length > 0) this.#unknown(name);
      return;
    }
    if (which === "set" && scope.setting(name) === undefined) return;
    const expansion: Expansion = expanded
      ? scope.expand(value)
      : { ok: true, text: value.text };
    if (!expansion.ok) {
      complain(formatProblem(expansion.problem));
      this.#exitCode = EX.CONFIG;
      return;
    }
    if (json) {
      this.#lines.push(jsonLine(name, withSingleBlanks(expansion.text)));
      return;
    }
    const line = valuesAlone ? expansion.text : `${name} = ${expansion.text}`;
    const place = origin ? `${toBinaryName(this.#origin(name))}: ` : "";
    this.#lines.push(`${place}${withSingleBlanks(line)}`);
  }

  #origin(name: string): string {
    const scope = this.#scope;
    const setting = scope.setting(name);
    if (setting === undefined) {
      return scope.parameter(name)?.readOnly ? "spawnd" : "default";
    }
    const { place } = setting.name;
    return place === undefined ? "spawnd" : `${place.file}:${place.line}`;
  }

  #unknown(name: string): void {
    const known = classifiedNames(this.#configuration)
      .map(([name]) => toText(name));
    const text = `${toText(name)}: unknown parameter`;
    const mend = didYouMean(toText(name), known);
    complain(`spawnd config: warning: ${formatMistake({ text, mend })}`);
  }
}

function complain(line: string): void {
  console.error(printable(line));
}

/** As postconf(1) has it since 3.11: an object for each parameter. */
function jsonLine(name: string, value: string): string {
  const object = { [toText(name)]: toText(value) };
  return fromText(printableJson(JSON.stringify(object)));
}

/** White space as postconf(1) shows it. */
function withSingleBlanks(line: string): string {
  return line.split(/[ \t\r\n]+/).filter((word) => word !== "").join(" ");
}

/** Prints lines byte by byte, whatever their character set. */
function print(lines: readonly string[]): void {
  let bytes = toBytes(lines.map((line) => `${line}\n`).join(""));
  try {
    while (bytes.length > 0) {
      bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
    }
  } catch (error) {
    // Whoever stops reading has what was wanted.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
