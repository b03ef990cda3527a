/**
 * What the scripts of all shells say of options.
 *
 * @module
 */

import type { OptionSpec } from "../shared/options.ts";

/** What can be said about the value of an option. */
export type Value =
  | { kind: "directory" | "file" | "user" | "other" }
  | { kind: "choice"; choices: readonly string[] };

/**
 * Tells what a shell may offer as the value of an option.
 *
 * @param option The option.
 * @returns What it may be.
 */
export function valueOf({ value, choices }: OptionSpec): Value {
  if (choices !== undefined) return { kind: "choice", choices };
  if (value === "DIR") return { kind: "directory" };
  if (value === "FILE") return { kind: "file" };
  return { kind: value?.startsWith("USER") ? "user" : "other" };
}

/**
 * Gives an option's names with their dashes.
 *
 * @param option The option.
 * @returns One or two words.
 */
export function wordsOf({ name, alias }: OptionSpec): string[] {
  return alias === undefined ? [`--${name}`] : [`-${alias}`, `--${name}`];
}

/**
 * Puts a text in single quotes that bash, zsh and fish read alike.
 *
 * @param text The text.
 * @returns A word of a script.
 */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}
