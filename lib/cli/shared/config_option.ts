/**
 * The option that names the configuration, and what counts without it.
 *
 * @module
 */

import { type Result, success } from "../../result.ts";
import type { OptionSpec } from "./options.ts";
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
