/**
 * `spawnd check`: every error and warning that there is about a configuration.
 *
 * @module
 */

import { bold, red, yellow } from "@std/fmt/colors";
import { resolve } from "@std/path/posix/resolve";
import { toText } from "../../config/bytes.ts";
import type { Configuration } from "../../config/configuration.ts";
import {
  type Finding,
  formatProblem,
  inOrder,
  type Level,
  type Problem,
  problemInText,
  type Report,
  wholeFile,
} from "../../config/problems.ts";
import type { CheckedService } from "../../config/services.ts";
import { printable, printableJson } from "../../log/printable.ts";
import { EX, success } from "../../result.ts";
import { reportCommand } from "../inspect/find_command.ts";
import { inspect, type Inspection, isError } from "../inspect/inspect.ts";
import { inspectRequest } from "../inspect/request.ts";
import type { ParsedOptions } from "../shared/options.ts";
import type { Outcome } from "../shared/subcommand.ts";
import { reportPolicyClients } from "./policy_clients.ts";
import { stepsTo, writersOf } from "../inspect/writers.ts";

const COLOURS: Readonly<Record<Level, (text: string) => string>> = {
  error: red,
  warning: yellow,
};

/**
 * Runs the subcommand.
 *
 * @param given What was given.
 * @returns The exit code.
 */
export function check(given: ParsedOptions): Outcome {
  const request = inspectRequest(given);
  if (!request.ok) return request;
  const { directory, json } = request.value;
  const inspection = inspect(directory);
  const problems = allProblems(inspection);
  if (json) {
    const told = problems.map(({ exitCode: _, ...problem }) => problem);
    console.log(printableJson(JSON.stringify(told)));
  } else {
    const { sources } = inspection.configuration;
    const lines = new Map(
      [...sources].map(([file, binary]) => [file, toText(binary).split("\n")]),
    );
    const show = Deno.stdout.isTerminal()
      ? (problem: Problem) => withSource(problem, lines)
      : (problem: Problem) => printable(formatProblem(problem));
    for (const problem of problems) console.log(show(problem));
  }
  return success(problems.some(isError) ? EX.CONFIG : EX.OK);
}

function allProblems(inspection: Inspection): Problem[] {
  const { configuration, services, problems: found } = inspection;
  const problems = [...found];
  const report: Report = (problem) => {
    problems.push(problem);
  };
  reportWritableFiles(configuration, report);
  const queueDirectory =
    configuration.scope.string("queue_directory", report) ?? "/";
  if (services.length > 0) {
    reportQueueDirectory(configuration, queueDirectory, report);
  }
  for (const { service } of services) {
    reportCommand(service, queueDirectory, report);
    reportNoLimit(service, report);
  }
  reportPolicyClients(configuration, services, report);
  return inOrder(problems);
}

function reportWritableFiles(
  { directory, main, master }: Configuration,
  report: Report,
): void {
  const seen = new Set<string>();
  for (const file of [directory, main.file, master.file]) {
    const steps = stepsOrNone(resolve(file))
      .filter(({ path }) => !seen.has(path));
    for (const { path } of steps) seen.add(path);
    reportWriters(
      steps,
      (finding) => report(problemInText(wholeFile(file), finding)),
    );
  }
}

/** Whoever may write to it can put another in the place of a socket. */
function reportQueueDirectory(
  { scope }: Configuration,
  queueDirectory: string,
  report: Report,
): void {
  const place = scope.place("queue_directory");
  reportWriters(
    stepsOrNone(queueDirectory),
    ({ text, ...finding }) =>
      report(problemInText(place, {
        ...finding,
        text: `queue_directory ${queueDirectory} is ${text}`,
      })),
  );
}

function reportWriters(
  steps: ReturnType<typeof stepsTo>,
  warn: (finding: Finding) => void,
): void {
  for (const step of steps) {
    const writers = writersOf(step);
    if (writers === undefined) continue;
    warn({
      level: "warning",
      text: `writable by ${writers}`,
      mend: `let only root write to ${step.path}`,
    });
  }
}

/** What cannot be read is an error already. */
function stepsOrNone(path: string): ReturnType<typeof stepsTo> {
  try {
    return stepsTo(path);
  } catch {
    return [];
  }
}

function reportNoLimit(
  { maxProcesses, places }: CheckedService,
  report: Report,
): void {
  if (maxProcesses !== 0) return;
  report(problemInText(places.maxProcesses, {
    level: "warning",
    text: "no limit to the number of commands",
    mend: "maxproc 0 lets clients start as many as they like: write a number",
  }));
}

/** A problem as a terminal shows it, with the line that it is about. */
function withSource(
  problem: Problem,
  lines: ReadonlyMap<string, readonly string[]>,
): string {
  const { level, file, line, column, length } = problem;
  const told = printable(formatProblem(problem))
    .replace(`: ${level}: `, `: ${bold(COLOURS[level](level))}: `);
  const source = lines.get(file)?.[line - 1];
  if (source === undefined) return told;
  const characters = [...source];
  const at = column - 1;
  const end = Math.min(at + length, at + AROUND);
  const [before, marked, after] = [
    characters.slice(Math.max(0, at - AROUND), at),
    characters.slice(at, end),
    characters.slice(end, end + AROUND),
  ].map(shown);
  const caret = "^".padEnd(marked?.length ?? 0, "~");
  return `${told}\n    ${before}${marked}${after}\n    ` +
    " ".repeat(before?.length ?? 0) + COLOURS[level](caret);
}

/** How much of a long line is shown on either side, in characters. */
const AROUND = 200;

/** As wide as it looks, tabs and control characters too. */
function shown(characters: readonly string[]): string {
  return printable(characters.join("").replaceAll("\t", " "));
}
