/**
 * The command line of `spawnd run`: its options, and what they say, checked
 * as far as words go.
 *
 * @module
 */

import { parseCount, parseMode, parseTime } from "../config/values.ts";
import type { EngineName } from "../engine/engine.ts";
import {
  commandEnvironment,
  DEFAULT_EXPORT_ENVIRONMENT,
} from "../engine/environment.ts";
import type { LogFormat } from "../log/log.ts";
import { EX, failure, type Mistake, type Result, success } from "../result.ts";
import { nearestWord, type OptionSpec, parseOptions } from "./options.ts";

const DEFAULT_TIME_LIMIT = "1000s";
const DEFAULT_MAX_PROCESSES = 100;
const DEFAULT_OWNER = "daemon";
const DEFAULT_BACKLOG = 1024;
const DEFAULT_SOCKET_MODE = "0666";

/** The shortest time that a command can be given. */
const TIME_LIMIT_MIN_SECONDS = 1;

/** More descriptors than any process has. */
const FD_MAX = 2 ** 20;

/** More processes, or waiting connections, than any kernel has. */
const COUNT_MAX = 2 ** 22;

/** The options of `spawnd run`. */
export const RUN_OPTIONS: readonly OptionSpec[] = [
  {
    name: "time-limit",
    value: "TIME",
    help: `how long a command may run: 90, 5m, 2h (${DEFAULT_TIME_LIMIT})`,
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
  readonly environment: readonly string[];
  readonly engine: EngineName | undefined;
  readonly owner: string;
  readonly backlogConnections: number;
  readonly socketMode: number;
  readonly socketOwner: string | undefined;
  readonly logFormat: LogFormat;
  readonly readyFd: number | undefined;
  readonly verbose: boolean;
}

const TYPES = ["inet", "unix"] as const;
const ENGINES = ["direct", "relay"] as const;
const LOG_FORMATS = ["text", "json"] as const;

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
  const parsed = parseOptions(ours, RUN_OPTIONS);
  if (!parsed.ok) return parsed;
  const { values, flags, words: [type, name, ...attributes] } = parsed.value;
  if (flags.has("help")) return success("help");
  const reader = new ValueReader(values);
  const request: RunRequest = {
    type: reader.type(type),
    name: name ?? "",
    attributes: [...attributes, ...command],
    timeLimitMs: 1000 * reader.time("time-limit", DEFAULT_TIME_LIMIT),
    maxProcesses: reader.count("max-processes", COUNT_MAX) ??
      DEFAULT_MAX_PROCESSES,
    environment: reader.environment("export-environment"),
    engine: reader.choice("engine", ENGINES),
    owner: values.get("owner") ?? DEFAULT_OWNER,
    backlogConnections: reader.count("backlog", COUNT_MAX) ?? DEFAULT_BACKLOG,
    socketMode: reader.mode("socket-mode", DEFAULT_SOCKET_MODE),
    socketOwner: values.get("socket-owner"),
    logFormat: reader.choice("log-format", LOG_FORMATS) ?? "text",
    readyFd: reader.count("ready-fd", FD_MAX),
    verbose: flags.has("verbose"),
  };
  if (request.type === "inet") reader.onlyUnix(["socket-mode", "socket-owner"]);
  if (name === undefined || /^(?:user|argv)=/i.test(name)) reader.noName(type);
  return reader.mistake === undefined
    ? success(request)
    : failure(reader.mistake);
}

/** Reads values and keeps the first mistake; what it returns then is unused. */
class ValueReader {
  readonly #values: ReadonlyMap<string, string>;
  mistake: Mistake | undefined;

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  type(word: string | undefined): RunRequest["type"] {
    const type = TYPES.find((known) => known === word);
    if (type !== undefined) return type;
    const nearest = nearestWord(word ?? "", TYPES);
    this.#wrong(
      word === undefined ? "missing service type" : `bad service type: ${word}`,
      nearest === undefined
        ? "the first word is inet or unix"
        : `did you mean ${nearest}?`,
    );
    return "inet";
  }

  noName(type: string | undefined): void {
    this.#wrong(
      "missing service name",
      type === "unix" ? "name the socket's path" : "name it host:port",
    );
  }

  time(option: string, byDefault: string): number {
    const text = this.#values.get(option) ?? byDefault;
    const seconds = parseTime(text, "s");
    if (seconds === undefined) {
      this.#bad(option, "bad time value or unit", "write 90, 90s, 5m or 2h");
    } else if (seconds < TIME_LIMIT_MIN_SECONDS) {
      this.#bad(
        option,
        "invalid time",
        `the minimum is ${TIME_LIMIT_MIN_SECONDS}s`,
      );
    }
    return seconds ?? 0;
  }

  count(option: string, max: number): number | undefined {
    const text = this.#values.get(option);
    if (text === undefined) return undefined;
    const count = parseCount(text, max);
    if (count === undefined) {
      this.#bad(option, "bad number", `write a whole number, 0 to ${max}`);
    }
    return count;
  }

  mode(option: string, byDefault: string): number {
    const mode = parseMode(this.#values.get(option) ?? byDefault);
    if (mode === undefined) {
      this.#bad(option, "bad mode", "write three octal digits, such as 0660");
    }
    return mode ?? 0;
  }

  choice<T extends string>(
    option: string,
    choices: readonly T[],
  ): T | undefined {
    const text = this.#values.get(option);
    if (text === undefined) return undefined;
    const choice = choices.find((known) => known === text);
    if (choice === undefined) {
      const nearest = nearestWord(text, choices);
      this.#bad(
        option,
        "unknown value",
        nearest === undefined
          ? `write ${choices.join(" or ")}`
          : `did you mean ${nearest}?`,
      );
    }
    return choice;
  }

  environment(option: string): string[] {
    const list = this.#values.get(option) ?? DEFAULT_EXPORT_ENVIRONMENT;
    try {
      return commandEnvironment(list, (name) => Deno.env.get(name));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.#bad(
        option,
        error.message,
        "write names, name=value words and { name = value } groups",
      );
      return [];
    }
  }

  onlyUnix(options: readonly string[]): void {
    for (const option of options) {
      if (!this.#values.has(option)) continue;
      this.#bad(option, "only for unix services", "leave it out");
    }
  }

  #bad(option: string, text: string, mend: string): void {
    this.#wrong(`--${option} ${this.#values.get(option)}: ${text}`, mend);
  }

  #wrong(text: string, mend: string): void {
    this.mistake ??= { text, mend, exitCode: EX.USAGE };
  }
}
