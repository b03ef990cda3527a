/**
 * Lists of words, as parameters have them.
 *
 * @module
 */

/**
 * Splits a list of words, as Postfix does.
 *
 * @param list The list.
 * @returns The words.
 */
export function wordsOf(list: string): string[] {
  return list.split(/[, \t\r\n]+/).filter((word) => word !== "");
}
