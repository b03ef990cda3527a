/**
 * Ways to read values, made of others.
 *
 * @module
 */

import type { Parsed } from "../values.ts";

/**
 * Makes a reader for what may be left empty.
 *
 * @param parse Reads what is not.
 * @returns The reader.
 */
export function orNothing<Value>(
  parse: (binary: string) => Parsed<Value>,
): (binary: string) => Parsed<Value | undefined> {
  return (binary) =>
    binary === "" ? { ok: true, value: undefined } : parse(binary);
}

/**
 * Makes a reader for one of a few words.
 *
 * @param words The words.
 * @returns The reader.
 */
export function choiceOf<const Word extends string>(
  words: readonly Word[],
): (binary: string) => Parsed<Word> {
  return (binary) => {
    const value = words.find((word) => word === binary);
    return value === undefined
      ? { ok: false, wrong: `no such word: ${binary}`, mend: words.join(", ") }
      : { ok: true, value };
  };
}
