/**
 * The command line of `spawnd completion`.
 *
 * @module
 */

import { didYouMean } from "../../did_you_mean.ts";
import { EX, failure, type Result, success } from "../../result.ts";
import type { ParsedOptions } from "../shared/options.ts";

/** The shells whose completion there is. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of them. */
export type Shell = typeof SHELLS[number];

/**
 * Reads the command line.
 *
 * @param given What was given.
 * @returns The shell.
 */
export function completionRequest(
  { words: [word, stray] }: ParsedOptions,
): Result<Shell> {
  const shell = SHELLS.find((known) => known === word);
  if (shell !== undefined && stray === undefined) return success(shell);
  const guess = shell === undefined
    ? didYouMean(word ?? "", SHELLS)
    : undefined;
  return failure({
    text: word === undefined
      ? "missing shell"
      : shell === undefined
      ? `unknown shell: ${word}`
      : `unexpected word: ${stray}`,
    mend: guess ?? `write one of ${SHELLS.join(", ")}`,
    exitCode: EX.USAGE,
  });
}
