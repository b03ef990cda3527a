/**
 * The command line of `spawnd install-postfix`.
 *
 * @module
 */

import { resolve } from "@std/path/posix/resolve";
import { EX, failure, type Result, success } from "../../result.ts";
import { quoted } from "./postconf.ts";
import {
  optionLines,
  type OptionSpec,
  parseOptions,
} from "../shared/options.ts";
import { configDirectory } from "../serve/request.ts";
import { WAYS } from "../shared/ways.ts";

/** Where Postfix's configuration is, if neither -c nor MAIL_CONFIG says so. */
export const POSTFIX_DIRECTORY = WAYS.master.directory;

/** The options of `spawnd install-postfix`. */
export const INSTALL_OPTIONS: readonly OptionSpec[] = [
  {
    name: "config",
    alias: "c",
    value: "DIR",
    help: `Postfix's configuration (MAIL_CONFIG, or ${POSTFIX_DIRECTORY})`,
  },
  { name: "yes", help: "do what is shown without it" },
  { name: "check", help: "tell what is in place, and what would fail" },
  { name: "undo", help: "put back what was there before" },
  { name: "help", help: "show this" },
];

/** The help of `spawnd install-postfix`. */
export const INSTALL_HELP = `\
  spawnd install-postfix
  spawnd install-postfix --yes policy/unix
  spawnd install-postfix --undo

Usage: spawnd install-postfix [options] [SERVICE/TYPE...]
Puts spawnd in the place of spawn(8) below Postfix: copies this program into
Postfix's daemon_directory, and makes the entries named, or all whose command is
spawn, run it. Without --yes it only shows that. It keeps what it replaces.
Postfix takes the change with "postfix reload", which is yours to run.

Exit codes: 1 something is left, or with --check not in place; others as usual.

${optionLines(INSTALL_OPTIONS)}
`;

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
 * @param args The words after `install-postfix`.
 * @returns The request, or `"help"` where that was asked for.
 */
export function parseInstallRequest(
  args: readonly string[],
): Result<InstallRequest | "help"> {
  const parsed = parseOptions(args, INSTALL_OPTIONS);
  if (!parsed.ok) return parsed;
  const { values, flags, words: services } = parsed.value;
  if (flags.has("help")) return success("help");
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
  const directory = configDirectory(values.get("config"), POSTFIX_DIRECTORY);
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
  return directory === POSTFIX_DIRECTORY
    ? "postfix reload"
    : `postfix -c ${quoted(directory)} reload`;
}
