/**
 * Writes the manual pages: their prose is in the .scd files beside this one,
 * in scdoc(5)'s markup, their tables are those that the program itself uses.
 *
 * @module
 */

import { reasonOf } from "../lib/result.ts";
import { fill } from "./manual/fill.ts";
import { manualPage } from "./manual/scdoc.ts";
import { TABLES } from "./manual/tables.ts";

/** The pages, by their files' names below man/. */
export const PAGES: readonly string[] = Object.keys(TABLES);

/**
 * Puts the tables into a page's source.
 *
 * @param page The page.
 * @returns All that it has, in scdoc's markup.
 * @throws {Error} If there is something to be mended in the source.
 */
export async function filled(page: string): Promise<string> {
  const file = new URL(`${page}.scd`, import.meta.url);
  const source = await Deno.readTextFile(file);
  try {
    return fill(source, TABLES[page] ?? {});
  } catch (error) {
    throw new Error(`docs/${page}.scd: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Makes a page.
 *
 * @param page The page.
 * @returns It, as man(1) reads it.
 */
export async function made(page: string): Promise<string> {
  return await manualPage(await filled(page));
}

if (import.meta.main) {
  for (const page of PAGES) {
    const file = new URL(`man/${page}`, import.meta.url);
    await Deno.writeTextFile(file, await made(page));
  }
}
