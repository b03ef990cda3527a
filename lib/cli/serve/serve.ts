/**
 * `spawnd serve`: all spawn services of a configuration in one process.
 *
 * @module
 */

import {
  EX,
  formatMistake,
  type Mistake,
  reasonOf,
  type Result,
  success,
} from "../../result.ts";
import type { LogRecord } from "../../log/recorder.ts";
import { recorder, retell } from "../../log/recorder.ts";
import { InheritedSockets } from "../../net/inherited_sockets.ts";
import { unchangingCredentials } from "../../posix/credentials.ts";
import type { Libc } from "../../posix/libc.ts";
import { raiseDescriptorLimit } from "../../posix/process.ts";
import { type Adopted, serveUntilStopped } from "../../service/daemon.ts";
import type { DaemonPlan } from "../../service/plan.ts";
import { prepareProcess } from "../../service/prepare_process.ts";
import {
  foreign,
  type Handed,
  HANDED_VARIABLE,
  type Start,
  takeHanded,
} from "../../service/reload/handed.ts";
import { readPlan } from "../../service/reload/plan_record.ts";
import { tryPlan } from "../../service/reload/try_plan.ts";
import { type ServeRequest, serveRequest } from "./request.ts";
import { announcement } from "./announcement.ts";
import { planServices } from "../serving/plan_services.ts";
import { readConfiguration } from "../shared/read_configuration.ts";
import { takeActivated } from "../serving/activated.ts";
import { checkMeans } from "../serving/means.ts";
import { openContext, type StartContext } from "../serving/start.ts";
import type { ParsedOptions } from "../shared/options.ts";
import type { Outcome } from "../shared/subcommand.ts";
import { versionLine } from "../shared/version.ts";

/**
 * Runs the subcommand.
 *
 * @param given What was given.
 * @returns The exit code.
 */
export async function serve(given: ParsedOptions): Promise<Outcome> {
  const request = serveRequest(given);
  if (!request.ok) return request;
  const context = openContext(request.value.logFormat);
  const { libc, log } = context;
  const start = libc && takeHanded(libc);
  if (libc !== undefined && start?.trialFd !== undefined) {
    tryToServe(
      request.value,
      { ...context, libc },
      start.handed,
      start.trialFd,
    );
    return success(EX.OK);
  }
  const served = await serveConfiguration(request.value, context, start);
  if (!served.ok) {
    for (const mistake of served.mistake) {
      log.error("refused", formatMistake(mistake), { ...mistake });
    }
    log.fatal("cannot-start", `nothing is served: ${count(served.mistake)}`);
  }
  await log.flush();
  return success(
    served.ok ? EX.OK : served.mistake[0]?.exitCode ?? EX.CONFIG,
  );
}

function count({ length }: readonly unknown[]): string {
  return length === 1 ? "1 error" : `${length} errors`;
}

/** Whoever reloads tells what is wrong, so that one looks in one log. */
function tryToServe(
  request: ServeRequest,
  context: StartContext & { readonly libc: Libc },
  handed: Handed,
  trialFd: number,
): void {
  const { log, records } = recorder();
  // The descriptor of --ready-fd was told at the first start.
  const planned = planWith({ ...request, readyFd: undefined }, {
    ...context,
    log,
  });
  tryPlan(planned, {
    libc: context.libc,
    ...{ handed, trialFd, records, log },
    program: versionLine(),
  });
}

async function serveConfiguration(
  request: ServeRequest,
  context: StartContext,
  start: Start | undefined,
): Promise<Result<void, readonly Mistake[]>> {
  const { libc } = context;
  const adopted = libc && start && adopt(libc, start.handed);
  const planned = adopted?.plan && libc !== undefined
    ? takePlan(adopted.plan, { ...context, libc })
    : planWith(
      adopted === undefined ? request : { ...request, readyFd: undefined },
      context,
      adopted !== undefined,
    );
  if (!planned.ok) return planned;
  const descriptorLimit = limitFor(planned.value, libc, start?.handed);
  // In the same process, what was said of it the first time still stands there.
  const activated = adopted === undefined
    ? takeActivated(context, planned.value.engine)
    : success(undefined);
  if (!activated.ok) return { ok: false, mistake: [activated.mistake] };
  return await serveUntilStopped(
    { ...planned.value, descriptorLimit },
    { ...context, adopted, activated: activated.value },
  );
}

/** What a former image of this process has handed on, and the plan for it. */
interface AdoptedPlan extends Adopted {
  /** Not there if another edition of the program has tried it. */
  readonly plan: ReturnType<typeof readPlan>;
}

function adopt(libc: Libc, handed: Handed): AdoptedPlan {
  const { plan, sockets } = handed;
  const passed = plan?.passed ?? [];
  const credentials = { now: unchangingCredentials() };
  const inherited = takeSockets(
    libc,
    [...sockets, ...passed],
    () => credentials.now,
  );
  return {
    ...{ handed, inherited, credentials },
    plan: plan && readPlan(plan.text, {
      program: versionLine(),
      passed: passed.map(({ fd }) => fd),
      inherited,
    }),
  };
}

function takeSockets(
  ...words: ConstructorParameters<typeof InheritedSockets>
): InheritedSockets {
  try {
    return new InheritedSockets(...words);
  } catch (error) {
    const reason = reasonOf(error);
    throw foreign(HANDED_VARIABLE, reason);
  }
}

function takePlan(
  { plan, records }: {
    plan: Omit<DaemonPlan, "announce">;
    records: readonly LogRecord[];
  },
  context: StartContext & { readonly libc: Libc },
): Result<DaemonPlan, readonly Mistake[]> {
  const prepared = prepareProcess(context.libc, true);
  if (!prepared.ok) return { ok: false, mistake: [prepared.mistake] };
  retell(records, context.log);
  const announce = announcement(plan.about ?? {}, context.log);
  return { ok: true, value: { ...plan, announce } };
}

/** Reads and checks everything. */
function planWith(
  request: ServeRequest,
  context: StartContext,
  isAdopting = false,
): Result<DaemonPlan, readonly Mistake[]> {
  const means = checkMeans(request, context);
  if (!means.ok) return { ok: false, mistake: [means.mistake] };
  const prepared = context.libc === undefined
    ? success(undefined)
    : prepareProcess(context.libc, isAdopting);
  if (!prepared.ok) return { ok: false, mistake: [prepared.mistake] };
  const configuration = readConfiguration(request.directory);
  const planned = planServices(
    configuration,
    {
      ...{ way: "serve", ...request },
      mailConfig: request.isDirectoryGiven ? request.directory : undefined,
    },
    { means: means.value, context },
  );
  if (!planned.ok) return planned;
  const about = {
    directory: configuration.directory,
    services: configuration.entries.length,
    otherEntries: configuration.otherEntries,
  };
  const announce = announcement(about, context.log);
  return { ok: true, value: { ...planned.value.plan, about, announce } };
}

/**
 * Lets the daemon have as many descriptors as it may, for a pidfd a command,
 * and its commands as many as ever. (relay would hand its own on.)
 */
function limitFor(
  { engine }: DaemonPlan,
  libc: Libc | undefined,
  handed: Handed | undefined,
): DaemonPlan["descriptorLimit"] {
  if (libc === undefined || engine !== "direct") return undefined;
  const before = raiseDescriptorLimit(libc);
  return handed?.descriptorLimit ?? before;
}
