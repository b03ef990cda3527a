/**
 * The options that `spawnd run` and `spawnd serve` both have: those of the
 * process, whatever it serves.
 *
 * @module
 */

import type { EngineName } from "../../engine/engine.ts";
import type { LogFormat } from "../../log/log.ts";
import type { ValueReader } from "../shared/option_values.ts";
import type { OptionSpec, ParsedOptions } from "../shared/options.ts";

const ENGINES = ["direct", "relay"] as const;
const LOG_FORMATS = ["text", "json"] as const;

/** More descriptors than any process has. */
const FD_MAX = 2 ** 20;

/** Which engine runs the commands. */
export const ENGINE_OPTION: OptionSpec = {
  name: "engine",
  value: "NAME",
  choices: ENGINES,
  help: "direct, or relay (direct where possible)",
};

/** The others. */
export const PROCESS_OPTIONS: readonly OptionSpec[] = [
  {
    name: "log-format",
    value: "FORMAT",
    choices: LOG_FORMATS,
    help: "text or json (text)",
  },
  {
    name: "ready-fd",
    value: "N",
    help: "descriptor to write a newline to when it accepts",
  },
  { name: "verbose", alias: "v", help: "report each connection" },
];

/** What they ask for. */
export interface ProcessRequest {
  readonly engine: EngineName | undefined;
  readonly logFormat: LogFormat;
  readonly readyFd: number | undefined;
  readonly verbose: boolean;
}

/**
 * Reads what they ask for.
 *
 * @param given What was given.
 * @param reader Reads values, and keeps what is wrong.
 * @returns It.
 */
export function processRequest(
  { flags }: ParsedOptions,
  reader: ValueReader,
): ProcessRequest {
  return {
    engine: reader.choice("engine", ENGINES),
    logFormat: reader.choice("log-format", LOG_FORMATS) ?? "text",
    readyFd: reader.count("ready-fd", FD_MAX),
    verbose: flags.has("verbose"),
  };
}
