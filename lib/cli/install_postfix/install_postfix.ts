/**
 * `spawnd install-postfix`: puts this program in the place of spawn(8) below
 * Postfix, or shows how that is done.
 *
 * The program comes first and the entries after it, so that no entry names a
 * program that is not there. What will have been changed is written down
 * before it is changed: a crash in between leaves nothing that --undo does not
 * know of. Postfix is not reloaded: when, its administrator knows.
 *
 * @module
 */

import { formatProblem } from "../../config/problems.ts";
import { printable } from "../../log/printable.ts";
import {
  EX,
  type ExitCode,
  failure,
  type Result,
  success,
} from "../../result.ts";
import { isError } from "../inspect/inspect.ts";
import { installBinary, keptPath, refuseBinary } from "./binary.ts";
import { checkInstallation } from "./check.ts";
import { refuseEdit, switchEntries } from "./entries.ts";
import { type EntryPlan, selectPlans } from "./plan.ts";
import type { ParsedOptions } from "../shared/options.ts";
import type { Outcome } from "../shared/subcommand.ts";
import {
  type InstallRequest,
  installRequest,
  reloadCommand,
} from "./request.ts";
import {
  lookAtPostfix,
  refuseForeignWriters,
  type Situation,
} from "./situation.ts";
import { backupPath, type InstallState, writeState } from "./state.ts";
import { undo } from "./undo.ts";
import { isThere } from "./whole_file.ts";

/**
 * Runs the subcommand.
 *
 * @param given What was given.
 * @returns The exit code.
 */
export async function installPostfix(given: ParsedOptions): Promise<Outcome> {
  const request = installRequest(given);
  return request.ok ? await act(request.value) : request;
}

async function act(request: InstallRequest): Promise<Result<ExitCode | 1>> {
  if (request.isConfirmed && Deno.uid() !== 0) {
    return failure({
      text: "only root can change Postfix's files",
      mend: "start it as root; without --yes, anybody can look",
      exitCode: EX.NOPERM,
    });
  }
  try {
    const situation = await lookAtPostfix(request.directory);
    if (!situation.ok) return situation;
    switch (request.action) {
      case "install":
        return await install(situation.value, request);
      case "check":
        return checkInstallation(situation.value, request, tell);
      case "undo":
        return await undo(situation.value, request, tell);
    }
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    return failure({ text: error.message, exitCode: EX.OSERR });
  }
}

function tell(line: string): void {
  console.log(printable(line));
}

/** Whether the system refused something, as against a bug. */
function isOfSystem(error: unknown): error is Error {
  return error instanceof Error &&
    Object.values(Deno.errors).some((kind) => error instanceof kind);
}

async function install(
  situation: Situation,
  request: InstallRequest,
): Promise<Result<ExitCode | 1>> {
  const { configuration, entries } = situation;
  const errors = situation.problems.filter(isError);
  if (errors.length > 0) {
    for (const error of errors) console.error(printable(formatProblem(error)));
    return success(EX.CONFIG);
  }
  const selected = selectPlans(entries, request.services, configuration);
  if (!selected.ok) return selected;
  const plans = selected.value;
  const switches = plans.filter((plan) => plan.kind === "switch");
  const { found } = situation.binary;
  const mistake = refuseForeignWriters(situation) ??
    refuseBinary(situation.binary, situation.state) ??
    (switches.length > 0 ? await refuseEdit(situation) : undefined);
  if (mistake !== undefined) return failure(mistake);
  const isLeft = plans.some(({ kind }) => kind === "left");
  const isInPlace = switches.length === 0 && found === "same";
  const reload = reloadCommand(situation.directory);
  if (!request.isConfirmed) {
    show(situation, plans);
    tell(
      !isInPlace
        ? `nothing is changed yet: --yes does it; then run: ${reload}`
        : isLeft
        ? "all else is in place"
        : "everything is in place",
    );
    return success(EX.OK);
  }
  const done = await doIt(situation, plans);
  if (!done.ok) return done;
  tell(
    !isInPlace
      ? `now run: ${reload}`
      : isLeft
      ? "all else is in place"
      : "everything is in place",
  );
  return success(isLeft ? 1 : EX.OK);
}

function show(situation: Situation, plans: readonly EntryPlan[]): void {
  const { binary, configuration, directory, postconf, state } = situation;
  const { source, target, found } = binary;
  const kept = keptPath(binary, state);
  switch (found) {
    case "nothing":
      tell(`${target}: to be copied from ${source}`);
      break;
    case "same":
      tell(`${target}: is this program already`);
      break;
    case "other":
      tell(
        `${target}: to be replaced by ${source}, an upgrade` +
          (kept === undefined ? "" : `; the one there is kept as ${kept}`),
      );
  }
  const backup = backupPath(directory);
  if (plans.some(({ kind }) => kind === "switch") && !isThere(backup)) {
    tell(`${configuration.master.file}: to be kept as ${backup}`);
  }
  if (plans.length === 0) tell("no entry of master.cf runs spawn");
  for (const plan of plans) {
    switch (plan.kind) {
      case "switch": {
        const { service, fields, after: command } = plan;
        tell(`${service}: to run spawnd:`);
        tell(`  ${postconf.shownEdit({ service, fields, command })}`);
        break;
      }
      case "in place":
        tell(`${plan.service}: runs spawnd already`);
        break;
      case "left":
        tellLeft(plan);
    }
  }
}

function tellLeft(plan: EntryPlan & { kind: "left" }): void {
  const { service, text, mend } = plan;
  const why = mend === undefined ? text : `${text} (${mend})`;
  tell(`${service}: left as it is: ${why}`);
}

async function doIt(
  situation: Situation,
  plans: readonly EntryPlan[],
): Promise<Result<void>> {
  const { binary, directory } = situation;
  let { state } = situation;
  const record = (changed: Partial<InstallState>): void => {
    state = { ...state, ...changed };
    writeState(directory, state);
  };
  const { source, target, found } = binary;
  installBinary(binary, state, (changed) => record({ binary: changed }));
  if (found === "nothing") tell(`${target}: copied from ${source}`);
  if (found === "other") {
    tell(`${target}: replaced by ${source}, an upgrade`);
  }
  const switches = plans.filter((plan) => plan.kind === "switch");
  if (switches.length > 0) {
    const done = await switchEntries(situation, switches, record);
    if (!done.ok) return done;
  }
  for (const { service } of switches) tell(`${service}: runs spawnd`);
  for (const plan of plans) if (plan.kind === "left") tellLeft(plan);
  return success(undefined);
}
