/**
 * Putting tables into a page's source, where a line such as `@options run@`
 * asks for one.
 *
 * @module
 */

/** Lines by what asks for them, such as `options run`. */
export type Tables = Readonly<Record<string, readonly string[]>>;

/**
 * Puts the tables in. A table that nobody asks for would be missing on the
 * page, and is refused.
 *
 * @param source The source.
 * @param tables The tables there are.
 * @returns The page, for scdoc.
 * @throws {Error} If there is something to be mended in the source.
 */
export function fill(source: string, tables: Tables): string {
  const wanted = new Set<string>();
  const lines = source.split("\n").flatMap((line) => {
    const [, name] = /^@(.+)@$/.exec(line) ?? [];
    if (name === undefined) return [line];
    const table = tables[name];
    if (table === undefined) throw new Error(`there is no table @${name}@`);
    wanted.add(name);
    return table;
  });
  const missing = Object.keys(tables).filter((name) => !wanted.has(name));
  if (missing.length > 0) {
    throw new Error(
      `not asked for: ${missing.map((name) => `@${name}@`).join(", ")}`,
    );
  }
  return lines.join("\n");
}
