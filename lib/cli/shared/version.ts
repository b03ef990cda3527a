/**
 * What this program is: name, version, revision, runtime, engine.
 *
 * @module
 */

import manifest from "../../../deno.json" with { type: "json" };
import { isLibc, openLibc } from "../../posix/libc.ts";

/** The version, alone. */
export const VERSION: string = manifest.version;

/**
 * Makes the answer to `--version`.
 *
 * @returns One line.
 */
export function versionLine(): string {
  const libc = openLibc();
  const engine = isLibc(libc) ? "direct" : `relay: ${libc.unavailable}`;
  return `spawnd ${manifest.version} (revision ${revision()}, ` +
    `Deno ${Deno.version.deno}, engine ${engine})`;
}

function revision(): string {
  if (!Deno.build.standalone) return "source";
  // Written by build.sh, and embedded above the bundle's folder.
  const file = new URL("../revision.json", Deno.mainModule);
  const facts: unknown = JSON.parse(Deno.readTextFileSync(file));
  return typeof facts === "object" && facts !== null && "revision" in facts
    ? String(facts.revision)
    : "unknown";
}
