/**
 * `spawnd config`: the values of parameters, in the format of postconf(1).
 *
 * @module
 */

import { fromText, toBytes, toText } from "../config/bytes.ts";
import type { Expansion } from "../config/expand.ts";
import { type Configuration, loadConfiguration } from "../config/load.ts";
import { PARAMETERS, timeLimitParameter } from "../config/parameters.ts";
import { formatProblem } from "../config/problems.ts";
import type { Scope } from "../config/settings.ts";
import { printable } from "../log/printable.ts";
import { EX, type ExitCode, formatMistake } from "../result.ts";
import {
  CONFIG_HELP,
  type ConfigRequest,
  parseConfigRequest,
} from "./config_options.ts";
import { isError } from "./inspect.ts";
import { nearestWord } from "./options.ts";
import { thisMachine } from "./this_machine.ts";

/**
 * Runs the subcommand.
 *
 * @param args The words after `config`.
 * @returns The exit code.
 */
export function config(args: readonly string[]): ExitCode {
  const request = parseConfigRequest(args);
  if (!request.ok) {
    console.error(`spawnd config: ${formatMistake(request.mistake)}`);
    return request.mistake.exitCode;
  }
  if (request.value === "help") {
    console.log(CONFIG_HELP);
    return EX.OK;
  }
  const configuration = loadConfiguration(
    request.value.directory,
    (path) => Deno.readFileSync(path),
    { machine: thisMachine },
  );
  const unreadable = unreadableProblems(configuration);
  if (request.value.which !== "default" && unreadable.length > 0) {
    for (const problem of unreadable) complain(formatProblem(problem));
    return EX.CONFIG;
  }
  const answer = new Answer(configuration, request.value);
  const names = request.value.names.map(toBinaryName);
  for (const name of names.length > 0 ? names : knownNames(configuration)) {
    answer.add(name);
  }
  print(answer.lines);
  return answer.exitCode;
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

/** The parameters that there are, and whatever main.cf sets, in byte order. */
function knownNames({ main, master, scope }: Configuration): string[] {
  const timeLimits = master.services
    .map(({ name }) => timeLimitParameter(name.text).name)
    .filter((name) => scope.parameter(name) !== undefined);
  return [
    ...new Set([
      ...PARAMETERS.map(({ name }) => name),
      ...timeLimits,
      ...main.settings.keys(),
    ]),
  ].sort();
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
    const { which, names, expanded, valuesAlone, origin } = this.#request;
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
    const nearest = nearestWord(
      toText(name),
      knownNames(this.#configuration).map(toText),
    );
    complain(
      `spawnd config: warning: ${toText(name)}: unknown parameter` +
        (nearest === undefined ? "" : ` (did you mean ${nearest}?)`),
    );
  }
}

function complain(line: string): void {
  console.error(printable(line));
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
