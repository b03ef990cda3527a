/**
 * Lists in a text of the log, which must not become longer for each thing that
 * there is.
 *
 * @module
 */

/** More are counted, not listed. */
const LISTED_MAX = 10;

/**
 * Lists the first few of some words.
 *
 * @param words The words.
 * @returns `A, B and 3 more`.
 */
export function listed(words: readonly string[]): string {
  const more = words.length - LISTED_MAX;
  return words.slice(0, LISTED_MAX).join(", ") +
    (more > 0 ? ` and ${more} more` : "");
}
