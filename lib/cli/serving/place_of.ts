/**
 * Places as mistakes have them.
 *
 * @module
 */

import type { Place } from "../../config/problems.ts";

/**
 * Writes a place down.
 *
 * @param place The place.
 * @returns `FILE:LINE:COLUMN`, or what has no lines; nothing for what stands in
 * no file.
 */
export function placeOf({ file, line, column }: Place): string | undefined {
  if (file === "") return undefined;
  return line === 0 ? file : `${file}:${line}:${column}`;
}
