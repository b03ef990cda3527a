/**
 * `spawnd reload`: asks a running daemon to reload, and tells what came of it.
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

/** How long a reload may take. */
const RELOAD_MS = 30_000;

/** How often the pid file is looked at meanwhile. */
const LOOK_MS = 20;

const PID_MAX = 2 ** 22;

/** More than an id has, with its newline. */
const PID_BYTES_MAX = 32;

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
    console.log(`process id ${reloaded.value} serves the new configuration`);
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
  const { pid, inode, writtenMs } = before.value;
  try {
    Deno.kill(pid, "SIGHUP");
  } catch (error) {
    return failure({
      text: `cannot signal process id ${pid}: ${reasonOf(error)}`,
      mend: `see whether the daemon of ${pidFile} runs`,
      exitCode: error instanceof Deno.errors.PermissionDenied
        ? EX.NOPERM
        : EX.OSERR,
    });
  }
  const deadlineMs = performance.now() + RELOAD_MS;
  while (performance.now() < deadlineMs) {
    const now = readPid(pidFile);
    // One that serves puts a file of its own there; one that refuses to writes
    // into that which is there.
    if (now.ok && now.value.inode !== inode) return success(now.value.pid);
    if (now.ok && now.value.writtenMs !== writtenMs) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return failure({
    text: `process id ${pid} goes on with the old configuration`,
    mend: "its log tells why, and so does spawnd check",
    exitCode: EX.CONFIG,
  });
}

/** A pid file as it was found. */
interface FoundPid {
  readonly pid: number;
  readonly inode: number | null;
  readonly writtenMs: number | undefined;
}

function readPid(pidFile: string): Result<FoundPid> {
  let text: string;
  let info: Deno.FileInfo;
  try {
    // Both of one file, though another may be put in its place meanwhile.
    using file = Deno.openSync(pidFile);
    info = file.statSync();
    const bytes = new Uint8Array(PID_BYTES_MAX);
    text = new TextDecoder().decode(
      bytes.subarray(0, file.readSync(bytes) ?? 0),
    );
  } catch (error) {
    return failure({
      text: `cannot read ${pidFile}: ${reasonOf(error)}`,
      mend: "name the file that spawnd serve --pid-file has written",
      exitCode: EX.OSERR,
    });
  }
  const pid = parseCount(text.trim(), PID_MAX);
  // 0 would reach far more than a daemon.
  if (pid !== undefined && pid > 0) {
    const { ino: inode, mtime } = info;
    return success({ pid, inode, writtenMs: mtime?.getTime() });
  }
  return failure({
    text: `no process id in ${pidFile}`,
    exitCode: EX.CONFIG,
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
