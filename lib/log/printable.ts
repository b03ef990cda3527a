/**
 * Text that is safe to show: whatever a client or a file name brought along
 * cannot end a line, move a cursor or turn the reading direction.
 *
 * @module
 */

// Control characters (C0, DEL, C1), line and paragraph separators, and the
// marks that change the direction of text; and lone surrogates, which stand for
// bytes that are no UTF-8.
const UNPRINTABLE =
  // deno-lint-ignore no-control-regex -- these are what it is for
  /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/gu;

/** A byte that is no UTF-8, as lib/posix/byte_text.ts has it. */
const ESCAPED_BYTE = /[\udc80-\udcff]/u;

/**
 * Escapes what is unprintable in a JSON text, where it can only stand within
 * strings.
 *
 * @param json A JSON text on one line.
 * @returns The same, in printable characters.
 */
export function printableJson(json: string): string {
  return json.replaceAll(
    UNPRINTABLE,
    (character) => `\\u${hexOf(character).padStart(4, "0")}`,
  );
}

function hexOf(character: string): string {
  return character.charCodeAt(0).toString(16);
}

/**
 * Escapes what must not reach a log as it is.
 *
 * @param text Any text.
 * @returns One line of printable text; escapes are `\xNN` and `\u{NNNN}`.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    const hex = ESCAPED_BYTE.test(character)
      ? hexOf(character).slice(-2)
      : hexOf(character);
    return hex.length <= 2 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`;
  });
}
