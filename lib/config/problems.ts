/**
 * What is wrong with a configuration, and where: one type for errors and
 * warnings of every file, so that all of them can be told at once.
 *
 * @module
 */

import type { ExitCode } from "../result.ts";
import { toText } from "./bytes.ts";

/** A part of a line of a file. */
export interface Place {
  readonly file: string;
  /** Counted from 1; 0 where the file as a whole is meant. */
  readonly line: number;
  /** Counted from 1, in characters; 0 where the file as a whole is meant. */
  readonly column: number;
  /** In characters. */
  readonly length: number;
}

/** How bad it is: with an error, nothing is served. */
export type Level = "error" | "warning";

/** Something that the administrator is to mend. */
export interface Problem extends Place {
  readonly level: Level;
  /** What is wrong. Log watchers match on it: nothing is appended to it. */
  readonly text: string;
  /** What to do about it, as one phrase. */
  readonly mend?: string | undefined;
  /** The exit code of who has written it on a command line. */
  readonly exitCode?: ExitCode;
}

/** Where problems go as they are found. */
export type Report = (problem: Problem) => void;

/** As many errors of one file as anybody mends at a time. */
const ERRORS_MAX = 1000;

/** The problems found in reading a file, until that is hopeless. */
export class Findings {
  readonly problems: Problem[] = [];
  #errors = 0;

  /** Adds a problem. */
  readonly report: Report = (problem) => {
    this.problems.push(problem);
    if (problem.level === "error") this.#errors++;
  };

  /**
   * Tells whether to go on reading. If not, that is itself a problem.
   *
   * @param place Where reading would go on.
   * @returns Whether there are few enough errors.
   */
  goesOn(place: Place): boolean {
    if (this.#errors < ERRORS_MAX) return true;
    this.report(problemInText(place, {
      text: `more than ${ERRORS_MAX} errors: the rest is not looked at`,
      mend: "mend the first ones",
    }));
    return false;
  }
}

/** What is said of a place. */
export interface Finding {
  readonly level?: Level;
  readonly text: string;
  readonly mend?: string | undefined;
  readonly exitCode?: ExitCode;
}

/**
 * Makes a problem of what was read.
 *
 * @param place Where.
 * @param finding What, as binary strings; an error unless it says otherwise.
 * @returns The problem.
 */
export function problemAt(place: Place, finding: Finding): Problem {
  const { text, mend } = finding;
  return problemInText(place, {
    ...finding,
    text: toText(text),
    mend: mend === undefined ? undefined : toText(mend),
  });
}

/**
 * Makes a problem of what is text already.
 *
 * @param place Where.
 * @param finding What; an error unless it says otherwise.
 * @returns The problem.
 */
export function problemInText(place: Place, finding: Finding): Problem {
  const { level = "error", mend, exitCode } = finding;
  const text = shortened(finding.text);
  const { file, line, column, length } = place;
  return {
    ...{ level, file, line, column, length, text },
    ...mend === undefined ? {} : { mend },
    ...exitCode === undefined ? {} : { exitCode },
  };
}

/** What a text quotes may be as long as a file. */
const TEXT_LENGTH_MAX = 1000;

function shortened(text: string): string {
  return text.length > TEXT_LENGTH_MAX
    ? `${text.slice(0, TEXT_LENGTH_MAX)}...`
    : text;
}

/**
 * The place that means a file as a whole.
 *
 * @param file Its name.
 * @returns The place.
 */
export function wholeFile(file: string): Place {
  return { file, line: 0, column: 0, length: 0 };
}

/**
 * Orders problems by file and place. One that many services share is told
 * once.
 *
 * @param problems The problems.
 * @returns The same, in order; those of one place stay as they were.
 */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const different = new Map(
    problems.map((problem) => [formatProblem(problem), problem]),
  );
  return [...different.values()].sort((a, b) =>
    (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
    a.line - b.line || a.column - b.column
  );
}

/**
 * Writes a problem on one line.
 *
 * @param problem The problem.
 * @returns `FILE:LINE:COLUMN: LEVEL: TEXT (MEND)`, as far as there is any.
 */
export function formatProblem(problem: Problem): string {
  const { level, file, line, column, text, mend } = problem;
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return `${place}: ${level}: ${text}${mend === undefined ? "" : ` (${mend})`}`;
}
