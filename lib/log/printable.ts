/**
 * Text that is safe to show: whatever a client or a file name brought along
 * cannot end a line, move a cursor or turn the reading direction.
 *
 * @module
 */

// Control characters (C0, DEL, C1), line and paragraph separators, and the
// marks that change the direction of text.
const UNPRINTABLE =
  // deno-lint-ignore no-control-regex -- these are what it is for
  /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Escapes what must not reach a log as it is.
 *
 * @param text Any text.
 * @returns One line of printable text; escapes are `\xNN` and `\u{NNNN}`.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    return code <= 0xff ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`;
  });
}
