/**
 * The command line of `spawnd serve`.
 *
 * @module
 */

import { resolve } from "@std/path/posix/resolve";
import { failure, type Result, success } from "../../result.ts";
import { EX } from "../../result.ts";
import { type OptionSpec, parseOptions } from "../shared/options.ts";
import {
  ENGINES,
  FD_MAX,
  LOG_FORMATS,
  STOP_TIMEOUT_OPTION,
  ValueReader,
} from "../shared/option_values.ts";
import type { ServeRequest } from "./serve.ts";
import { directoryVariable } from "../shared/variables.ts";
import { WAYS } from "../shared/ways.ts";

/** Where the configuration is, if neither -c nor MAIL_CONFIG says so. */
export const DEFAULT_CONFIG_DIRECTORY = WAYS.serve.directory;

/** The option that every subcommand with a configuration has. */
export const CONFIG_OPTION: OptionSpec = {
  name: "config",
  alias: "c",
  value: "DIR",
  help: `main.cf and master.cf (MAIL_CONFIG, or ${DEFAULT_CONFIG_DIRECTORY})`,
};

/** The options of `spawnd serve`. */
export const SERVE_OPTIONS: readonly OptionSpec[] = [
  CONFIG_OPTION,
  {
    name: "engine",
    value: "NAME",
    help: "direct, or relay (direct where possible)",
  },
  {
    ...STOP_TIMEOUT_OPTION,
    help: "how long a stop waits (spawnd_stop_timeout)",
  },
  { name: "log-format", value: "FORMAT", help: "text or json (text)" },
  {
    name: "pid-file",
    value: "FILE",
    help: "write the process id there (none)",
  },
  {
    name: "ready-fd",
    value: "N",
    help: "descriptor to write a newline to when it accepts",
  },
  { name: "verbose", alias: "v", help: "report each connection" },
  { name: "help", help: "show this" },
];

/**
 * Finds the configuration directory.
 *
 * @param given What the command line says.
 * @param byDefault Where it is if nothing says so.
 * @returns The directory.
 */
export function configDirectory(
  given: string | undefined,
  byDefault: string = DEFAULT_CONFIG_DIRECTORY,
): Result<string> {
  if (given !== undefined) return success(given);
  const named = directoryVariable("MAIL_CONFIG");
  return named.ok ? success(named.value ?? byDefault) : named;
}

/**
 * Reads the command line.
 *
 * @param args The words after `serve`.
 * @returns The request, or `"help"` where that was asked for.
 */
export function parseServeRequest(
  args: readonly string[],
): Result<ServeRequest | "help"> {
  const parsed = parseOptions(args, SERVE_OPTIONS);
  if (!parsed.ok) return parsed;
  const { values, flags, words: [stray] } = parsed.value;
  if (flags.has("help")) return success("help");
  if (stray !== undefined) {
    return failure({
      text: `unexpected word: ${stray}`,
      mend: "services are in the configuration; spawnd run takes them as words",
      exitCode: EX.USAGE,
    });
  }
  const directory = configDirectory(values.get("config"));
  if (!directory.ok) return directory;
  const reader = new ValueReader(values);
  const pidFile = values.get("pid-file");
  const request: ServeRequest = {
    directory: resolve(directory.value),
    isDirectoryGiven: values.has("config"),
    engine: reader.choice("engine", ENGINES),
    logFormat: reader.choice("log-format", LOG_FORMATS) ?? "text",
    pidFile: pidFile === undefined ? undefined : resolve(pidFile),
    readyFd: reader.count("ready-fd", FD_MAX),
    stopTimeoutSeconds: reader.time("stop-timeout", { min: 0 }),
    verbose: flags.has("verbose"),
  };
  return reader.mistake === undefined
    ? success(request)
    : failure(reader.mistake);
}
