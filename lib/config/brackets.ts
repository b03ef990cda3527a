/**
 * Which bracket closes which, for a whole text at once: deep nesting would
 * take time by the square of its depth, if each level looked for its own end.
 *
 * @module
 */

const CLOSING: Readonly<Record<string, string>> = { "{": "}", "(": ")" };

/** The brackets of a text. */
export class Brackets {
  readonly #text: string;
  readonly #ends = new Map<string, ReadonlyMap<number, number>>();

  /** @param text The text. */
  constructor(text: string) {
    this.#text = text;
  }

  /**
   * Finds the end of what a bracket opens. Brackets of other kinds do not
   * count.
   *
   * @param at Where it is opened.
   * @returns Past the one that closes it, or -1 if there is none.
   */
  end(at: number): number {
    const open = this.#text.charAt(at);
    let ends = this.#ends.get(open);
    if (ends === undefined) {
      ends = endsIn(this.#text, open, CLOSING[open] ?? "");
      this.#ends.set(open, ends);
    }
    return ends.get(at) ?? -1;
  }
}

function endsIn(
  text: string,
  open: string,
  close: string,
): ReadonlyMap<number, number> {
  const ends = new Map<number, number>();
  const opened: number[] = [];
  const either = new RegExp(`[${open}${close}]`, "g");
  for (const { 0: bracket, index } of text.matchAll(either)) {
    if (bracket === open) {
      opened.push(index);
      continue;
    }
    const start = opened.pop();
    if (start !== undefined) ends.set(start, index + 1);
  }
  return ends;
}
