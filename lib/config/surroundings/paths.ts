/**
 * The paths that a command may read or write, as a user writes them:
 * `read=/usr write=/srv/data`.
 *
 * @module
 */

import type { PathAccess } from "../../posix/surroundings/surroundings.ts";
import { toWord } from "../bytes.ts";
import type { Parsed } from "../values.ts";
import { wordsOf } from "./words.ts";

/**
 * Reads the path of a directory.
 *
 * @param binary A path from the root directory.
 * @returns It, or what is wrong with the text.
 */
export function parseDirectory(binary: string): Parsed<string> {
  return binary.startsWith("/") && !binary.includes("\0")
    ? { ok: true, value: toWord(binary) }
    : {
      ok: false,
      wrong: `no absolute path: ${binary}`,
      mend: "begin it with /",
    };
}

/**
 * Reads paths.
 *
 * @param text A binary string: words of `read` or `write`, an equals sign and an absolute path.
 * @returns The paths, or what is wrong with the text.
 */
export function parsePathAccess(text: string): Parsed<readonly PathAccess[]> {
  const paths: PathAccess[] = [];
  for (const word of wordsOf(text)) {
    const [, access, path = ""] = /^(read|write)=(\/.*)$/s.exec(word) ?? [];
    if (access !== "read" && access !== "write") {
      return {
        ok: false,
        wrong: `bad path to read or write: ${word}`,
        mend:
          "write read=PATH, which is to execute, too, or write=PATH, each " +
          "from the root directory",
      };
    }
    paths.push({ access, path: toWord(path) });
  }
  return { ok: true, value: paths };
}
