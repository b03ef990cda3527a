/**
 * `spawnd drain`: has a daemon stop so that nobody is sent to it any more.
 *
 * @module
 */

import { GRACE_MS_MAX } from "../../observe/status_record.ts";
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
import { ValueReader } from "../shared/option_values.ts";
import {
  optionLines,
  type OptionSpec,
  type ParsedOptions,
  parseOptions,
} from "../shared/options.ts";

const MS_PER_SECOND = 1000;

/** The options of `spawnd drain`. */
export const DRAIN_OPTIONS: readonly OptionSpec[] = [
  CONFIG_OPTION,
  {
    name: "grace",
    value: "TIME",
    help: "how long it goes on to accept: 90, 5m, 2h (0)",
  },
  { name: "help", help: "show this" },
];

/** The help of `spawnd drain`. */
export const DRAIN_HELP = `\
  spawnd drain
  spawnd drain -c /etc/spawnd --grace 10s

Usage: spawnd drain [options]
Has a daemon tell at once, by spawnd status and by its metrics, that nobody is
to be sent to it. After the grace it accepts no more connections, lets commands
finish, and ends, as by SIGTERM.

${optionLines(DRAIN_OPTIONS)}
`;

/**
 * Runs the subcommand.
 *
 * @param args The words after `drain`.
 * @returns The exit code.
 */
export function drain(args: readonly string[]): ExitCode {
  const parsed = parseOptions(args, DRAIN_OPTIONS);
  if (parsed.ok && parsed.value.flags.has("help")) {
    console.log(DRAIN_HELP);
    return EX.OK;
  }
  const drained = parsed.ok ? drainDaemon(parsed.value) : parsed;
  if (!drained.ok) {
    console.error(`spawnd drain: ${formatMistake(drained.mistake)}`);
    return drained.mistake.exitCode;
  }
  console.log(drained.value);
  return EX.OK;
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
