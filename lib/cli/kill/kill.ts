/**
 * `spawnd kill`: ends commands by hand, and says which.
 *
 * @module
 */

import { printable } from "../../log/printable.ts";
import type { CommandStatus } from "../../observe/status_record.ts";
import { EX, failure, type Result, success } from "../../result.ts";
import { askDaemon, findDaemon } from "../shared/ask_daemon.ts";
import { configDirectory } from "../shared/config_option.ts";
import type { ParsedOptions } from "../shared/options.ts";
import type { Outcome } from "../shared/subcommand.ts";

/**
 * Runs the subcommand.
 *
 * @param given What was given.
 * @returns The exit code.
 */
export function kill({ words, values }: ParsedOptions): Outcome {
  const ended = endCommands(words, values.get("config"));
  if (!ended.ok) return ended;
  for (const line of ended.value) console.log(line);
  return success(EX.OK);
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
