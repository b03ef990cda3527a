/**
 * Tables for a screen.
 *
 * @module
 */

/** What stands between two columns. */
const GAP = "  ";

/**
 * Aligns columns.
 *
 * @param rows The cells, row by row.
 * @param others Where all columns but the first are aligned: on the right, if
 * nothing is said, as numbers are.
 * @returns The lines.
 */
export function formatTable(
  rows: readonly (readonly string[])[],
  others: "left" | "right" = "right",
): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  const aligned = (cell: string, column: number): string =>
    column === 0 || others === "left"
      ? cell.padEnd(widths[column] ?? 0)
      : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(aligned).join(GAP).trimEnd()).join("\n");
}
