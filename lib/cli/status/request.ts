/**
 * The command line of `spawnd status`.
 *
 * @module
 */

import { EX, failure, type Result, success } from "../../result.ts";
import { configDirectory } from "../shared/config_option.ts";
import type { ParsedOptions } from "../shared/options.ts";

/** What a command line asks for. */
export interface StatusRequest {
  readonly directory: string;
  readonly json: boolean;
  readonly watch: boolean;
}

/**
 * Reads the command line.
 *
 * @param given What was given.
 * @returns The request.
 */
export function statusRequest(
  { values, flags, words: [stray] }: ParsedOptions,
): Result<StatusRequest> {
  if (stray !== undefined) {
    return failure({
      text: `unexpected word: ${stray}`,
      mend: "the configuration says which daemon is meant: -c DIR",
      exitCode: EX.USAGE,
    });
  }
  const directory = configDirectory(values.get("config"));
  if (!directory.ok) return directory;
  return success({
    directory: directory.value,
    json: flags.has("json"),
    watch: flags.has("watch"),
  });
}
