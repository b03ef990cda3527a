/**
 * `spawnd install-postfix --undo`: what was changed, put back as it was; what
 * others have changed since, told and left.
 *
 * @module
 */

import {
  EX,
  type ExitCode,
  failure,
  type Result,
  success,
} from "../../result.ts";
import { isStillOurs, uninstallBinary } from "./binary.ts";
import { editMasterCf } from "./entries.ts";
import { type InstallRequest, reloadCommand } from "./request.ts";
import type { Situation } from "./situation.ts";
import {
  backupPath,
  type ChangedEntry,
  type InstallState,
  writeState,
} from "./state.ts";
import { didYouMean } from "../../did_you_mean.ts";
import type { LineEdit, MasterLine } from "./postconf.ts";
import { digestOf } from "./whole_file.ts";

/** What is to be done about what was changed. */
export interface UndoPlan {
  /** Entries to put back, as they are to be. */
  readonly back: readonly LineEdit[];
  /** Entries that are not as they were left, and what they are. */
  readonly left: readonly { service: string; now: string | undefined }[];
  /** Entries that were not asked for. */
  readonly others: readonly ChangedEntry[];
  /** Services that run spawnd when that is done. */
  readonly users: readonly string[];
}

/**
 * Plans what to put back.
 *
 * @param state What was changed.
 * @param lines The entries as they are now, by `NAME/TYPE`.
 * @param services Those asked for; none for all.
 * @returns The plan, or which service was never changed.
 */
export function planUndo(
  { entries }: Pick<InstallState, "entries">,
  lines: ReadonlyMap<string, MasterLine>,
  services: readonly string[],
): Result<UndoPlan> {
  const known = entries.map(({ service }) => service);
  const unknown = services.find((service) => !known.includes(service));
  if (unknown !== undefined) {
    return failure({
      text: `nothing was changed of ${unknown}`,
      mend: didYouMean(unknown, known),
      exitCode: EX.USAGE,
    });
  }
  const isAsked = ({ service }: ChangedEntry): boolean =>
    services.length === 0 || services.includes(service);
  const asked = entries.filter(isAsked);
  const back = asked.flatMap(({ service, before, after }) => {
    const { fields = "", command } = lines.get(service) ?? {};
    return command === after ? [{ service, fields, command: before }] : [];
  });
  const left = asked
    .map(({ service, before, after }) => {
      const now = lines.get(service)?.command;
      return { service, now, isAsKnown: now === before || now === after };
    })
    .filter(({ isAsKnown }) => !isAsKnown)
    .map(({ service, now }) => ({ service, now }));
  const restored = new Set(back.map(({ service }) => service));
  const users = [...lines]
    .filter(([service, { command }]) =>
      /^spawnd( |$)/.test(command) && !restored.has(service)
    )
    .map(([service]) => service);
  return success({
    back,
    left,
    others: entries.filter((entry) => !isAsked(entry)),
    users,
  });
}

/**
 * Runs it.
 *
 * @param situation What there is.
 * @param request What was asked for.
 * @param tell Prints a line.
 * @returns The exit code, 1 where something was left; or why nothing was done.
 */
export async function undo(
  situation: Situation,
  request: InstallRequest,
  tell: Tell,
): Promise<Result<ExitCode | 1>> {
  const { postconf, state } = situation;
  if (state.binary === null && state.entries.length === 0) {
    tell("nothing to undo");
    return success(EX.OK);
  }
  const lines = postconf.lines();
  if (!lines.ok) return lines;
  const planned = planUndo(state, lines.value, request.services);
  if (!planned.ok) return planned;
  const plan = planned.value;
  const { isConfirmed } = request;
  const restored = await restoreEntries(situation, plan, { isConfirmed, tell });
  if (!restored.ok) return restored;
  // Until Postfix is reloaded, it may start the program for any of them: who
  // names services can reload before the program goes.
  const isBinaryLeft = request.services.length === 0 &&
    await restoreBinary(situation, plan, { isConfirmed, tell });
  const isLeft = plan.left.length > 0 || isBinaryLeft;
  tell(
    isConfirmed
      ? `now, and at once, run: ${reloadCommand(situation.directory)}`
      : "nothing is changed yet: --yes does it",
  );
  return success(isLeft ? 1 : EX.OK);
}

/** Prints a line. */
type Tell = (line: string) => void;

/** How to go about it. */
interface UndoOptions {
  readonly isConfirmed: boolean;
  readonly tell: Tell;
}

async function restoreEntries(
  situation: Situation,
  { back, left, others }: UndoPlan,
  { isConfirmed, tell }: UndoOptions,
): Promise<Result<void>> {
  const { configuration, directory, postconf, state } = situation;
  const { file } = configuration.master;
  const backup = backupPath(directory);
  const isWhole = back.length > 0 && back.length === state.entries.length &&
    state.masterCf !== null &&
    await digestOf(file) === state.masterCf.after &&
    await digestOf(backup) === state.masterCf.before;
  if (isConfirmed) {
    if (isWhole) Deno.renameSync(backup, file);
    else if (back.length > 0) {
      const edited = editMasterCf(situation, back);
      if (!edited.ok) return edited;
    }
    writeState(directory, { ...state, entries: others, masterCf: null });
  }
  for (const edit of back) {
    tell(`${edit.service}: ${isConfirmed ? "runs" : "to run"} spawn again`);
    if (!isConfirmed && !isWhole) tell(`  ${postconf.shownEdit(edit)}`);
  }
  for (const { service, now = "it is no longer in master.cf" } of left) {
    tell(`${service}: left as it is, for it was changed since: ${now}`);
  }
  if (isWhole) {
    tell(`${file}: ${isConfirmed ? "is" : "to be"} again what it was`);
  } else if (back.length > 0) {
    tell(`${backup}: left, for others have changed master.cf since`);
  }
  return success(undefined);
}

/** Tells, too, whether the program was left there. */
async function restoreBinary(
  { directory, state: { binary } }: Situation,
  { others, users: [user] }: UndoPlan,
  { isConfirmed, tell }: UndoOptions,
): Promise<boolean> {
  if (binary === null) return false;
  const { path, kept } = binary;
  if (user !== undefined) {
    tell(`${path}: left as it is, for ${user} runs it`);
    return true;
  }
  const isOurs = await isStillOurs(binary);
  if (isConfirmed) {
    if (isOurs) uninstallBinary(binary);
    writeState(directory, { binary: null, entries: others, masterCf: null });
  }
  if (!isOurs) {
    tell(`${path}: left as it is, for another was put there since`);
  } else if (kept === null) {
    tell(`${path}: ${isConfirmed ? "removed" : "to be removed"}`);
  } else {
    tell(`${path}: ${isConfirmed ? "is" : "to be"} again what it was`);
  }
  return !isOurs;
}
