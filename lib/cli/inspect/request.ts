/**
 * The command line of the subcommands that look at a whole configuration:
 * `spawnd check` and `spawnd services`.
 *
 * @module
 */

import { EX, failure, type Result, success } from "../../result.ts";
import {
  optionLines,
  type OptionSpec,
  parseOptions,
} from "../shared/options.ts";
import { CONFIG_OPTION, configDirectory } from "../serve/request.ts";

/** Their options. */
export const INSPECT_OPTIONS: readonly OptionSpec[] = [
  CONFIG_OPTION,
  { name: "json", help: "one array, for programs" },
  { name: "help", help: "show this" },
];

/** The help of `spawnd check`. */
export const CHECK_HELP = `\
  spawnd check
  spawnd check -c /etc/postfix

Usage: spawnd check [options]
Prints every error and warning there is about main.cf and master.cf, one a line,
as FILE:LINE:COLUMN: level: text (mend), and nothing where there is none. With
an error, spawnd serve would serve nothing, and the exit code is 78.

${optionLines(INSPECT_OPTIONS)}
`;

/** The help of `spawnd services`. */
export const SERVICES_HELP = `\
  spawnd services
  spawnd services -c /etc/postfix --json

Usage: spawnd services [options]
Prints the services as spawnd serve would run them. Where it would serve
nothing, prints the errors instead, to standard error; the exit code is 78.

${optionLines(INSPECT_OPTIONS)}
`;

/** What a command line asks for. */
export interface InspectRequest {
  readonly directory: string;
  readonly json: boolean;
}

/**
 * Reads the command line.
 *
 * @param args The words after the subcommand.
 * @returns The request, or `"help"` where that was asked for.
 */
export function parseInspectRequest(
  args: readonly string[],
): Result<InspectRequest | "help"> {
  const parsed = parseOptions(args, INSPECT_OPTIONS);
  if (!parsed.ok) return parsed;
  const { values, flags, words: [stray] } = parsed.value;
  if (flags.has("help")) return success("help");
  if (stray !== undefined) {
    return failure({
      text: `unexpected word: ${stray}`,
      mend: "give the configuration's directory as -c DIR",
      exitCode: EX.USAGE,
    });
  }
  const directory = configDirectory(values.get("config"));
  if (!directory.ok) return directory;
  return success({
    directory: directory.value,
    json: flags.has("json"),
  });
}
