/**
 * The command line of `spawnd import`.
 *
 * @module
 */

import { didYouMean } from "../../did_you_mean.ts";
import { EX, failure, type Result, success } from "../../result.ts";
import type { ParsedOptions } from "../shared/options.ts";
import { IMPORT_FORMATS, type ImportFormat } from "./formats.ts";
import type { Part } from "./print.ts";

/** What a command line asks for. */
export interface ImportRequest {
  readonly format: ImportFormat;
  readonly files: readonly string[];
  readonly parts: readonly Part[];
}

/**
 * Reads the command line.
 *
 * @param given What was given.
 * @returns The request.
 */
export function importRequest(
  { flags, words: [word = "", ...files] }: ParsedOptions,
): Result<ImportRequest> {
  const format = IMPORT_FORMATS.find((known) => known === word);
  if (format === undefined) {
    return failure({
      text: word === "" ? "no format given" : `unknown format: ${word}`,
      mend: didYouMean(word, IMPORT_FORMATS) ??
        `it is ${IMPORT_FORMATS.join(", ")}`,
      exitCode: EX.USAGE,
    });
  }
  if (files.length === 0) {
    return failure({
      text: "no file given",
      mend: `write spawnd import ${format} FILE...`,
      exitCode: EX.USAGE,
    });
  }
  const [main, master] = [flags.has("main"), flags.has("master")];
  const parts = main === master
    ? ["main.cf", "master.cf"] as const
    : [main ? "main.cf" : "master.cf"] as const;
  return success({ format, files, parts });
}
