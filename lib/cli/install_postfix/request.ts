/**
 * The command line of `spawnd install-postfix`.
 *
 * @module
 */

import { resolve } from "@std/path/posix/resolve";
import { EX, failure, type Result, success } from "../../result.ts";
import { quoted } from "./postconf.ts";
import { configDirectory } from "../shared/config_option.ts";
import type { ParsedOptions } from "../shared/options.ts";
import { WAYS } from "../shared/ways.ts";

/** What a command line asks for. */
export interface InstallRequest {
  /** Postfix's configuration, as an absolute path. */
  readonly directory: string;
  readonly action: "install" | "check" | "undo";
  /** Whether to do it, or only to show it. */
  readonly isConfirmed: boolean;
  /** As `NAME/TYPE`; all, if none is named. */
  readonly services: readonly string[];
}

/**
 * Reads the command line.
 *
 * @param given What was given.
 * @returns The request.
 */
export function installRequest(
  { values, flags, words: services }: ParsedOptions,
): Result<InstallRequest> {
  const other = ["yes", "undo"].find((name) => flags.has(name));
  if (flags.has("check") && other !== undefined) {
    return failure({
      text: `specify one of --check --${other}`,
      mend: "--check changes nothing",
      exitCode: EX.USAGE,
    });
  }
  const bad = services.find((service) => !/^.+\/[^/]+$/s.test(service));
  if (bad !== undefined) {
    return failure({
      text: `bad service: ${bad}`,
      mend: `write it as postconf does: ${bad.replaceAll("/", "")}/unix`,
      exitCode: EX.USAGE,
    });
  }
  const directory = configDirectory(
    values.get("config"),
    WAYS.master.directory,
  );
  if (!directory.ok) return directory;
  return success({
    directory: resolve(directory.value),
    action: flags.has("check")
      ? "check"
      : flags.has("undo")
      ? "undo"
      : "install",
    isConfirmed: flags.has("yes"),
    services,
  });
}

/**
 * Tells what makes Postfix take a change.
 *
 * @param directory Its configuration.
 * @returns The command, for a shell.
 */
export function reloadCommand(directory: string): string {
  return directory === WAYS.master.directory
    ? "postfix reload"
    : `postfix -c ${quoted(directory)} reload`;
}
