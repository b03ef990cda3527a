/**
 * The command line of `spawnd run`: what it says, checked as far as words go.
 *
 * @module
 */

import type { OptionSetting } from "../../config/one_entry.ts";
import { COUNT_MAX } from "../../config/parameters.ts";
import { didYouMean } from "../../did_you_mean.ts";
import { failure, type Result, success } from "../../result.ts";
import { type ProcessRequest, processRequest } from "../serving/options.ts";
import { ValueReader } from "../shared/option_values.ts";
import type { ParsedOptions } from "../shared/options.ts";
import { optionSettings } from "./parameter_options.ts";

/** What a command line asks for. */
export interface RunRequest extends ProcessRequest {
  /** `stdin` for the one connection that is standard input. */
  readonly type: typeof TYPES[number];
  readonly name: string;
  readonly attributes: readonly string[];
  /** `undefined` for as many as by default. */
  readonly maxProcesses: number | undefined;
  /** What its options set. */
  readonly settings: readonly OptionSetting[];
}

const TYPES = ["inet", "unix", "udp", "stdin"] as const;

/**
 * Reads the command line.
 *
 * @param given What was given.
 * @returns The request.
 */
export function runRequest(given: ParsedOptions): Result<RunRequest> {
  const { values, flags, words: [type, ...others] } = given;
  const reader = new RunReader(values);
  const transport = reader.type(type);
  const [name, ...attributes] = transport === "stdin"
    ? ["stdin", ...others]
    : others;
  const request: RunRequest = {
    type: transport,
    name: name ?? "",
    attributes,
    settings: optionSettings({ values, flags, reader, transport }),
    maxProcesses: reader.count("max-processes", COUNT_MAX),
    ...processRequest(given, reader),
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
    this.wrong(
      word === undefined ? "missing service type" : `bad service type: ${word}`,
      didYouMean(word ?? "", TYPES) ??
        "the first word is inet, unix, udp or stdin",
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
