/**
 * Words in which braces protect white space, as in master.cf and in
 * `export_environment`.
 *
 * @module
 */

import type { PlacedText } from "./logical_lines.ts";

const BLANKS = " \t\r\n";

/**
 * Takes text apart at separators that are not in braces.
 *
 * @param text The text.
 * @param separators The characters between words; white space, if nothing is
 * said.
 * @returns The words, braces included.
 */
export function splitWords(
  text: PlacedText,
  separators: string = BLANKS,
): PlacedText[] {
  const words: PlacedText[] = [];
  let start = -1;
  let depth = 0;
  for (let at = 0; at < text.text.length; at++) {
    const char = text.text.charAt(at);
    if (depth === 0 && separators.includes(char)) {
      if (start >= 0) words.push(text.slice(start, at));
      start = -1;
      continue;
    }
    if (start < 0) start = at;
    if (char === "{") depth++;
    else if (char === "}" && depth > 0) depth--;
  }
  if (start >= 0) words.push(text.slice(start));
  return words;
}

/** A word, or what is in the braces around it. */
export interface Unbraced {
  readonly inner: PlacedText;
  /** What is wrong with the braces, in Postfix's words. */
  readonly wrong?: string;
}

/**
 * Takes the braces off a word.
 *
 * @param word The word; one that does not begin with a brace is left as it is.
 * @returns What is in the braces, without white space at the ends; with wrong
 * ones, what was probably meant.
 */
export function withoutBraces(word: PlacedText): Unbraced {
  const { text } = word;
  if (!text.startsWith("{")) return { inner: word };
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "{") depth++;
    if (char !== "}" || --depth > 0) continue;
    const inner = word.slice(1, at).trim();
    return at + 1 === text.length
      ? { inner }
      : { inner, wrong: `syntax error after '}' in "${text}"` };
  }
  return { inner: word.slice(1).trim(), wrong: `missing '}' in "${text}"` };
}
