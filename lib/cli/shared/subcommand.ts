/**
 * What a subcommand is.
 *
 * @module
 */

import type { ExitCode, Result } from "../../result.ts";
import {
  type CommandLine,
  HELP_OPTION,
  type OptionSpec,
  type ParsedOptions,
} from "./options.ts";

/** What is said of something that has a name. */
export interface Item {
  readonly term: string;
  readonly text: string;
}

/** A subcommand, as far as it is known without the modules that do it. */
export interface Subcommand extends CommandLine {
  readonly name: string;
  /** The words after it, beside options. */
  readonly synopsis: string;
  /** What it is for, as one phrase. */
  readonly summary: string;
  /** Command lines, without the program, the most wanted first. */
  readonly examples: readonly string[];
  /**
   * What is to be known of it, for its help as for the manual: in a paragraph
   * what it does, then items, then all else. In texts, `` `this` `` is to be
   * typed as it is, and `<THIS>` stands for something else.
   */
  readonly about: readonly (string | Item)[];
  /** What its first word may be, where that is known. */
  readonly words: readonly string[];
  /** Whether the others may be that as well. */
  readonly many?: true;
  /** Whether it has nothing to do without words. */
  readonly needsWords?: true;
  /** Whether nobody is told of it: it is for tests. */
  readonly isHidden?: true;
  /** Finds what it does. */
  readonly load: () => Promise<Act>;
}

/** The whole command line. */
export interface Program {
  /** Its own options. */
  readonly options: readonly OptionSpec[];
  /** All that anybody is told of, in that order. */
  readonly subcommands: readonly Subcommand[];
}

/** What came of a subcommand: an exit code, 1 being its own to explain. */
export type Outcome = Result<ExitCode | 1>;

/** What a subcommand does with what was given. */
export type Act = (
  given: ParsedOptions,
  program: Program,
) => Outcome | Promise<Outcome>;

/**
 * Makes a subcommand: every one has `--help`.
 *
 * @param parts All else.
 * @returns The subcommand.
 */
export function subcommand(parts: Subcommand): Subcommand {
  return { ...parts, options: [...parts.options, HELP_OPTION] };
}
