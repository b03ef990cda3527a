/**
 * The command line of `spawnd status`.
 *
 * @module
 */

import { EX, failure, type Result, success } from "../../result.ts";
import { CONFIG_OPTION, configDirectory } from "../serve/request.ts";
import {
  optionLines,
  type OptionSpec,
  parseOptions,
} from "../shared/options.ts";

/** The options of `spawnd status`. */
export const STATUS_OPTIONS: readonly OptionSpec[] = [
  CONFIG_OPTION,
  { name: "json", help: "print one object" },
  { name: "watch", alias: "w", help: "show it anew each second" },
  { name: "help", help: "show this" },
];

/** The help of `spawnd status`. */
export const STATUS_HELP = `\
  spawnd status
  spawnd status -c /etc/spawnd --watch

Usage: spawnd status [options]
Tells what a running spawnd serve does: its services, how many commands each
runs, how many clients wait, what came of those before, and the commands. It
answers root, and who has started it. The exit code is 1 while it drains or
stops, and 71 if it does not answer.

${optionLines(STATUS_OPTIONS)}
`;

/** What a command line asks for. */
export interface StatusRequest {
  readonly directory: string;
  readonly json: boolean;
  readonly watch: boolean;
}

/**
 * Reads the command line.
 *
 * @param args The words after `status`.
 * @returns The request, or `"help"` where that was asked for.
 */
export function parseStatusRequest(
  args: readonly string[],
): Result<StatusRequest | "help"> {
  const parsed = parseOptions(args, STATUS_OPTIONS);
  if (!parsed.ok) return parsed;
  const { values, flags, words: [stray] } = parsed.value;
  if (flags.has("help")) return success("help");
  if (stray !== undefined) {
    return failure({
      text: `unexpected word: ${stray}`,
      mend: "the configuration says which daemon is meant: -c DIR",
      exitCode: EX.USAGE,
    });
  }
  const directory = configDirectory(values.get("config"));
  if (!directory.ok) return directory;
  return success({
    directory: directory.value,
    json: flags.has("json"),
    watch: flags.has("watch"),
  });
}
