/**
 * Lists of environment variables, as `export_environment` and
 * `import_environment` have them: names to pass on, `name=value` words and
 * `{ name = value }` groups.
 *
 * @module
 */

import { splitWords, withoutBraces } from "./braces.ts";
import { toWord } from "./bytes.ts";
import { PlacedText } from "./logical_lines.ts";
import { splitNameValue } from "./main_cf.ts";
import type { Parsed } from "./values.ts";

/** What is between two entries, and nothing else is. */
const SEPARATORS = ", \t\r\n";

/** What such a list may have. */
const ENVIRONMENT_MEND =
  "write names, name=value words and { name = value } groups";

/** An entry: a name to pass on, or a variable with its value. */
export interface EnvironmentEntry {
  readonly name: string;
  readonly value?: string;
}

/** A list, read; or what is wrong with it, as Postfix says it. */
export type EnvironmentList =
  | { readonly ok: true; readonly entries: readonly EnvironmentEntry[] }
  | { readonly ok: false; readonly wrong: string };

/**
 * Reads a list. Braces nest and protect separators, within a value too; they
 * go where they are around a whole entry.
 *
 * @param list A binary string.
 * @returns The entries, in their order, or what is wrong, a binary string.
 *
 * @example
 * ```ts
 * parseEnvironmentList("LANG, A={b c} { D = e f }");
 * // LANG, A with "{b c}", D with "e f"
 * ```
 */
export function parseEnvironmentList(list: string): EnvironmentList {
  const entries: EnvironmentEntry[] = [];
  for (const word of splitWords(new PlacedText(list), SEPARATORS)) {
    const { inner, wrong } = withoutBraces(word);
    if (wrong !== undefined) return { ok: false, wrong };
    if (inner.text === "") continue;
    if (!inner.text.includes("=")) {
      entries.push({ name: toWord(inner.text) });
      continue;
    }
    const split = splitNameValue(inner);
    if (!split.ok) {
      return { ok: false, wrong: `${split.text} in: ${inner.text}` };
    }
    const { name, value } = split.setting;
    entries.push({ name: toWord(name.text), value: toWord(value.text) });
  }
  return { ok: true, entries };
}

/**
 * Reads such a list as the value of a parameter.
 *
 * @param list A binary string.
 * @returns The entries.
 */
export function environmentValue(
  list: string,
): Parsed<readonly EnvironmentEntry[]> {
  const read = parseEnvironmentList(list);
  return read.ok
    ? { ok: true, value: read.entries }
    : { ...read, mend: ENVIRONMENT_MEND };
}
