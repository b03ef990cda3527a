/**
 * Counts of the last seconds as a line of bars.
 *
 * @module
 */

const BARS = [..." ▁▂▃▄▅▆▇█"];

/** So that it is seen where the line begins, also of a quiet service. */
const FRAME = "|";

/** For screens without these. */
const ASCII_BARS = [..." .:-=+*#@"];

/**
 * Draws the counts; the highest is a whole bar, and one is never nothing.
 *
 * @param counts One count a second, the last one last.
 * @param options How many characters there are, and which.
 * @returns The bars, as many as there is room for, and what the highest is.
 */
export function history(
  counts: readonly number[],
  { width, isUnicode }: {
    readonly width: number;
    readonly isUnicode: boolean;
  },
): string {
  const bars = isUnicode ? BARS : ASCII_BARS;
  const most = Math.max(0, ...counts);
  const label = ` ${most}/s at most`;
  const room = width - FRAME.length;
  const hasLabel = room - label.length >= counts.length / 2;
  const shown = counts.slice(
    -Math.max(1, hasLabel ? room - label.length : room),
  );
  const line = shown.map((count) => {
    const height = count === 0
      ? 0
      : Math.max(1, Math.round(count / most * (bars.length - 1)));
    return bars[height] ?? "";
  }).join("");
  return `${FRAME}${line}${hasLabel ? label : ""}`;
}
