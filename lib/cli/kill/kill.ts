/**
 * `spawnd kill`: ends commands by hand, and says which.
 *
 * @module
 */

import { printable } from "../../log/printable.ts";
import type { CommandStatus } from "../../observe/status_record.ts";
import {
  EX,
  type ExitCode,
  failure,
  formatMistake,
  type Result,
  success,
} from "../../result.ts";
import { CONFIG_OPTION, configDirectory } from "../serve/request.ts";
import { askDaemon, findDaemon } from "../shared/ask_daemon.ts";
import {
  optionLines,
  type OptionSpec,
  parseOptions,
} from "../shared/options.ts";

/** The options of `spawnd kill`. */
export const KILL_OPTIONS: readonly OptionSpec[] = [
  CONFIG_OPTION,
  { name: "help", help: "show this" },
];

/** The help of `spawnd kill`. */
export const KILL_HELP = `\
  spawnd kill policy
  spawnd kill -c /etc/spawnd 4711

Usage: spawnd kill [options] SERVICE|PID
Ends the commands of a service that run now, or one of them by its process id,
and says which: SIGTERM for the process group of each, and SIGKILL five seconds
later. Nothing but a running command of the daemon is ever signalled. Where a
name is that of several services, NAME/TYPE is one.

${optionLines(KILL_OPTIONS)}
`;

/**
 * Runs the subcommand.
 *
 * @param args The words after `kill`.
 * @returns The exit code.
 */
export function kill(args: readonly string[]): ExitCode {
  const parsed = parseOptions(args, KILL_OPTIONS);
  if (parsed.ok && parsed.value.flags.has("help")) {
    console.log(KILL_HELP);
    return EX.OK;
  }
  const ended = parsed.ok
    ? endCommands(parsed.value.words, parsed.value.values.get("config"))
    : parsed;
  if (!ended.ok) {
    console.error(`spawnd kill: ${formatMistake(ended.mistake)}`);
    return ended.mistake.exitCode;
  }
  for (const line of ended.value) console.log(line);
  return EX.OK;
}

function endCommands(
  [what, stray]: readonly string[],
  config: string | undefined,
): Result<string[]> {
  if (what === undefined || stray !== undefined) {
    return failure({
      text: what === undefined
        ? "missing service or process id"
        : `unexpected word: ${stray}`,
      mend: "spawnd status shows what there is",
      exitCode: EX.USAGE,
    });
  }
  const directory = configDirectory(config);
  if (!directory.ok) return directory;
  const daemon = findDaemon(directory.value);
  if (!daemon.ok) return daemon;
  const asked = askDaemon(daemon.value, { ask: "kill", what });
  if (!asked.ok) return asked;
  const lines = asked.value.flatMap((record) =>
    record.kind === "command" ? [lineOf(record)] : []
  );
  return success(
    lines.length > 0 ? lines : [`no command of ${printable(what)} runs`],
  );
}

function lineOf({ service, pid, client, ageSeconds }: CommandStatus): string {
  const from = client === "" ? "" : ` for ${client}`;
  return printable(
    `${service}: process id ${pid}${from} is ended, after ${ageSeconds} s`,
  );
}
