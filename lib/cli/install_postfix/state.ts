/**
 * What `spawnd install-postfix` has changed, kept beside Postfix's
 * configuration for `--undo`.
 *
 * @module
 */

import { EX, failure, type Result, success } from "../../result.ts";
import { removeIfThere, replaceFile, rightsOf } from "./whole_file.ts";

/** Its name, in Postfix's configuration directory. */
const STATE_NAME = "spawnd-install.json";

/** What master.cf is kept as, beside it. */
const BACKUP_NAME = "master.cf.before-spawnd";

const ABOUT = "Written by spawnd install-postfix, " +
  "which needs it for --undo. Do not edit.";

/** An entry whose command was changed. */
export interface ChangedEntry {
  /** As `NAME/TYPE`. */
  readonly service: string;
  /** Its command before, as postconf writes it. */
  readonly before: string;
  /** Its command since. */
  readonly after: string;
}

/** A program that was put into the daemon directory. */
export interface ChangedBinary {
  readonly path: string;
  /** Its SHA-256. */
  readonly digest: string;
  /** Where what was there before is kept; `null` if nothing was there. */
  readonly kept: string | null;
}

/** All that was changed. */
export interface InstallState {
  readonly binary: ChangedBinary | null;
  readonly entries: readonly ChangedEntry[];
  /**
   * The SHA-256 of master.cf before and since; `null` where others have
   * changed it in between, so that putting it back would undo theirs, too.
   */
  readonly masterCf: { readonly before: string; readonly after: string } | null;
}

/** The state in which nothing was changed. */
export const UNCHANGED: InstallState = {
  binary: null,
  entries: [],
  masterCf: null,
};

/**
 * Tells what master.cf is kept as.
 *
 * @param directory Postfix's configuration.
 * @returns The path.
 */
export function backupPath(directory: string): string {
  return `${directory}/${BACKUP_NAME}`;
}

/**
 * Reads what was changed.
 *
 * @param directory Postfix's configuration.
 * @returns It; {@linkcode UNCHANGED} where nothing was.
 */
export function readState(directory: string): Result<InstallState> {
  const path = `${directory}/${STATE_NAME}`;
  try {
    const state: unknown = JSON.parse(Deno.readTextFileSync(path));
    if (isState(state)) {
      const { binary, entries, masterCf } = state;
      return success({ binary, entries, masterCf });
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return success(UNCHANGED);
    if (!(error instanceof SyntaxError)) throw error;
  }
  return failure({
    text: `not as spawnd install-postfix writes it: ${path}`,
    mend: `undo by hand: ${backupPath(directory)} is master.cf as it was`,
    exitCode: EX.CONFIG,
  });
}

/**
 * Keeps what was changed; of nothing, no file is left.
 *
 * @param directory Postfix's configuration.
 * @param state What was changed.
 */
export function writeState(directory: string, state: InstallState): void {
  const path = `${directory}/${STATE_NAME}`;
  if (state.binary === null && state.entries.length === 0) {
    removeIfThere(path);
    return;
  }
  const text = JSON.stringify({ about: ABOUT, ...state }, null, 2);
  const bytes = new TextEncoder().encode(`${text}\n`);
  // It quotes master.cf: who may read that may read this.
  replaceFile(path, bytes, rightsOf(`${directory}/master.cf`));
}

function isState(value: unknown): value is InstallState {
  return hasKeys(value, ["binary", "entries", "masterCf"]) &&
    (value.binary === null || isBinary(value.binary)) &&
    Array.isArray(value.entries) &&
    value.entries.every((entry) =>
      hasStrings(entry, ["service", "before", "after"])
    ) &&
    (value.masterCf === null ||
      hasStrings(value.masterCf, ["before", "after"]));
}

function isBinary(value: unknown): boolean {
  return hasStrings(value, ["path", "digest"]) && hasKeys(value, ["kept"]) &&
    (value.kept === null || typeof value.kept === "string");
}

function hasKeys<Key extends string>(
  value: unknown,
  keys: readonly Key[],
): value is Record<Key, unknown> {
  return typeof value === "object" && value !== null &&
    keys.every((key) => Object.hasOwn(value, key));
}

function hasStrings(value: unknown, keys: readonly string[]): boolean {
  return hasKeys(value, keys) &&
    keys.every((key) => typeof value[key] === "string");
}
