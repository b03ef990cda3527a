/**
 * The environment of a command: nothing but what was listed, and a PATH that
 * nobody can change.
 *
 * @module
 */

import type { Login } from "../config/attributes.ts";
import type { EnvironmentEntry } from "../config/environment_list.ts";

/** The PATH that every command has, and by which it is itself looked for. */
export const COMMAND_PATH: readonly string[] = ["/usr/bin", "/bin"];

/** How a variable is asked for; `undefined` if it is not set. */
export type Variables = (name: string) => string | undefined;

/**
 * Makes an environment of nothing but what a list says. The last entry for a
 * name that has a value counts.
 *
 * @param entries The list.
 * @param get How the present environment is asked.
 * @returns Values by name.
 */
export function cleanEnvironment(
  entries: readonly EnvironmentEntry[],
  get: Variables,
): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const { name, value = get(name) } of entries) {
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

/**
 * Makes what an account has in its environment when it logs in.
 *
 * @param user The account's name.
 * @param login What it has to log in by.
 * @returns Values by name.
 */
export function loginEnvironment(
  user: string,
  { home, shell }: Login,
): ReadonlyMap<string, string> {
  return new Map([
    ["HOME", home],
    ["USER", user],
    ["LOGNAME", user],
    ["SHELL", shell],
  ]);
}

/**
 * Makes a command's environment as spawn(8) does from `export_environment`:
 * what is listed, and PATH, which is always {@linkcode COMMAND_PATH}.
 *
 * @param entries The list.
 * @param get How the daemon's own environment is asked.
 * @param others Values for what is not listed.
 * @returns `NAME=VALUE` words.
 */
export function commandEnvironment(
  entries: readonly EnvironmentEntry[],
  get: Variables,
  others: ReadonlyMap<string, string> = new Map(),
): string[] {
  const values = new Map([...others, ...cleanEnvironment(entries, get)]);
  values.set("PATH", COMMAND_PATH.join(":"));
  return [...values].map(([name, value]) => `${name}=${value}`);
}
