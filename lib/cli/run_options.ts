/**
 * The command line of `spawnd run`: its options, and what they say, checked
 * as far as words go.
 *
 * @module
 */

import type { EnvironmentEntry } from "../config/environment_list.ts";
import type { EngineName } from "../engine/engine.ts";
import type { LogFormat } from "../log/log.ts";
import { EX, failure, type Result, success } from "../result.ts";
import {
  ENGINES,
  FD_MAX,
  LOG_FORMATS,
  STOP_TIMEOUT_OPTION,
  ValueReader,
} from "./option_values.ts";
import { nearestWord, type OptionSpec, parseOptions } from "./options.ts";

const DEFAULT_TIME_LIMIT_SECONDS = 1000;
const DEFAULT_MAX_PROCESSES = 100;
const DEFAULT_EXPORT_ENVIRONMENT = "TZ MAIL_CONFIG LANG";
const DEFAULT_OWNER = "daemon";
const DEFAULT_BACKLOG = 1024;
const DEFAULT_SOCKET_MODE = "0666";

/** More processes, or waiting connections, than any kernel has. */
const COUNT_MAX = 2 ** 22;

/** The options of `spawnd run`. */
export const RUN_OPTIONS: readonly OptionSpec[] = [
  {
    name: "time-limit",
    value: "TIME",
    help:
      `how long a command may run: 90, 5m, 2h (${DEFAULT_TIME_LIMIT_SECONDS}s)`,
  },
  {
    name: "max-processes",
    value: "N",
    help: `commands at once, 0 for no limit (${DEFAULT_MAX_PROCESSES})`,
  },
  {
    name: "export-environment",
    value: "LIST",
    help: `names, name=value words ("${DEFAULT_EXPORT_ENVIRONMENT}")`,
  },
  {
    name: "engine",
    value: "NAME",
    help: "direct, or relay (direct where possible)",
  },
  {
    name: "owner",
    value: "USER",
    help: `whose effective ids the daemon has (${DEFAULT_OWNER})`,
  },
  {
    name: "backlog",
    value: "N",
    help: `connections that may wait (${DEFAULT_BACKLOG})`,
  },
  {
    name: "socket-mode",
    value: "MODE",
    help: `of a unix socket (${DEFAULT_SOCKET_MODE})`,
  },
  {
    name: "socket-owner",
    value: "USER[:GROUP]",
    help: "of a unix socket (root)",
  },
  STOP_TIMEOUT_OPTION,
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
  readonly type: "inet" | "unix";
  readonly name: string;
  readonly attributes: readonly string[];
  readonly timeLimitMs: number;
  readonly maxProcesses: number;
  readonly exportEnvironment: readonly EnvironmentEntry[];
  readonly engine: EngineName | undefined;
  readonly owner: string;
  readonly backlogConnections: number;
  readonly socketMode: number;
  readonly socketOwner: string | undefined;
  readonly logFormat: LogFormat;
  readonly readyFd: number | undefined;
  /** How long a stop waits for commands; 0 for no limit. */
  readonly stopTimeoutMs: number;
  readonly verbose: boolean;
}

const TYPES = ["inet", "unix"] as const;

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
  const request: RunRequest = {
    type: reader.type(type),
    name: name ?? "",
    attributes: [...attributes, ...command],
    timeLimitMs: 1000 *
      (reader.time("time-limit") ?? DEFAULT_TIME_LIMIT_SECONDS),
    maxProcesses: reader.count("max-processes", COUNT_MAX) ??
      DEFAULT_MAX_PROCESSES,
    exportEnvironment: reader.environment(
      "export-environment",
      DEFAULT_EXPORT_ENVIRONMENT,
    ),
    engine: reader.choice("engine", ENGINES),
    owner: values.get("owner") ?? DEFAULT_OWNER,
    backlogConnections: reader.count("backlog", COUNT_MAX) ?? DEFAULT_BACKLOG,
    socketMode: reader.mode("socket-mode", DEFAULT_SOCKET_MODE),
    socketOwner: values.get("socket-owner"),
    logFormat: reader.choice("log-format", LOG_FORMATS) ?? "text",
    readyFd: reader.count("ready-fd", FD_MAX),
    stopTimeoutMs: 1000 * (reader.time("stop-timeout", { min: 0 }) ?? 0),
    verbose: flags.has("verbose"),
  };
  if (request.type === "inet") reader.onlyUnix(["socket-mode", "socket-owner"]);
  if (name === undefined || /^(?:user|argv)=/i.test(name)) reader.noName(type);
  return reader.mistake === undefined
    ? success(request)
    : failure(reader.mistake);
}

/** Reads what only `spawnd run` has. */
class RunReader extends ValueReader {
  readonly #values: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, string>) {
    super(values);
    this.#values = values;
  }

  type(word: string | undefined): RunRequest["type"] {
    const type = TYPES.find((known) => known === word);
    if (type !== undefined) return type;
    const nearest = nearestWord(word ?? "", TYPES);
    this.wrong(
      word === undefined ? "missing service type" : `bad service type: ${word}`,
      nearest === undefined
        ? "the first word is inet or unix"
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

  onlyUnix(options: readonly string[]): void {
    for (const option of options) {
      if (!this.#values.has(option)) continue;
      this.bad(option, "only for unix services", "leave it out");
    }
  }
}
