/**
 * The numbers that the system's own C headers give to names.
 *
 * @module
 */

/** The decimal `#define`s of header files below /usr/include. */
export function definitions(...headers: string[]): Map<string, number> {
  const text = headers
    .map((header) => Deno.readTextFileSync(`/usr/include/${header}`))
    .join("\n");
  return new Map(
    [...text.matchAll(/^#define\s+(\w+)\s+(\d+)\b/gm)]
      .map(([, name = "", number]) => [name, Number(number)]),
  );
}
