/**
 * The option that names the configuration, and what counts without it.
 *
 * @module
 */

import { EX, failure, type Result, success } from "../../result.ts";
import type { OptionSpec, ParsedOptions } from "./options.ts";
import { directoryVariable } from "./variables.ts";
import { WAYS } from "./ways.ts";

/** The option of every subcommand that has a configuration of files. */
export const CONFIG_OPTION: OptionSpec = {
  name: "config",
  alias: "c",
  value: "DIR",
  help: `main.cf and master.cf (MAIL_CONFIG, or ${WAYS.serve.directory})`,
};

/**
 * Finds the configuration directory.
 *
 * @param given What the command line says.
 * @param byDefault Where it is if nothing says so.
 * @returns The directory.
 */
export function configDirectory(
  given: string | undefined,
  byDefault: string = WAYS.serve.directory,
): Result<string> {
  if (given !== undefined) return success(given);
  const named = directoryVariable("MAIL_CONFIG");
  return named.ok ? success(named.value ?? byDefault) : named;
}

/**
 * Finds the configuration directory of a subcommand that takes no words.
 *
 * @param given What was given.
 * @param mend Where that is said which a word would say.
 * @returns The directory.
 */
export function onlyDirectory(
  { values, words: [stray] }: ParsedOptions,
  mend: string,
): Result<string> {
  if (stray === undefined) return configDirectory(values.get("config"));
  const text = `unexpected word: ${stray}`;
  return failure({ text, mend, exitCode: EX.USAGE });
}
