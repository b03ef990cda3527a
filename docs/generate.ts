/**
 * Writes the manual pages, from the tables that the program itself uses.
 *
 * @module
 */

import { spawnd8 } from "./spawnd_8.ts";
import { spawndCf5 } from "./spawnd_cf_5.ts";

/** The pages by their files' names, below man/. */
export const PAGES: Readonly<Record<string, () => string>> = {
  "spawnd.8": spawnd8,
  "spawnd.cf.5": spawndCf5,
};

if (import.meta.main) {
  for (const [name, page] of Object.entries(PAGES)) {
    Deno.writeTextFileSync(new URL(`man/${name}`, import.meta.url), page());
  }
}
