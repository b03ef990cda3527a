/**
 * The command line of `spawnd config`.
 *
 * @module
 */

import { EX, failure, type Result, success } from "../../result.ts";
import { configDirectory } from "../shared/config_option.ts";
import type { ParsedOptions } from "../shared/options.ts";

const CLASSES = ["builtin", "service", "user"] as const;

/**
 * Whose a parameter is: Postfix's or spawnd's own, a service's by its name, or
 * one that main.cf makes for other values to refer to.
 */
export type ParameterClass = typeof CLASSES[number];

/** What a command line asks for. */
export interface ConfigRequest {
  readonly directory: string;
  /** All, if none is named. */
  readonly names: readonly string[];
  readonly which: "actual" | "default" | "set";
  /** Of which kinds, where none is named. */
  readonly classes: readonly ParameterClass[];
  readonly expanded: boolean;
  readonly valuesAlone: boolean;
  readonly origin: boolean;
  readonly json: boolean;
}

/**
 * Reads the command line.
 *
 * @param given What was given.
 * @returns The request.
 */
export function configRequest(
  { values, flags, words: names }: ParsedOptions,
): Result<ConfigRequest> {
  const isDefault = flags.has("defaults");
  for (const { flags: [one, other], text, mend } of EXCLUSIVE) {
    if (!flags.has(one) || !flags.has(other)) continue;
    return failure({
      text: `specify one of ${text}`,
      mend,
      exitCode: EX.USAGE,
    });
  }
  const directory = configDirectory(values.get("config"));
  if (!directory.ok) return directory;
  const classes = parseClasses(values.get("class"));
  if (!classes.ok) return classes;
  return success({
    directory: directory.value,
    names,
    which: isDefault ? "default" : flags.has("set") ? "set" : "actual",
    classes: classes.value,
    expanded: flags.has("expand"),
    valuesAlone: flags.has("values"),
    origin: flags.has("origin"),
    json: flags.has("json"),
  });
}

/** Options that do not go together. */
const EXCLUSIVE = [
  {
    flags: ["defaults", "set"],
    text: "-d -n",
    mend: "defaults are set nowhere",
  },
  {
    flags: ["defaults", "origin"],
    text: "-d --origin",
    mend: "defaults are set nowhere",
  },
  {
    flags: ["json", "values"],
    text: "-j -h",
    mend: "objects have names",
  },
  {
    flags: ["json", "origin"],
    text: "-j --origin",
    mend: "objects have names and values alone",
  },
] as const;

function parseClasses(
  list: string = "all",
): Result<readonly ParameterClass[]> {
  const words = list.split(/[, \t\r\n]+/).filter((word) => word !== "");
  const unknown = words.find((word) =>
    word !== "all" && !CLASSES.some((known) => known === word)
  );
  if (unknown !== undefined || words.length === 0) {
    return failure({
      text: `unknown -C option value "${unknown ?? ""}" in "${list}"`,
      mend: `it is all, or of ${CLASSES.join(", ")}`,
      exitCode: EX.USAGE,
    });
  }
  return success(
    CLASSES.filter((known) => words.includes("all") || words.includes(known)),
  );
}
