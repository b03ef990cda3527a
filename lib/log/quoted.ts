/**
 * Words of a command line in a text, where the joints between them are to be
 * seen.
 *
 * @module
 */

/** What the shell, and whoever reads, takes for one word without quotes. */
const PLAIN = /^[\p{L}\p{N}_@%+=:,./-]+$/u;

/**
 * Writes a word as one would write it for the shell.
 *
 * @param word The word.
 * @returns The word, in quotes if it needs them.
 */
export function quoted(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
