/**
 * The trial's side of a reload: opens everything as if to serve, gives its
 * verdict, and leaves everything that it did not make as it is.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import type { LogRecord } from "../../log/recorder.ts";
import { InheritedSockets } from "../../net/inherited_sockets.ts";
import { tryToRestAs, unchangingCredentials } from "../../posix/credentials.ts";
import type { Libc } from "../../posix/libc.ts";
import { EX, type Mistake, type Result, success } from "../../result.ts";
import type { DaemonPlan } from "../plan.ts";
import { closeOpened, openSockets } from "../open_sockets.ts";
import {
  closeOwnSockets,
  openOwnSockets,
  tellMissing,
} from "../own_sockets.ts";
import { checkPidFile } from "../pid_file.ts";
import { unmappedUsers } from "../unmapped_users.ts";
import type { Handed } from "./handed.ts";
import { writePlan } from "./plan_record.ts";
import { VerdictSender } from "./verdict.ts";

/** What a trial has. */
export interface TryOptions {
  readonly libc: Libc;
  readonly handed: Handed;
  /** Where it gives its verdict. */
  readonly trialFd: number;
  /** The edition of the program. */
  readonly program: string;
  /** What it has to say beside its verdict. */
  readonly records: readonly LogRecord[];
  /** Where it says it. */
  readonly log: Log;
}

/**
 * Tries a plan and gives the verdict.
 *
 * @param planned The plan; or every mistake for which there is none.
 * @param options What the trial has.
 */
export function tryPlan(
  planned: Result<DaemonPlan, readonly Mistake[]>,
  options: TryOptions,
): void {
  const sender = new VerdictSender(options.libc, options.trialFd);
  const tried = planned.ok ? open(planned.value, options, sender) : planned;
  sender.give(
    tried.ok ? { plan: tried.value } : { mistakes: tried.mistake },
  );
}

function open(
  plan: DaemonPlan,
  { libc, handed, program, records, log }: TryOptions,
  sender: VerdictSender,
): Result<string, readonly Mistake[]> {
  const unmapped = unmappedUsers(libc, plan);
  if (unmapped.length > 0) return { ok: false, mistake: unmapped };
  const inherited = new InheritedSockets(
    libc,
    handed.sockets,
    unchangingCredentials,
  );
  const opened = openSockets(plan, {
    libc,
    inherited,
    credentials: unchangingCredentials,
    opened: (socket) => sender.pass(socket),
  });
  if (!opened.ok) return opened;
  const own = openOwnSockets(plan, {
    ...{ libc, inherited },
    credentials: unchangingCredentials,
    opened: (socket) => sender.pass(socket),
  });
  for (const mistake of own.missing) tellMissing(log, mistake);
  const checked = checkRest(plan, libc);
  const mistakes = [...own.mistakes, ...checked];
  if (mistakes.length > 0) {
    closeOpened(opened.value, inherited);
    closeOwnSockets(own.sockets, inherited);
    return { ok: false, mistake: mistakes };
  }
  return success(writePlan(plan, {
    ...{ program, records },
    sockets: opened.value,
    own: own.sockets,
    isInherited: (socket) => inherited.took(socket),
  }));
}

/** What else the daemon would have to do before it serves. */
function checkRest(plan: DaemonPlan, libc: Libc): readonly Mistake[] {
  const { pidFile } = plan;
  const checked = pidFile === undefined
    ? success(undefined)
    : checkPidFile(libc, pidFile, {
      credentials: unchangingCredentials,
      holder: Deno.ppid,
    });
  if (!checked.ok) return [checked.mistake];
  const unsafe = plan.owner && tryToRestAs(libc, plan.owner);
  if (unsafe === undefined) return [];
  const { unsafe: text, mend } = unsafe;
  return [{ text, mend, exitCode: EX.CONFIG }];
}
