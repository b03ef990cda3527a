/**
 * Text as a terminal shows it: lines as wide as a screen, and terms beside what
 * is said of them.
 *
 * @module
 */

/** The width of a screen. */
const COLUMNS = 80;

/** Where the texts begin at the latest; a longer term has a line for itself. */
const TEXT_COLUMN_MAX = 32;

/** What stands before a term, and behind it. */
const GAP = "  ";

/**
 * Breaks a text into lines.
 *
 * @param text The text.
 * @param width How many characters a line may have.
 * @returns The lines; a word that is longer has one for itself.
 */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1) ?? ""} ${word}`;
    if (lines.length > 0 && longer.length <= width) {
      lines[lines.length - 1] = longer;
    } else lines.push(word);
  }
  return lines;
}

/**
 * Writes terms and what is said of them in two columns.
 *
 * @param items The terms, with a text each.
 * @returns Lines, two spaces in.
 */
export function itemLines(
  items: readonly { readonly term: string; readonly text: string }[],
): string {
  const widths = items.map(({ term }) => `${GAP}${term}${GAP}`.length)
    .filter((width) => width <= TEXT_COLUMN_MAX);
  const column = Math.max(2 * GAP.length, ...widths);
  return items.flatMap(({ term, text }) => {
    const head = `${GAP}${term}${GAP}`;
    const [first = "", ...more] = wrapped(text, COLUMNS - column);
    const rest = more.map((line) => " ".repeat(column) + line);
    return head.length <= column
      ? [head.padEnd(column) + first, ...rest]
      : [head.trimEnd(), " ".repeat(column) + first, ...rest];
  }).join("\n");
}
