/**
 * The edit of master.cf: kept, done by postconf(1), and looked at afterwards.
 *
 * @module
 */

import { toBinary } from "../../config/bytes.ts";
import { parseMasterCf } from "../../config/master_cf.ts";
import {
  EX,
  failure,
  type Mistake,
  type Result,
  success,
} from "../../result.ts";
import { isOnlySwitched } from "./plan.ts";
import { backupPath, type ChangedEntry, type InstallState } from "./state.ts";
import type { LineEdit } from "./postconf.ts";
import type { Situation } from "./situation.ts";
import {
  createFile,
  digestOf,
  isThere,
  replaceFile,
  rightsOf,
} from "./whole_file.ts";

/**
 * Tells why master.cf cannot be edited.
 *
 * @param situation What there is.
 * @returns The mistake, if there is one.
 */
export async function refuseEdit(
  { configuration, directory, state }: Situation,
): Promise<Mistake | undefined> {
  const { file } = configuration.master;
  const exitCode = EX.CONFIG;
  if (Deno.lstatSync(file).isSymlink) {
    return {
      text: `${file} is a link, in whose place postconf would put a file`,
      mend: "write spawnd for spawn in what it leads to",
      exitCode,
    };
  }
  const backup = backupPath(directory);
  const kept = await digestOf(backup);
  const isOurs = kept === undefined || state.entries.length > 0 ||
    kept === await digestOf(file);
  return isOurs ? undefined : {
    text: `${backup} is there already, and is another master.cf`,
    mend: "move it away",
    exitCode,
  };
}

/**
 * Makes entries run other commands.
 *
 * @param situation What there is.
 * @param changes The entries.
 * @param record Is told what will have been changed, before it is, and again
 * when it has been.
 * @returns Nothing; or why it was not done.
 */
export async function switchEntries(
  situation: Situation,
  changes: readonly (ChangedEntry & { fields: string })[],
  record: (state: Pick<InstallState, "entries" | "masterCf">) => void,
): Promise<Result<void>> {
  const { configuration, directory, state } = situation;
  const { file } = configuration.master;
  const bytes = Deno.readFileSync(file);
  const digest = await digestOf(bytes) ?? "";
  const backup = backupPath(directory);
  const rights = rightsOf(file);
  if (!isThere(backup)) createFile(backup, bytes, rights);
  const switched = changes.map(({ service }) => service);
  const entries = [
    ...state.entries.filter(({ service }) => !switched.includes(service)),
    ...changes.map(({ service, before, after }) => ({
      service,
      before,
      after,
    })),
  ];
  record({ entries, masterCf: null });
  const edited = editMasterCf(
    situation,
    changes.map(({ service, fields, after: command }) => ({
      service,
      fields,
      command,
    })),
  );
  if (!edited.ok) {
    record({ entries: state.entries, masterCf: state.masterCf });
    return edited;
  }
  // Putting the kept file back must not undo what others have done since.
  const before = digest === state.masterCf?.after
    ? state.masterCf.before
    : digest;
  const isWhole = await digestOf(backup) === before;
  const after = await digestOf(file);
  record({
    entries,
    masterCf: isWhole && after !== undefined ? { before, after } : null,
  });
  return success(undefined);
}

/**
 * Edits commands in master.cf, which keeps its owner and mode. If anything but
 * the programs has changed, it is put back as it was.
 *
 * @param situation What there is.
 * @param edits The commands.
 * @returns Nothing; or why it was not done.
 */
export function editMasterCf(
  { configuration, postconf }: Pick<Situation, "configuration" | "postconf">,
  edits: readonly LineEdit[],
): Result<void> {
  const { file } = configuration.master;
  const bytes = Deno.readFileSync(file);
  const rights = rightsOf(file);
  const edited = postconf.edit(edits);
  const lines = edited.ok ? postconf.lines() : edited;
  const isDone = lines.ok &&
    edits.every(({ service, command }) =>
      lines.value.get(service)?.command === command
    ) &&
    isOnlySwitched(
      parseMasterCf(file, toBinary(bytes)),
      parseMasterCf(file, toBinary(Deno.readFileSync(file))),
      edits.map(({ service }) => service),
    );
  if (!isDone) replaceFile(file, bytes, rights);
  if (!lines.ok) return lines;
  if (!isDone) {
    return failure({
      text: `postconf did not do what was asked: ${file} is put back`,
      mend: "write spawnd for spawn in it by hand",
      exitCode: EX.OSERR,
    });
  }
  Deno.chownSync(file, rights.uid, rights.gid);
  Deno.chmodSync(file, rights.mode);
  return success(undefined);
}
