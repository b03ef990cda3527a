/**
 * The command line of `spawnd completion`.
 *
 * @module
 */

import { EX, failure, type Result, success } from "../../result.ts";
import {
  nearestWord,
  optionLines,
  type OptionSpec,
  parseOptions,
} from "../shared/options.ts";

/** The shells whose completion there is. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of them. */
export type Shell = typeof SHELLS[number];

/** The options of `spawnd completion`. */
export const COMPLETION_OPTIONS: readonly OptionSpec[] = [
  { name: "help", help: "show this" },
];

/** The help of `spawnd completion`. */
export const COMPLETION_HELP = `\
  spawnd completion bash > /usr/share/bash-completion/completions/spawnd
  spawnd completion zsh > /usr/local/share/zsh/site-functions/_spawnd
  spawnd completion fish > /usr/share/fish/vendor_completions.d/spawnd.fish

Usage: spawnd completion ${SHELLS.join("|")}
Prints the script with which the shell completes the words of spawnd.

${optionLines(COMPLETION_OPTIONS)}
`;

/**
 * Reads the command line.
 *
 * @param args The words after `completion`.
 * @returns The shell, or `"help"` where that was asked for.
 */
export function parseCompletionRequest(
  args: readonly string[],
): Result<Shell | "help"> {
  const parsed = parseOptions(args, COMPLETION_OPTIONS);
  if (!parsed.ok) return parsed;
  const { flags, words: [word, stray] } = parsed.value;
  if (flags.has("help")) return success("help");
  const shell = SHELLS.find((known) => known === word);
  if (shell !== undefined && stray === undefined) return success(shell);
  const nearest = nearestWord(word ?? "", SHELLS);
  const isUnknown = shell === undefined;
  return failure({
    text: word === undefined
      ? "missing shell"
      : isUnknown
      ? `unknown shell: ${word}`
      : `unexpected word: ${stray}`,
    mend: isUnknown && nearest !== undefined
      ? `did you mean ${nearest}?`
      : `write one of ${SHELLS.join(", ")}`,
    exitCode: EX.USAGE,
  });
}
