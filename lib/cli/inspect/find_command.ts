/**
 * The command of a service as its user would find it: whether it is there,
 * whether that user can start it, and who could put another in its place.
 *
 * @module
 */

import { resolve } from "@std/path/posix/resolve";
import type { CommandAttributes } from "../../config/attributes.ts";
import {
  type Finding,
  problemInText,
  type Report,
} from "../../config/problems.ts";
import type { CheckedService } from "../../config/services.ts";
import { COMMAND_PATH } from "../../engine/environment.ts";
import { quoted } from "../../log/quoted.ts";
import type { Identity } from "../../posix/credentials.ts";
import type { Scope } from "../../config/settings.ts";
import { reasonOf } from "../../result.ts";
import { type Step, stepsTo, writersOf } from "./writers.ts";

// stat.h: of owner, group or others, whichever the user is.
const X = 0o1;

/**
 * Tells what is wrong with a service's command.
 *
 * @param service The service.
 * @param queueDirectory Where commands run, if it is there.
 * @param report Where warnings go.
 */
export function reportCommand(
  { attributes, places, isChrooted, scope }: CheckedService,
  queueDirectory: string,
  report: Report,
): void {
  const root = isChrooted ? queueDirectory.replace(/\/+$/, "") : "";
  for (const finding of lookAtCommand(attributes, queueDirectory, root)) {
    const isMissing = finding.path === undefined;
    report(problemInText(places.command, {
      level: "warning",
      text: finding.text,
      mend: isMissing && isChrooted ? mendInChroot(root, scope) : finding.mend,
    }));
  }
}

/** What is wrong with a command. */
export interface CommandFinding extends Finding {
  /** The file, where it can be started and another can be put in its place. */
  readonly path?: string;
}

/**
 * Finds what is wrong with a command.
 *
 * @param attributes The command, and whose rights it has.
 * @param queueDirectory Where commands run, if it is there.
 * @param root The directory that is its root; empty for the system's.
 * @returns What is wrong.
 */
export function lookAtCommand(
  attributes: CommandAttributes,
  queueDirectory: string,
  root = "",
): CommandFinding[] {
  const found = findCommand(attributes.argv[0], queueDirectory, {
    ...attributes,
    root,
  });
  if ("text" in found) return [found];
  const { path } = found;
  return found.steps.flatMap((step) => {
    const writers = writersOf(step);
    return writers === undefined ? [] : [{
      text: `command can be replaced by ${writers}: ${quoted(path)}`,
      mend: `let only root write to ${step.path}`,
      path,
    }];
  });
}

/** A command that the user can start. */
interface FoundCommand {
  readonly path: string;
  /** All that its path leads through. */
  readonly steps: readonly Step[];
}

/** Whose rights count, and where. */
interface Runner {
  readonly identity: Identity;
  readonly userName: string;
  /** The directory that is the root of the command; empty for the system's. */
  readonly root: string;
}

/** Most of those who meet it have not asked for it. */
function mendInChroot(root: string, scope: Scope): string {
  return scope.setting("compatibility_level") === undefined
    ? `its root is ${root}: write n for chroot, or set compatibility_level = 3.6`
    : `its root is ${root}: write n for chroot, or install it there`;
}

/** Looks for a command as execvp(3) does. */
function findCommand(
  name: string,
  queueDirectory: string,
  runner: Runner,
): FoundCommand | Finding {
  if (name.includes("/")) {
    const base = runner.root === "" && isDirectory(queueDirectory)
      ? queueDirectory
      : "/";
    const path = `${runner.root}${resolve(base, name)}`;
    return tryCommand(path, runner) ?? {
      text: `command does not exist: ${quoted(path)}`,
      mend: mendOfWords(name) ?? "install it, or correct its path",
    };
  }
  const tried = COMMAND_PATH
    .map((folder) => tryCommand(`${runner.root}${folder}/${name}`, runner))
    .filter((found) => found !== undefined);
  return tried.find((found) => "steps" in found) ?? tried[0] ?? {
    text: `command not found: ${quoted(name)}`,
    mend: mendOfWords(name) ??
      `it is looked for in ${COMMAND_PATH.join(":")}: write its path`,
  };
}

/** No shell takes a command line apart. */
function mendOfWords(name: string): string | undefined {
  return /\s/.test(name)
    ? "no shell splits it: give each word by itself"
    : undefined;
}

/** The command, or why it cannot be started; `undefined` if nothing is there. */
function tryCommand(
  path: string,
  runner: Runner,
): FoundCommand | Finding | undefined {
  let steps: Step[];
  try {
    steps = stepsTo(path, runner.root);
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory
    ) return undefined;
    const reason = reasonOf(error);
    return {
      text: `command cannot be looked at: ${quoted(path)}: ${reason}`,
      mend: "check the configuration as root",
    };
  }
  const closed = steps.find(({ info }) =>
    !info.isSymlink && !maySearchOrExecute(info, runner.identity)
  );
  const file = steps.at(-1);
  if (file?.info.isFile && closed === undefined) return { path, steps };
  const { userName } = runner;
  return {
    text: `command not executable by ${userName}: ${quoted(path)}`,
    mend: !file?.info.isFile
      ? "it is no file: name a program"
      : closed === file
      ? `let ${userName} execute it: chmod a+x ${file.path}`
      : `${userName} cannot get through ${closed?.path}`,
  };
}

function maySearchOrExecute(
  { mode, uid, gid }: Deno.FileInfo,
  identity: Identity,
): boolean {
  const shift = uid === identity.uid ? 6 : gid === identity.gid ? 3 : 0;
  return (((mode ?? 0) >> shift) & X) !== 0;
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
