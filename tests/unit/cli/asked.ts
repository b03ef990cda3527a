/**
 * What words ask a subcommand for.
 *
 * @module
 */

import {
  type ParsedOptions,
  parseOptions,
} from "../../../lib/cli/shared/options.ts";
import type { Subcommand } from "../../../lib/cli/shared/subcommand.ts";
import { type Result, success } from "../../../lib/result.ts";

/** Reads the words after a subcommand as it does itself. */
export function asked<Request>(
  which: Subcommand,
  read: (given: ParsedOptions) => Result<Request>,
): (args: readonly string[]) => Result<Request | "help"> {
  return (args) => {
    const given = parseOptions(args, which);
    if (!given.ok) return given;
    return given.value.flags.has("help") ? success("help") : read(given.value);
  };
}
