/**
 * Lists of names of accounts or groups, which are looked up elsewhere.
 *
 * @module
 */

import { toWord } from "../bytes.ts";
import type { Parsed } from "../values.ts";

/**
 * Reads a list of names.
 *
 * @param binary Names between commas and white space, a binary string.
 * @returns The names.
 */
export function parseNameList(binary: string): Parsed<readonly string[]> {
  const names = binary.split(/[, \t\r\n]+/).filter((name) => name !== "");
  return { ok: true, value: names.map(toWord) };
}
