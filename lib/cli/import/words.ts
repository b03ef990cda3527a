/**
 * Words of master.cf and of environment lists: how a text must be written so
 * that it is read as that text again.
 *
 * @module
 */

/** What a master.cf cannot hold, and a terminal should not be shown. */
// deno-lint-ignore no-control-regex -- control characters are the point
const CONTROL = /[\x00-\x1f\x7f]/;

/** What separates the entries of an environment list, and what protects. */
/** What a variable is called. */
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_.]*$/;

const NEEDS_GROUP = /[ \t,{}]/;

/**
 * Writes an argument.
 *
 * @param text The argument.
 * @returns It as a word, in braces where it needs them; `undefined` if
 * master.cf has no way to write it.
 *
 * @example
 * ```ts
 * writeWord("a b"); // "{ a b }"
 * ```
 */
export function writeWord(text: string): string | undefined {
  if (CONTROL.test(text) || text !== trimmed(text)) return undefined;
  const isPlain = text !== "" && !/[ {}]/.test(text) && !text.startsWith("#");
  if (isPlain) return text;
  return isBalanced(text) ? `{ ${text} }` : undefined;
}

/**
 * Writes a setting of an entry, as follows `-o`.
 *
 * @param name The parameter.
 * @param value Its value, in which no `$` refers to anything.
 * @returns The word; `undefined` if master.cf has no way to write it.
 */
export function writeSetting(name: string, value: string): string | undefined {
  const text = value.replaceAll("$", "$$$$");
  return writeWord(
    /[ {}]/.test(text) ? `${name} = ${text}` : `${name}=${text}`,
  );
}

/**
 * Writes a variable of an environment list.
 *
 * @param name Its name.
 * @param value Its value.
 * @returns The entry; `undefined` if such a list has no way to write it.
 *
 * @example
 * ```ts
 * writeVariable("GREETING", "good day"); // "{ GREETING = good day }"
 * ```
 */
export function writeVariable(name: string, value: string): string | undefined {
  if (!VARIABLE.test(name)) return undefined;
  if (CONTROL.test(value) || value !== trimmed(value)) return undefined;
  if (!NEEDS_GROUP.test(value)) return `${name}=${value}`;
  return isBalanced(value) ? `{ ${name} = ${value} }` : undefined;
}

/**
 * Picks the words that can be names of variables.
 *
 * @param words The words.
 * @param refuse What is called for each other one.
 * @returns The names.
 */
export function variableNames(
  words: readonly string[],
  refuse: (word: string) => void,
): string[] {
  for (const word of words) if (!VARIABLE.test(word)) refuse(word);
  return words.filter((word) => VARIABLE.test(word));
}

const BLANK = " \t\n\v\f\r";

/**
 * Takes white space off both ends. JavaScript's own trim takes off the byte
 * 0xA0, too, with which some letters end in UTF-8.
 *
 * @param text A binary string.
 * @returns What is between.
 */
export function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && BLANK.includes(text.charAt(start))) start++;
  while (end > start && BLANK.includes(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/**
 * Takes a list apart at blanks.
 *
 * @param text A binary string.
 * @returns Its words.
 */
export function wordsOf(text: string): string[] {
  return text.split(/[ \t\n\v\f\r]+/).filter((word) => word !== "");
}

/** Whether every brace has its other one, in order. */
function isBalanced(text: string): boolean {
  let depth = 0;
  for (const [brace] of text.matchAll(/[{}]/g)) {
    depth += brace === "{" ? 1 : -1;
    if (depth < 0) return false;
  }
  return depth === 0;
}
