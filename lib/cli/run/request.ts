/**
 * The command line of `spawnd run`: its options, and what they say, checked
 * as far as words go.
 *
 * @module
 */

import type { OptionSetting } from "../../config/one_entry.ts";
import { COUNT_MAX } from "../../config/parameters.ts";
import type { EngineName } from "../../engine/engine.ts";
import type { LogFormat } from "../../log/log.ts";
import { EX, failure, type Result, success } from "../../result.ts";
import {
  ENGINES,
  FD_MAX,
  LOG_FORMATS,
  ValueReader,
} from "../shared/option_values.ts";
import {
  nearestWord,
  type OptionSpec,
  parseOptions,
} from "../shared/options.ts";
import { optionSettings, parameterOptions } from "./parameter_options.ts";

/** The options of `spawnd run`. */
export const RUN_OPTIONS: readonly OptionSpec[] = [
  {
    name: "max-processes",
    value: "N",
    help: "commands at once, 0 for no limit (100)",
  },
  ...parameterOptions(),
  {
    name: "engine",
    value: "NAME",
    help: "direct, or relay (direct where possible)",
  },
  { name: "log-format", value: "FORMAT", help: "text or json (text)" },
  {
    name: "ready-fd",
    value: "N",
    help: "descriptor to write a newline to when it accepts",
  },
  { name: "verbose", alias: "v", help: "report each connection" },
  { name: "help", help: "show this" },
];

/** What a command line asks for. */
export interface RunRequest {
  readonly type: typeof TYPES[number];
  readonly name: string;
  readonly attributes: readonly string[];
  /** `undefined` for as many as by default. */
  readonly maxProcesses: number | undefined;
  /** What its options set. */
  readonly settings: readonly OptionSetting[];
  readonly engine: EngineName | undefined;
  readonly logFormat: LogFormat;
  readonly readyFd: number | undefined;
  readonly verbose: boolean;
}

const TYPES = ["inet", "unix", "udp"] as const;

/** An attribute as one would write an option. */
const DASHED_ATTRIBUTE = /^--?(user|argv)(?:=|$)/i;

/**
 * Reads the command line.
 *
 * @param args The words after `run`.
 * @returns The request, or `"help"` where that was asked for.
 */
export function parseRunRequest(
  args: readonly string[],
): Result<RunRequest | "help"> {
  // All that follows argv= is the command's, its options included.
  const argvAt = args.findIndex((word) => /^argv=/i.test(word));
  const ours = argvAt < 0 ? args : args.slice(0, argvAt);
  const command = argvAt < 0 ? [] : args.slice(argvAt);
  const dashed = ours.find((word) => DASHED_ATTRIBUTE.test(word));
  if (dashed !== undefined) {
    const name = DASHED_ATTRIBUTE.exec(dashed)?.[1] ?? "";
    return failure({
      text: `unknown option: ${dashed}`,
      mend: `attributes have no dashes: write ${name.toLowerCase()}=` +
        (/^user$/i.test(name) ? "NAME" : "COMMAND, last"),
      exitCode: EX.USAGE,
    });
  }
  const parsed = parseOptions(ours, RUN_OPTIONS);
  if (!parsed.ok) return parsed;
  const { values, flags, words: [type, name, ...attributes] } = parsed.value;
  if (flags.has("help")) return success("help");
  const reader = new RunReader(values);
  const transport = reader.type(type);
  const request: RunRequest = {
    type: transport,
    name: name ?? "",
    attributes: [...attributes, ...command],
    settings: optionSettings({ values, flags, reader, transport }),
    maxProcesses: reader.count("max-processes", COUNT_MAX),
    engine: reader.choice("engine", ENGINES),
    logFormat: reader.choice("log-format", LOG_FORMATS) ?? "text",
    readyFd: reader.count("ready-fd", FD_MAX),
    verbose: flags.has("verbose"),
  };
  if (name === undefined || /^(?:user|argv)=/i.test(name)) reader.noName(type);
  return reader.mistake === undefined
    ? success(request)
    : failure(reader.mistake);
}

/** Reads what only `spawnd run` has. */
class RunReader extends ValueReader {
  type(word: string | undefined): RunRequest["type"] {
    const type = TYPES.find((known) => known === word);
    if (type !== undefined) return type;
    const nearest = nearestWord(word ?? "", TYPES);
    this.wrong(
      word === undefined ? "missing service type" : `bad service type: ${word}`,
      nearest === undefined
        ? "the first word is inet, unix or udp"
        : `did you mean ${nearest}?`,
    );
    return "inet";
  }

  noName(type: string | undefined): void {
    this.wrong(
      "missing service name",
      type === "unix" ? "name the socket's path" : "name it host:port",
    );
  }
}
