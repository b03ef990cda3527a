/**
 * `spawnd install-postfix --check`: what is in place, and what would fail.
 *
 * @module
 */

import { formatProblem, inOrder, type Problem } from "../../config/problems.ts";
import { checkServices } from "../../config/services.ts";
import { EX, type ExitCode, type Result, success } from "../../result.ts";
import { reportCommand } from "../inspect/find_command.ts";
import { isError } from "../inspect/inspect.ts";
import { selectPlans } from "./plan.ts";
import type { InstallRequest } from "./request.ts";
import { refuseForeignWriters, type Situation } from "./situation.ts";

const FOUND = {
  nothing: "not installed",
  same: "installed, the same as this program",
  other: "installed, but another than this program, or with other rights",
} as const;

/**
 * Runs it.
 *
 * @param situation What there is.
 * @param request What was asked for.
 * @param tell Prints a line.
 * @returns The exit code: 1 where something is not in place, 78 for an error in
 * the configuration; or that a service is not there.
 */
export function checkInstallation(
  situation: Situation,
  { services }: InstallRequest,
  tell: (line: string) => void,
): Result<ExitCode | 1> {
  const { configuration, entries, binary } = situation;
  const selected = selectPlans(entries, services, configuration);
  if (!selected.ok) return selected;
  let isInPlace = binary.found === "same";
  tell(`${binary.target}: ${FOUND[binary.found]}`);
  const mistake = refuseForeignWriters(situation);
  if (mistake !== undefined) {
    tell(`${mistake.text} (${mistake.mend})`);
    isInPlace = false;
  }
  let isRefused = false;
  for (const plan of selected.value) {
    const { service, kind } = plan;
    switch (kind) {
      case "in place":
        tell(`${service}: runs spawnd`);
        break;
      case "switch":
        tell(`${service}: runs spawn`);
        // Others may well stay with it.
        if (services.length > 0) isInPlace = false;
        break;
      case "left": {
        const { isOurs, text, mend } = plan;
        tell(
          `${service}: runs ${isOurs ? "spawnd and fails" : "spawn"}: ${text}` +
            (mend === undefined ? "" : ` (${mend})`),
        );
        if (isOurs) isRefused = true;
        else if (services.length > 0) isInPlace = false;
        break;
      }
    }
  }
  const problems = allProblems(situation);
  for (const problem of problems) tell(formatProblem(problem));
  return success(
    isRefused || situation.problems.some(isError)
      ? EX.CONFIG
      : isInPlace
      ? EX.OK
      : 1,
  );
}

/**
 * Of entries, only warnings: their errors are told with them. Of main.cf, only
 * errors: what is of no use to spawnd is so to the rest of Postfix.
 */
function allProblems(
  { configuration, context, problems: found }: Situation,
): Problem[] {
  const problems = found.filter((problem) =>
    isError(problem) || problem.file === configuration.master.file
  );
  const queueDirectory =
    configuration.scope.string("queue_directory", () => {}) ?? "/";
  for (const service of checkServices(configuration, context).services) {
    reportCommand(service, queueDirectory, (problem) => problems.push(problem));
  }
  return inOrder(problems);
}
