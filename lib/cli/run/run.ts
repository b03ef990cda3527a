/**
 * `spawnd run`: one service from the command line.
 *
 * @module
 */

import { configurationOf } from "../../config/one_entry.ts";
import type { EngineName } from "../../engine/engine.ts";
import type { ListeningSocket } from "../../net/listening.ts";
import { quoted } from "../../log/quoted.ts";
import {
  EX,
  failure,
  formatMistake,
  type Mistake,
  type Result,
  success,
} from "../../result.ts";
import { serveUntilStopped } from "../../service/daemon.ts";
import type { DaemonPlan } from "../../service/plan.ts";
import { prepareProcess } from "../../service/prepare_process.ts";
import { lookAtCommand } from "../inspect/find_command.ts";
import type { PlannedService } from "../serving/listen.ts";
import { planServices } from "../serving/plan_services.ts";
import { type RunRequest, runRequest } from "./request.ts";
import { keepLogFromClient, serveStandardInput } from "./standard_input.ts";
import { takeActivated } from "../serving/activated.ts";
import { checkMeans } from "../serving/means.ts";
import { openContext, type StartContext } from "../serving/start.ts";
import type { ParsedOptions } from "../shared/options.ts";
import type { Outcome } from "../shared/subcommand.ts";
import { thisMachine } from "../shared/this_machine.ts";

/**
 * Runs the subcommand.
 *
 * @param given What was given.
 * @returns The exit code.
 */
export async function run(given: ParsedOptions): Promise<Outcome> {
  const request = runRequest(given);
  if (!request.ok) return request;
  if (request.value.type === "stdin") keepLogFromClient();
  const context = openContext(request.value.logFormat);
  const { log } = context;
  const served = await serve(request.value, context);
  if (!served.ok) {
    const { mistake } = served;
    log.fatal("cannot-start", formatMistake(mistake), { ...mistake });
  }
  await log.flush();
  return success(served.ok ? EX.OK : served.mistake.exitCode);
}

async function serve(
  request: RunRequest,
  context: StartContext,
): Promise<Result<void>> {
  const served = await planAndServe(request, context);
  if (served.ok) return served;
  const [mistake] = served.mistake;
  if (mistake === undefined) throw new Error("refused without a reason");
  return failure(mistake);
}

async function planAndServe(
  request: RunRequest,
  context: StartContext,
): Promise<Result<void, readonly Mistake[]>> {
  const planned = plan(request, context);
  if (!planned.ok) return planned;
  if (request.type === "stdin") {
    return await serveStandardInput(planned.value, context);
  }
  const activated = takeActivated(context, planned.value.engine);
  if (!activated.ok) return { ok: false, mistake: [activated.mistake] };
  return await serveUntilStopped(planned.value, {
    ...context,
    activated: activated.value,
  });
}

function plan(
  request: RunRequest,
  context: StartContext,
): Result<DaemonPlan, readonly Mistake[]> {
  const { libc, log } = context;
  const means = checkMeans(request, context);
  if (!means.ok) return { ok: false, mistake: [means.mistake] };
  const prepared = libc === undefined
    ? success(undefined)
    : prepareProcess(libc);
  if (!prepared.ok) return { ok: false, mistake: [prepared.mistake] };
  const { name, maxProcesses, attributes: words, verbose } = request;
  // What never listens has the address of a socket that is never made.
  const type = request.type === "stdin" ? "unix" : request.type;
  const configuration = configurationOf(
    { type, name, maxProcesses, words },
    request.settings,
    thisMachine,
  );
  const planned = planServices(configuration, { way: "run", verbose }, {
    means: means.value,
    context,
  });
  if (!planned.ok) return planned;
  const { plan, services: [service] } = planned.value;
  if (service === undefined) throw new Error("planned without a service");
  // It may be installed later; so that is no reason not to serve.
  for (const finding of lookAtCommand(service.attributes, plan.directory)) {
    log.warning("command", formatMistake(finding), { ...finding });
  }
  const engine = means.value.engine;
  return success({
    ...plan,
    announce: (sockets) =>
      announce(service, context, {
        engine,
        whyNotDirect: request.engine === undefined ? context.unavailable : "",
        sockets: [...sockets.values()].flat(),
      }),
  });
}

function announce(
  { attributes, maxProcesses, settings }: PlannedService,
  { log }: StartContext,
  { engine, whyNotDirect, sockets }: {
    readonly engine: EngineName;
    readonly whyNotDirect: string;
    readonly sockets: readonly ListeningSocket[];
  },
): void {
  const { argv, userName, identity } = attributes;
  const addresses = sockets.map(({ address }) => address);
  const why = whyNotDirect === "" ? "" : ` (${whyNotDirect})`;
  log.info(
    "listening",
    `listening on ${addresses.join(" and ")}: runs ${
      argv.map(quoted).join(" ")
    } as ` +
      `${userName} (uid ${identity.uid}, gid ${identity.gid}), ` +
      `engine ${engine}${why}`,
    {
      addresses,
      argv,
      user: userName,
      ...identity,
      engine,
      maxProcesses,
      timeLimitSeconds: settings.command_time_limit,
    },
  );
}
