/**
 * The command line: the table of subcommands, from which they are dispatched,
 * and from which help, completion and manual are made.
 *
 * The door of lib/cli, which imports from all other rooms: it makes a
 * `DaemonPlan` of words and files, or tells every mistake in them, and is the
 * only one that prints.
 *
 * Each has a folder, whose `subcommand.ts` is read first: it has no more than
 * the table needs, and finds the rest when it is asked for. A folder may use
 * `shared/`; those that serve `serving/`, those that look at a configuration
 * `inspect/`; none uses another subcommand's but for the types of its request.
 *
 * @module
 */

import { didYouMean } from "../did_you_mean.ts";
import { printable } from "../log/printable.ts";
import { EX, type ExitCode, formatMistake } from "../result.ts";
import { CHECK } from "./check/subcommand.ts";
import { COMPLETION } from "./completion/subcommand.ts";
import { CONFIG } from "./config/subcommand.ts";
import { DRAIN } from "./drain/subcommand.ts";
import { IMPORT } from "./import/subcommand.ts";
import { INSTALL_POSTFIX } from "./install_postfix/subcommand.ts";
import { KILL } from "./kill/subcommand.ts";
import { RELOAD } from "./reload/subcommand.ts";
import { RUN } from "./run/subcommand.ts";
import { SELF_TEST } from "./self_test/subcommand.ts";
import { SERVE } from "./serve/subcommand.ts";
import { SERVICES } from "./services/subcommand.ts";
import { helpOf, mainHelp } from "./shared/help.ts";
import { HELP_OPTION, parseOptions } from "./shared/options.ts";
import { STATUS } from "./status/subcommand.ts";
import type { Program, Subcommand } from "./shared/subcommand.ts";

const ALL: readonly Subcommand[] = [
  RUN,
  SERVE,
  RELOAD,
  STATUS,
  KILL,
  DRAIN,
  CHECK,
  CONFIG,
  SERVICES,
  INSTALL_POSTFIX,
  IMPORT,
  COMPLETION,
  SELF_TEST,
];

/** The program. */
export const PROGRAM: Program = {
  options: [
    { name: "version", help: "tell version, revision, runtime and engine" },
    HELP_OPTION,
  ],
  subcommands: ALL.filter(({ isHidden }) => !isHidden),
};

/**
 * Runs what the first word says.
 *
 * @param words The words after the program.
 * @returns The exit code.
 */
export async function runWords(
  [word, ...rest]: readonly string[],
): Promise<ExitCode | 1> {
  const which = ALL.find(({ name }) => name === word);
  if (which !== undefined) return await runSubcommand(which, rest);
  switch (word) {
    case "--version": {
      const { versionLine } = await import("./shared/version.ts");
      console.log(versionLine());
      return EX.OK;
    }
    case "--help":
    case undefined:
      console.log(mainHelp(PROGRAM));
      return word === undefined ? EX.USAGE : EX.OK;
  }
  const mend = didYouMean(word, [
    ...PROGRAM.subcommands.map(({ name }) => name),
    ...PROGRAM.options.map(({ name }) => `--${name}`),
  ]) ?? `"spawnd --help" shows what there is`;
  console.error(`spawnd: unknown word: ${word} (${mend})`);
  return EX.USAGE;
}

/**
 * Runs a subcommand: its words are read, help is given where that is asked for,
 * and what is wrong is told on one line.
 */
async function runSubcommand(
  which: Subcommand,
  args: readonly string[],
): Promise<ExitCode | 1> {
  const given = parseOptions(args, which);
  const isLost = which.needsWords && args.length === 0;
  if (isLost || (given.ok && given.value.flags.has(HELP_OPTION.name))) {
    console.log(helpOf(which));
    return isLost ? EX.USAGE : EX.OK;
  }
  let outcome;
  if (given.ok) {
    const act = await which.load();
    outcome = await act(given.value, PROGRAM);
  } else outcome = given;
  if (outcome.ok) return outcome.value;
  const text = printable(formatMistake(outcome.mistake));
  console.error(`spawnd ${which.name}: ${text}`);
  return outcome.mistake.exitCode;
}
