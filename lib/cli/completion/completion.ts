/**
 * Which script `spawnd completion` prints.
 *
 * @module
 */

import { EX, success } from "../../result.ts";
import type { ParsedOptions } from "../shared/options.ts";
import type { Outcome, Program } from "../shared/subcommand.ts";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { completionRequest, type Shell } from "./request.ts";
import { zshScript } from "./zsh.ts";

const SCRIPTS: Readonly<Record<Shell, (program: Program) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/**
 * Runs the subcommand.
 *
 * @param given What was given.
 * @param program The command line that is to be completed.
 * @returns The exit code.
 */
export function completion(given: ParsedOptions, program: Program): Outcome {
  const shell = completionRequest(given);
  if (!shell.ok) return shell;
  console.log(SCRIPTS[shell.value](program));
  return success(EX.OK);
}
