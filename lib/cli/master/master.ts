/**
 * The child's side of master(8): this program in the place of spawn(8), as an
 * entry of master.cf starts it.
 *
 * Diagnostics go to the mail log. A fatal one waits a second, so that master
 * does not start one process after the other, and ends the process with 1, and
 * the connections of those who waited for it.
 *
 * @module
 */

import { type DaemonLog, logTo } from "../../log/log.ts";
import { SYSLOG_SOCKET, SystemLog } from "../../log/system_log.ts";
import { type ChildPlan, serveTurn } from "../../master/child.ts";
import { readChildPlan, writeChildPlan } from "../../master/child_record.ts";
import { WaitingClients } from "../../master/waiting_clients.ts";
import { STATUS_FD } from "../../master/status.ts";
import { isLibc, type Libc, openLibc } from "../../posix/libc.ts";
import {
  commandLine,
  raiseDescriptorLimit,
  wasInheritedForWriting,
} from "../../posix/process.ts";
import { EX, formatMistake, reasonOf } from "../../result.ts";
import { prepareProcess } from "../../service/prepare_process.ts";
import {
  type Handed,
  HANDED_VARIABLE,
  takeHanded,
} from "../../service/reload/handed.ts";
import { VerdictSender } from "../../service/reload/verdict.ts";
import { type MasterRequest, parseMasterRequest } from "./request.ts";
import { Fatal, listeningSockets, planChild } from "./plan.ts";
import { versionLine } from "../shared/version.ts";

/** Postfix's log facility until its configuration is known. */
const MAIL_FACILITY = 2;

/** How long a process that failed stays, so that master does not spin. */
const FATAL_WAIT_MS = 1000;

const EXIT_FATAL = 1;

/** What to do where words are those of a child of master(8), and are not. */
const BY_HAND_MEND = "only Postfix's master(8) starts it with such words: " +
  "write spawnd serve -c DIR, or see spawnd --help";

/**
 * Runs as a child of master(8).
 *
 * @param words The words after the program.
 * @returns The exit code.
 */
export async function serveMaster(words: readonly string[]): Promise<number> {
  const libc = openLibc();
  if (!isLibc(libc)) return EXIT_FATAL;
  const isByHand = wasStartedByHand(libc, words);
  const program = commandLine(libc)[0]?.split("/").at(-1) ?? "spawnd";
  const postlog = Deno.env.get("POSTLOG_SERVICE");
  const host = Deno.env.get("POSTLOG_HOSTNAME")?.split(".")[0] ?? "localhost";
  const sink = new SystemLog(libc, {
    ident: `${Deno.env.get("MAIL_LOGTAG") ?? "postfix"}/${program}`,
    path: postlog ?? SYSLOG_SOCKET,
    origin: postlog === undefined ? { facility: MAIL_FACILITY } : { host },
  });
  const log = logTo(sink);
  const logAs = (name: string, facility: number): void =>
    sink.rename(`${name}/${program}`, facility);
  let isTrial = false;
  try {
    const start = takeHanded(libc);
    if (start?.trialFd !== undefined) {
      isTrial = true;
      tryToServe(words, { libc, program, trialFd: start.trialFd });
      return 0;
    }
    prepare(libc, start !== undefined);
    // As spawn(8) does, for the daemon and for its commands.
    raiseDescriptorLimit(libc);
    const plan = takePlan(libc, start?.handed, logAs) ??
      planChild(readRequest(words), {
        ...{ libc, program, logAs },
        isAnew: start !== undefined,
      });
    for (const text of plan.warnings) log.warning("configuration", text);
    await serveTurn(plan, { libc, log, handed: start?.handed });
    await log.flush();
    return 0;
  } catch (error) {
    const text = reasonOf(error);
    log.fatal("cannot-go-on", text);
    // Its clients are those of the process that has it try.
    if (isTrial) await log.flush();
    else if (isByHand) {
      await log.flush();
      console.error(`spawnd: ${formatMistake({ text, mend: BY_HAND_MEND })}`);
    } else await endWithClients(libc, log);
    return EXIT_FATAL;
  }
}

/**
 * Tells whether nobody is there but who has typed the words: master(8) gives a
 * status channel and no terminal, inetd(8) the one connection.
 */
function wasStartedByHand(libc: Libc, words: readonly string[]): boolean {
  if (Deno.env.has(HANDED_VARIABLE)) return false;
  const isForInetd = words.some((word) => /^-[A-Za-z]*S/.test(word));
  return !isForInetd &&
    (Deno.stdin.isTerminal() || !wasInheritedForWriting(libc, STATUS_FD));
}

/** Whoever reloads tells what is wrong: it is what serves. */
function tryToServe(
  words: readonly string[],
  { libc, program, trialFd }: {
    readonly libc: Libc;
    readonly program: string;
    readonly trialFd: number;
  },
): void {
  const sender = new VerdictSender(libc, trialFd);
  try {
    prepare(libc);
    let named = { syslogName: "", facility: MAIL_FACILITY };
    const plan = planChild(readRequest(words), {
      ...{ libc, program },
      isAnew: true,
      logAs: (syslogName, facility) => named = { syslogName, facility },
    });
    sender.give({ plan: writeChildPlan({ ...named, plan }, versionLine()) });
  } catch (error) {
    if (!(error instanceof Fatal)) throw error;
    const { message: text } = error;
    sender.give({ mistakes: [{ text, exitCode: EX.CONFIG }] });
  }
}

function prepare(libc: Libc, isAdopting = false): void {
  const prepared = prepareProcess(libc, isAdopting);
  if (!prepared.ok) throw new Fatal(formatMistake(prepared.mistake));
}

/** The plan that a trial has made; not there if another edition has. */
function takePlan(
  libc: Libc,
  handed: Handed | undefined,
  logAs: (name: string, facility: number) => void,
): ChildPlan | undefined {
  const named = handed?.plan && readChildPlan(handed.plan.text, {
    program: versionLine(),
    listening: (count) => listeningSockets(libc, count),
  });
  if (named === undefined) return undefined;
  logAs(named.syslogName, named.facility);
  return named.plan;
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

/** Keeps those who wait until the end, which closes their connections. */
async function endWithClients(libc: Libc, log: DaemonLog): Promise<void> {
  const clients = new WaitingClients(libc);
  clients.take();
  await log.flush();
  await clients.takeFor(FATAL_WAIT_MS);
}
