/**
 * The command line of `spawnd status`.
 *
 * @module
 */

import { type Result, success } from "../../result.ts";
import { onlyDirectory } from "../shared/config_option.ts";
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
  given: ParsedOptions,
): Result<StatusRequest> {
  const directory = onlyDirectory(
    given,
    "the configuration says which daemon is meant: -c DIR",
  );
  if (!directory.ok) return directory;
  return success({
    directory: directory.value,
    json: given.flags.has("json"),
    watch: given.flags.has("watch"),
  });
}
