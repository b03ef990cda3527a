/**
 * `spawnd serve`: all spawn services of a configuration in one process.
 *
 * @module
 */

import type { EngineName } from "../engine/engine.ts";
import type { LogFormat } from "../log/log.ts";
import {
  EX,
  type ExitCode,
  formatMistake,
  type Mistake,
  type Result,
} from "../result.ts";
import { prepareProcess, serveUntilStopped } from "../service/daemon.ts";
import { READY_VARIABLE } from "../service/hand_over.ts";
import { serveHelp } from "./help.ts";
import { parseServeRequest, SERVE_OPTIONS } from "./serve_options.ts";
import { planServices } from "./serve_plan.ts";
import { checkMeans, openContext, type StartContext } from "./start.ts";

/** What a command line asks for. */
export interface ServeRequest {
  /** The absolute path of the configuration. */
  readonly directory: string;
  /** Whether -c names it. */
  readonly isDirectoryGiven: boolean;
  readonly engine: EngineName | undefined;
  readonly logFormat: LogFormat;
  readonly pidFile: string | undefined;
  readonly readyFd: number | undefined;
  readonly verbose: boolean;
}

/**
 * Runs the subcommand.
 *
 * @param args The words after `serve`.
 * @returns The exit code.
 */
export async function serve(args: readonly string[]): Promise<ExitCode> {
  const request = parseServeRequest(args);
  if (!request.ok) {
    console.error(`spawnd serve: ${formatMistake(request.mistake)}`);
    return request.mistake.exitCode;
  }
  if (request.value === "help") {
    console.log(serveHelp(SERVE_OPTIONS));
    return EX.OK;
  }
  const context = openContext(request.value.logFormat);
  const { log } = context;
  const served = await serveConfiguration(request.value, context);
  if (!served.ok) {
    for (const mistake of served.mistake) {
      log.error("refused", formatMistake(mistake), { ...mistake });
    }
    log.fatal("cannot-start", `nothing is served: ${count(served.mistake)}`);
  }
  await log.flush();
  return served.ok ? EX.OK : served.mistake[0]?.exitCode ?? EX.CONFIG;
}

function count({ length }: readonly unknown[]): string {
  return length === 1 ? "1 error" : `${length} errors`;
}

async function serveConfiguration(
  request: ServeRequest,
  context: StartContext,
): Promise<Result<void, readonly Mistake[]>> {
  // A successor has its own descriptor, whatever its predecessor was given.
  const handedFd = Deno.env.get(READY_VARIABLE);
  const readyFd = handedFd === undefined ? request.readyFd : Number(handedFd);
  const means = checkMeans({ ...request, readyFd }, context);
  if (!means.ok) return { ok: false, mistake: [means.mistake] };
  if (context.libc !== undefined) prepareProcess(context.libc);
  const plan = planServices(request, means.value, context);
  return plan.ok ? await serveUntilStopped(plan.value, context) : plan;
}
