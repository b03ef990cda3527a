/**
 * `spawnd reload`: asks a running daemon to reload, and tells what came of it.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { parseCount } from "../../config/values.ts";
import { checked, EPERM, ESRCH, SystemError } from "../../posix/errno.ts";
import { O_CLOEXEC, O_NONBLOCK } from "../../posix/headers.ts";
import { cString, isLibc, type Libc, openLibc } from "../../posix/libc.ts";
import { OtherProcess } from "../../posix/other_process.ts";
import { writeLockHolder } from "../../posix/record_lock.ts";
import { SIGHUP } from "../../posix/signals.ts";
import { EX, failure, reasonOf, type Result, success } from "../../result.ts";
import type { ParsedOptions } from "../shared/options.ts";
import type { Outcome } from "../shared/subcommand.ts";

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
 * @param given What was given.
 * @returns The exit code.
 */
export async function reload({ values }: ParsedOptions): Promise<Outcome> {
  const reloaded = await reloadDaemon(values.get("pid-file"));
  if (!reloaded.ok) return reloaded;
  console.log(`process id ${reloaded.value} serves the new configuration`);
  return success(EX.OK);
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
  const libc = openLibc();
  if (!isLibc(libc)) {
    return failure({
      text: `cannot see whose ${pidFile} is: ${libc.unavailable}`,
      mend: "send the daemon SIGHUP",
      exitCode: EX.OSERR,
    });
  }
  const before = readPid(pidFile);
  if (!before.ok) return before;
  const found = findDaemon(libc, pidFile, before.value.pid);
  if (!found.ok) return found;
  using daemon = found.value;
  return await hangUp(daemon, pidFile, before.value);
}

/**
 * Finds the daemon that has written a pid file: the process that has it locked.
 * A file that was left behind names whoever has the process id by now.
 */
function findDaemon(
  libc: Libc,
  pidFile: string,
  pid: number,
): Result<OtherProcess> {
  let daemon: OtherProcess | undefined;
  try {
    daemon = new OtherProcess(libc, pid);
    // Asked while the process is held.
    const holder = lockHolderOf(libc, pidFile);
    const program = daemon.runsThisProgram() === false
      ? daemon.program()
      : undefined;
    if (holder === pid && program === undefined) {
      const found = daemon;
      daemon = undefined;
      return success(found);
    }
    return failure({
      text: holder === undefined
        ? `${pidFile} was left behind: no process has it locked`
        : holder !== pid
        ? `${pidFile} names process id ${pid}, but is locked by another process`
        : `${pidFile} names process id ${pid}, which runs ${program}`,
      mend: "nothing was signalled: see whether the daemon runs, and where",
      exitCode: EX.OSERR,
    });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return error.code === ESRCH
      ? failure({
        text: `${pidFile} was left behind: there is no process id ${pid}`,
        mend: "see whether the daemon runs",
        exitCode: EX.OSERR,
      })
      : failure({
        text: `cannot see whose ${pidFile} is: ${error.message}`,
        exitCode: EX.OSERR,
      });
  } finally {
    daemon?.[Symbol.dispose]();
  }
}

function lockHolderOf(libc: Libc, pidFile: string): number | undefined {
  const flags = O_NONBLOCK | O_CLOEXEC;
  const opened = libc.c.open(cString(pidFile), flags, 0);
  const fd = checked(libc, "open", opened);
  try {
    return writeLockHolder(libc, fd);
  } finally {
    libc.c.close(fd);
  }
}

async function hangUp(
  daemon: OtherProcess,
  pidFile: string,
  { inode, writtenMs }: FoundPid,
): Promise<Result<number>> {
  const { pid } = daemon;
  try {
    daemon.signal(SIGHUP);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return failure({
      text: `cannot signal process id ${pid}: ${error.message}`,
      mend: "reload as root, or as who has started it",
      exitCode: error.code === EPERM ? EX.NOPERM : EX.OSERR,
    });
  }
  const deadlineMs = performance.now() + RELOAD_MS;
  while (performance.now() < deadlineMs) {
    const now = readPid(pidFile);
    // One that serves puts a file of its own there; one that refuses to writes
    // into that which is there.
    if (now.ok && now.value.inode !== inode) return success(now.value.pid);
    if (now.ok && now.value.writtenMs !== writtenMs) break;
    if (!daemon.signal(0)) {
      return failure({
        text: `process id ${pid} has ended`,
        mend: "its log tells why",
        exitCode: EX.OSERR,
      });
    }
    await delay(LOOK_MS);
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
    // To open a pipe would be to wait for who writes to it.
    if (!Deno.statSync(pidFile).isFile) throw new Error("it is no file");
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
