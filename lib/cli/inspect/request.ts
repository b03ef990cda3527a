/**
 * The command line of the subcommands that look at a whole configuration:
 * `spawnd check` and `spawnd services`.
 *
 * @module
 */

import { type Result, success } from "../../result.ts";
import { CONFIG_OPTION, onlyDirectory } from "../shared/config_option.ts";
import type { OptionSpec, ParsedOptions } from "../shared/options.ts";

/** Their options. */
export const INSPECT_OPTIONS: readonly OptionSpec[] = [
  CONFIG_OPTION,
  { name: "json", help: "one array, for programs" },
];

/** What a command line asks for. */
export interface InspectRequest {
  readonly directory: string;
  readonly json: boolean;
}

/**
 * Reads the command line.
 *
 * @param given What was given.
 * @returns The request.
 */
export function inspectRequest(
  given: ParsedOptions,
): Result<InspectRequest> {
  const directory = onlyDirectory(
    given,
    "give the configuration's directory as -c DIR",
  );
  if (!directory.ok) return directory;
  return success({
    directory: directory.value,
    json: given.flags.has("json"),
  });
}
