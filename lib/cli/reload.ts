/**
 * `spawnd reload`: asks a running daemon for a hand-over, and tells what came
 * of it.
 *
 * @module
 */

import { parseCount } from "../config/values.ts";
import {
  EX,
  type ExitCode,
  failure,
  formatMistake,
  type Result,
  success,
} from "../result.ts";
import { reloadHelp } from "./help.ts";
import { type OptionSpec, parseOptions } from "./options.ts";

/** The options of `spawnd reload`. */
export const RELOAD_OPTIONS: readonly OptionSpec[] = [
  {
    name: "pid-file",
    value: "FILE",
    help: "where the daemon has written its process id (required)",
  },
  { name: "help", help: "show this" },
];

/** How long a successor may take to start. */
const RELOAD_MS = 30_000;

/** How often the pid file is looked at meanwhile. */
const LOOK_MS = 20;

const PID_MAX = 2 ** 22;

/**
 * Runs the subcommand.
 *
 * @param args The words after `reload`.
 * @returns The exit code.
 */
export async function reload(args: readonly string[]): Promise<ExitCode> {
  const parsed = parseOptions(args, RELOAD_OPTIONS);
  if (parsed.ok && parsed.value.flags.has("help")) {
    console.log(reloadHelp(RELOAD_OPTIONS));
    return EX.OK;
  }
  const reloaded = parsed.ok
    ? await reloadDaemon(parsed.value.values.get("pid-file"))
    : parsed;
  if (reloaded.ok) {
    console.log(`process id ${reloaded.value} serves from now on`);
    return EX.OK;
  }
  console.error(`spawnd reload: ${formatMistake(reloaded.mistake)}`);
  return reloaded.mistake.exitCode;
}

async function reloadDaemon(
  pidFile: string | undefined,
): Promise<Result<number>> {
  if (pidFile === undefined) {
    return failure({
      text: "missing --pid-file",
      mend: "name the file that spawnd serve --pid-file has written",
      exitCode: EX.USAGE,
    });
  }
  const before = readPid(pidFile);
  if (!before.ok) return before;
  try {
    Deno.kill(before.value, "SIGHUP");
  } catch (error) {
    return failure({
      text: `cannot signal process id ${before.value}: ${reasonOf(error)}`,
      mend: `see whether the daemon of ${pidFile} runs`,
      exitCode: error instanceof Deno.errors.PermissionDenied
        ? EX.NOPERM
        : EX.OSERR,
    });
  }
  const deadlineMs = performance.now() + RELOAD_MS;
  while (performance.now() < deadlineMs) {
    const now = readPid(pidFile);
    if (now.ok && now.value !== before.value) return now;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return failure({
    text: `process id ${before.value} serves still`,
    mend: "its log tells why, and so does spawnd check",
    exitCode: EX.CONFIG,
  });
}

function readPid(pidFile: string): Result<number> {
  let text: string;
  try {
    text = Deno.readTextFileSync(pidFile);
  } catch (error) {
    return failure({
      text: `cannot read ${pidFile}: ${reasonOf(error)}`,
      mend: "name the file that spawnd serve --pid-file has written",
      exitCode: EX.OSERR,
    });
  }
  const pid = parseCount(text.trim(), PID_MAX);
  // 0 and 1 would reach far more than a daemon.
  if (pid !== undefined && pid > 1) return success(pid);
  return failure({
    text: `no process id in ${pidFile}`,
    exitCode: EX.CONFIG,
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
