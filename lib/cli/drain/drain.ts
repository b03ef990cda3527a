/**
 * `spawnd drain`: has a daemon stop so that nobody is sent to it any more.
 *
 * @module
 */

import { GRACE_MS_MAX } from "../../observe/status_record.ts";
import { EX, failure, type Result, success } from "../../result.ts";
import { askDaemon, findDaemon } from "../shared/ask_daemon.ts";
import { configDirectory } from "../shared/config_option.ts";
import { ValueReader } from "../shared/option_values.ts";
import type { ParsedOptions } from "../shared/options.ts";
import type { Outcome } from "../shared/subcommand.ts";

const MS_PER_SECOND = 1000;

/**
 * Runs the subcommand.
 *
 * @param given What was given.
 * @returns The exit code.
 */
export function drain(given: ParsedOptions): Outcome {
  const drained = drainDaemon(given);
  if (!drained.ok) return drained;
  console.log(drained.value);
  return success(EX.OK);
}

function drainDaemon(
  { values, words: [stray] }: ParsedOptions,
): Result<string> {
  if (stray !== undefined) {
    return failure({ text: `unexpected word: ${stray}`, exitCode: EX.USAGE });
  }
  const reader = new ValueReader(values);
  const seconds = reader.time("grace", { min: 0 }) ?? 0;
  if (seconds * MS_PER_SECOND > GRACE_MS_MAX) {
    reader.bad("grace", "longer than a day", "write 1d or less");
  }
  if (reader.mistake !== undefined) return failure(reader.mistake);
  const directory = configDirectory(values.get("config"));
  if (!directory.ok) return directory;
  const daemon = findDaemon(directory.value);
  if (!daemon.ok) return daemon;
  const graceMs = seconds * MS_PER_SECOND;
  const asked = askDaemon(daemon.value, { ask: "drain", graceMs });
  if (!asked.ok) return asked;
  const [record] = asked.value;
  const who = record?.kind === "daemon" ? `process id ${record.pid}` : "it";
  return success(
    `${who} accepts connections for ${seconds} s more, and ends when its ` +
      "commands have",
  );
}
