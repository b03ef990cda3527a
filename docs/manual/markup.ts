/**
 * Writing scdoc(5)'s markup.
 *
 * @module
 */

/** Longer lines than this are hard to compare. */
const LINE_MAX = 78;

/** What would be a heading, a list or a table where a line begins with it. */
const SPECIAL = /^[-.#;|:[\]!]/;

/**
 * Has a text stand for itself.
 *
 * @param text The text.
 * @returns It, for scdoc.
 */
export function plain(text: string): string {
  return text.replaceAll(/[\\*_`]/g, "\\$&");
}

/**
 * What is to be typed as it is.
 *
 * @param text The text.
 * @returns It, for scdoc.
 */
export function bold(text: string): string {
  return `*${plain(text)}*`;
}

/**
 * What stands for something else.
 *
 * @param text The text.
 * @returns It, for scdoc.
 */
export function italic(text: string): string {
  return `_${plain(text)}_`;
}

/**
 * A term and what is to be said of it.
 *
 * @param term The term, in markup.
 * @param text The text, in markup.
 * @returns The lines, with an empty one at the end.
 */
export function item(term: string, text: string): string[] {
  return [term, ...paragraph(text).map((line) => line && `\t${line}`)];
}

/**
 * A paragraph.
 *
 * @param text The text, in markup.
 * @returns The lines, with an empty one at the end.
 */
export function paragraph(text: string): string[] {
  const lines = wrapped(text).map((line) => line.replace(SPECIAL, "\\$&"));
  return [...lines, ""];
}

/**
 * Breaks a text into lines of a length that can be read.
 *
 * @param text The text.
 * @returns Its lines.
 */
export function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > LINE_MAX) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
  }
  return [...lines, line];
}
