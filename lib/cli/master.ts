/**
 * The child's side of master(8): this program in the place of spawn(8), as an
 * entry of master.cf starts it.
 *
 * Diagnostics go to the mail log. A fatal one waits a second, so that master
 * does not start one process after the other, and ends the process with 1.
 *
 * @module
 */

import { type DaemonLog, logTo } from "../log/log.ts";
import { SYSLOG_SOCKET, SystemLog } from "../log/system_log.ts";
import { serveTurn } from "../master/child.ts";
import { isLibc, openLibc } from "../posix/libc.ts";
import { commandLine, raiseDescriptorLimit } from "../posix/process.ts";
import { prepareProcess } from "../service/daemon.ts";
import { type MasterRequest, parseMasterRequest } from "./master_options.ts";
import { Fatal, planChild } from "./master_plan.ts";

/** Postfix's log facility until its configuration is known. */
const MAIL_FACILITY = 2;

/** How long a process that failed stays, so that master does not spin. */
const FATAL_WAIT_MS = 1000;

const EXIT_FATAL = 1;

/**
 * Runs as a child of master(8).
 *
 * @param words The words after the program.
 * @returns The exit code.
 */
export async function serveMaster(words: readonly string[]): Promise<number> {
  const libc = openLibc();
  if (!isLibc(libc)) return EXIT_FATAL;
  const program = commandLine(libc)[0]?.split("/").at(-1) ?? "spawnd";
  const postlog = Deno.env.get("POSTLOG_SERVICE");
  const host = Deno.env.get("POSTLOG_HOSTNAME")?.split(".")[0] ?? "localhost";
  const sink = new SystemLog(libc, {
    ident: `${Deno.env.get("MAIL_LOGTAG") ?? "postfix"}/${program}`,
    path: postlog ?? SYSLOG_SOCKET,
    origin: postlog === undefined ? { facility: MAIL_FACILITY } : { host },
  });
  const log = logTo(sink);
  try {
    prepareProcess(libc);
    // As spawn(8) does, for the daemon and for its commands.
    raiseDescriptorLimit(libc);
    const request = readRequest(words);
    const plan = planChild(request, {
      libc,
      program,
      logAs: (name, facility) => sink.rename(`${name}/${program}`, facility),
    });
    for (const text of plan.warnings) log.warning("configuration", text);
    await serveTurn(plan, { libc, log });
    await log.flush();
    return 0;
  } catch (error) {
    return await endFatally(log, error);
  }
}

function readRequest(words: readonly string[]): MasterRequest {
  const request = parseMasterRequest(words);
  if (!request.ok) throw new Fatal(request.mistake.text);
  const { isDebugged, transport } = request.value;
  if (Deno.stdin.isTerminal() && !isDebugged && transport !== "stdin") {
    throw new Fatal("do not run this command by hand");
  }
  return request.value;
}

/** Whatever it is: there is nobody here to read standard error. */
async function endFatally(log: DaemonLog, error: unknown): Promise<number> {
  const text = error instanceof Error ? error.message : String(error);
  log.fatal("cannot-go-on", text);
  await log.flush();
  await new Promise((resolve) => setTimeout(resolve, FATAL_WAIT_MS));
  return EXIT_FATAL;
}
