/**
 * This program as a file of Postfix's daemon directory: put there, and taken
 * away again.
 *
 * It is a copy, never a link: what Postfix runs as root must not be in a place
 * that others may write to.
 *
 * @module
 */

import { EX, type Mistake } from "../../result.ts";
import type { ChangedBinary, InstallState } from "./state.ts";
import { type BinaryFacts, PROGRAM_MODE } from "./situation.ts";
import { digestOf, isThere, replaceFile } from "./whole_file.ts";

/** What a program is kept as that was there before. */
const KEPT_SUFFIX = ".before-install";

/**
 * Tells why the program cannot be put there.
 *
 * @param facts What is there.
 * @param state What was changed before.
 * @returns The mistake, if there is one.
 */
export function refuseBinary(
  { target, found }: BinaryFacts,
  { binary }: InstallState,
): Mistake | undefined {
  const exitCode = EX.CONFIG;
  if (binary !== null && binary.path !== target) {
    return {
      text: `the daemon directory has changed: ${binary.path} was installed`,
      mend: "undo that first, with --undo",
      exitCode,
    };
  }
  const kept = `${target}${KEPT_SUFFIX}`;
  if (binary === null && found === "other" && isThere(kept)) {
    return {
      text: `${kept} is there already, so ${target} cannot be kept as that`,
      mend: "move it away",
      exitCode,
    };
  }
  return undefined;
}

/**
 * Tells where the program that is there now would be kept.
 *
 * @param facts What is there.
 * @param state What was changed before.
 * @returns The path; `undefined` if nothing has to be kept: what was installed
 * before needs no keeping.
 */
export function keptPath(
  { target, found }: BinaryFacts,
  { binary }: InstallState,
): string | undefined {
  return binary === null && found === "other"
    ? `${target}${KEPT_SUFFIX}`
    : undefined;
}

/**
 * Puts the program there.
 *
 * @param facts What is there.
 * @param state What was changed before.
 * @param record Is told what will have been changed, before it is.
 */
export function installBinary(
  facts: BinaryFacts,
  state: InstallState,
  record: (binary: ChangedBinary) => void,
): void {
  const { source, sourceDigest: digest, target, found } = facts;
  // What somebody put there by hand is not ours to remove.
  if (found === "same" && state.binary === null) return;
  const kept = keptPath(facts, state);
  if (kept !== undefined) Deno.linkSync(target, kept);
  record({
    path: target,
    digest,
    kept: state.binary === null ? kept ?? null : state.binary.kept,
  });
  if (found === "same") return;
  const bytes = Deno.readFileSync(source);
  replaceFile(target, bytes, { uid: 0, gid: 0, mode: PROGRAM_MODE });
}

/**
 * Tells whether the program there is still the one that was installed.
 *
 * @param binary What was installed.
 * @returns Whether it is, or has gone.
 */
export async function isStillOurs(
  { path, digest }: ChangedBinary,
): Promise<boolean> {
  return !isThere(path) || await digestOf(path) === digest;
}

/**
 * Takes the program away; what was there before comes back.
 *
 * @param binary What was installed.
 */
export function uninstallBinary({ path, kept }: ChangedBinary): void {
  if (kept !== null && isThere(kept)) Deno.renameSync(kept, path);
  else if (isThere(path)) Deno.removeSync(path);
}
