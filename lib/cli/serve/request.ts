/**
 * The command line of `spawnd serve`: what it says, checked as far as words go.
 *
 * @module
 */

import { resolve } from "@std/path/posix/resolve";
import { failure, type Result, success } from "../../result.ts";
import { type ProcessRequest, processRequest } from "../serving/options.ts";
import { onlyDirectory } from "../shared/config_option.ts";
import { ValueReader } from "../shared/option_values.ts";
import type { ParsedOptions } from "../shared/options.ts";

/** What a command line asks for. */
export interface ServeRequest extends ProcessRequest {
  /** The absolute path of the configuration. */
  readonly directory: string;
  /** Whether -c names it. */
  readonly isDirectoryGiven: boolean;
  readonly pidFile: string | undefined;
  /** `undefined` where main.cf says it. */
  readonly stopTimeoutSeconds: number | undefined;
}

/**
 * Reads the command line.
 *
 * @param given What was given.
 * @returns The request.
 */
export function serveRequest(given: ParsedOptions): Result<ServeRequest> {
  const { values } = given;
  const directory = onlyDirectory(
    given,
    "services are in the configuration; spawnd run takes them as words",
  );
  if (!directory.ok) return directory;
  const reader = new ValueReader(values);
  const pidFile = values.get("pid-file");
  const request: ServeRequest = {
    directory: resolve(directory.value),
    isDirectoryGiven: values.has("config"),
    pidFile: pidFile === undefined ? undefined : resolve(pidFile),
    stopTimeoutSeconds: reader.time("stop-timeout", { min: 0 }),
    ...processRequest(given, reader),
  };
  return reader.mistake === undefined
    ? success(request)
    : failure(reader.mistake);
}
