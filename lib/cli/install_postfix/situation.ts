/**
 * A Postfix as `spawnd install-postfix` finds it: its configuration, its daemon
 * directory, and what was changed there before.
 *
 * @module
 */

import { dirname } from "@std/path/posix/dirname";
import { checkDaemon } from "../../config/daemon_settings.ts";
import type { Configuration } from "../../config/configuration.ts";
import {
  inOrder,
  type Problem,
  problemInText,
  type Report,
} from "../../config/problems.ts";
import {
  EX,
  failure,
  type Mistake,
  type Result,
  success,
} from "../../result.ts";
import { type EntryPlan, type PlanContext, planEntries } from "./plan.ts";
import { type InstallState, readState } from "./state.ts";
import { isError } from "../inspect/inspect.ts";
import { type MasterLine, Postconf } from "./postconf.ts";
import { findOwner } from "../serving/identities.ts";
import { openContext } from "../serving/start.ts";
import { readConfiguration } from "../shared/read_configuration.ts";
import { digestOf, isThere } from "./whole_file.ts";
import { stepsTo, writersOf } from "../inspect/writers.ts";

/** What there is. */
export interface Situation {
  /** Postfix's configuration. */
  readonly directory: string;
  readonly postconf: Postconf;
  readonly configuration: Configuration;
  /** Whose ids spawnd has below master(8). */
  readonly context: PlanContext;
  readonly entries: readonly EntryPlan[];
  /** What is wrong with main.cf and master.cf, but in entries themselves. */
  readonly problems: readonly Problem[];
  readonly binary: BinaryFacts;
  readonly state: InstallState;
}

/** This program, and what the daemon directory has of it. */
export interface BinaryFacts {
  /** This program's file. */
  readonly source: string;
  readonly sourceDigest: string;
  readonly target: string;
  /** What is there; the same only with the rights that it should have. */
  readonly found: "nothing" | "same" | "other";
}

/** What the program in the daemon directory has. */
export const PROGRAM_MODE = 0o755;

/** Whom Postfix's configuration is checked for. */
const ROOT = { uid: 0, gid: 0 };

/**
 * Looks at a Postfix.
 *
 * @param directory Its configuration.
 * @returns What there is; or why nothing can be told of it.
 */
export async function lookAtPostfix(
  directory: string,
): Promise<Result<Situation>> {
  if (!Deno.build.standalone) {
    return failure({
      text: "this is no binary that could be installed",
      mend: "build it, and call dist/spawnd install-postfix",
      exitCode: EX.USAGE,
    });
  }
  const postconf = Postconf.find(directory);
  if (!postconf.ok) return postconf;
  const configuration = readConfiguration(directory);
  const problems: Problem[] = [...configuration.problems];
  const report: Report = (problem) => {
    problems.push(problem);
  };
  const { settings, problems: found } = checkDaemon(configuration);
  problems.push(...found);
  const system = { ...openContext("text"), self: ROOT };
  const owner = settings &&
    findOwner(settings.mailOwner, system);
  if (owner?.ok === false) {
    const { scope } = configuration;
    report(problemInText(scope.place("mail_owner"), owner.mistake));
  }
  const asked = askPostconf(postconf.value);
  if (!asked.ok) {
    const error = problems.find(isError);
    return error === undefined ? asked : failure(mistakeOf(error));
  }
  const { daemonDirectory, lines } = asked.value;
  const state = readState(directory);
  if (!state.ok) return state;
  const context: PlanContext = {
    accounts: system.accounts,
    owner: owner?.ok ? owner.value : undefined,
    lines,
  };
  return success({
    directory,
    postconf: postconf.value,
    configuration,
    context,
    entries: planEntries(configuration, context),
    problems: inOrder(problems),
    binary: await lookAtBinary(`${daemonDirectory}/spawnd`),
    state: state.value,
  });
}

/** What postconf has to say. */
interface Answers {
  readonly daemonDirectory: string;
  readonly lines: ReadonlyMap<string, MasterLine>;
}

function askPostconf(postconf: Postconf): Result<Answers> {
  const directory = postconf.value("daemon_directory");
  if (!directory.ok) return directory;
  const lines = postconf.lines();
  if (!lines.ok) return lines;
  return success({
    daemonDirectory: directory.value,
    lines: lines.value,
  });
}

/** An error of the configuration that keeps postconf from answering, too. */
function mistakeOf({ file, line, column, text, mend }: Problem): Mistake {
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return { place, text, mend, exitCode: EX.CONFIG };
}

async function lookAtBinary(target: string): Promise<BinaryFacts> {
  const source = Deno.execPath();
  const sourceDigest = await digestOf(source);
  if (sourceDigest === undefined) {
    throw new Deno.errors.NotFound(`this program has gone: ${source}`);
  }
  return {
    source,
    sourceDigest,
    target,
    found: !isThere(target)
      ? "nothing"
      : isPlainProgram(target) && await digestOf(target) === sourceDigest
      ? "same"
      : "other",
  };
}

/** Whether it is root's own file, and no link to a place that may change. */
function isPlainProgram(path: string): boolean {
  const { isFile, uid, gid, mode } = Deno.lstatSync(path);
  return isFile && uid === 0 && gid === 0 &&
    ((mode ?? 0) & 0o7777) === PROGRAM_MODE;
}

/**
 * Tells who but root could change what Postfix runs as root.
 *
 * @param situation What there is.
 * @returns The mistake, if somebody can.
 */
export function refuseForeignWriters(
  { configuration: { main, master }, binary }: Situation,
): Mistake | undefined {
  for (const path of [dirname(binary.target), main.file, master.file]) {
    for (const step of stepsTo(path)) {
      const writers = writersOf(step);
      if (writers === undefined) continue;
      return {
        text: `${path} can be changed by ${writers}`,
        mend: `let only root write to ${step.path}`,
        exitCode: EX.CONFIG,
      };
    }
  }
  return undefined;
}
