/**
 * The environment of a command: nothing but what was listed, and a PATH that
 * nobody can change.
 *
 * @module
 */

/** The PATH that every command has, and by which it is itself looked for. */
export const COMMAND_PATH: readonly string[] = ["/usr/bin", "/bin"];

/** The names that are exported where the configuration does not say. */
export const DEFAULT_EXPORT_ENVIRONMENT = "TZ MAIL_CONFIG LANG";

/** One entry of an `export_environment` list. */
type Entry = { name: string; value?: string };

/**
 * Makes a command's environment as spawn(8) does from `export_environment`:
 * a list, separated by commas and white space, of names to pass on, of
 * `name=value` words and of `{ name = value }` groups. The last entry for a
 * name that has a value counts, and PATH is always {@linkcode COMMAND_PATH}.
 *
 * @param list The list.
 * @param get How the daemon's own environment is asked, `Deno.env.get` say.
 * @returns `NAME=VALUE` words.
 * @throws {SyntaxError} If the list has an unclosed or an empty entry.
 *
 * @example
 * ```ts
 * commandEnvironment("LANG, { GREETING = hello world }", () => undefined);
 * // ["GREETING=hello world", "PATH=/usr/bin:/bin"]
 * ```
 */
export function commandEnvironment(
  list: string,
  get: (name: string) => string | undefined,
): string[] {
  const values = new Map<string, string>();
  for (const entry of entries(list)) {
    const value = entry.value ?? get(entry.name);
    if (value !== undefined) values.set(entry.name, value);
  }
  values.set("PATH", COMMAND_PATH.join(":"));
  return [...values].map(([name, value]) => `${name}=${value}`);
}

/** An entry in braces, or one without; both end at a separator. */
const ENTRY = /\s*(?:\{([^{}]*)\}|([^\s,{}][^\s,]*))(?=[\s,]|$)|[\s,]+/y;

function* entries(list: string): Generator<Entry> {
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < list.length) {
    const at = ENTRY.lastIndex;
    const match = ENTRY.exec(list);
    if (match === null) {
      throw new SyntaxError(
        `bad entry at ${JSON.stringify(list.slice(at).trim())}`,
      );
    }
    const [, group, word] = match;
    if (group !== undefined) yield assignment(group);
    else if (word !== undefined) {
      yield word.includes("=") ? assignment(word) : { name: word };
    }
  }
}

function assignment(text: string): Entry {
  const at = text.indexOf("=");
  const name = text.slice(0, at).trim();
  if (at < 0 || name === "") {
    throw new SyntaxError(
      `expected "name = value" in ${JSON.stringify(text.trim())}`,
    );
  }
  return { name, value: text.slice(at + 1).trim() };
}
