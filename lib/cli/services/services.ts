/**
 * `spawnd services`: the services of a configuration as they would run.
 *
 * @module
 */

import { formatProblem } from "../../config/problems.ts";
import { printable, printableJson } from "../../log/printable.ts";
import { formatAddress } from "../../posix/sockets.ts";
import { EX, success } from "../../result.ts";
import { formatTable } from "../../table.ts";
import { inspect, isError } from "../inspect/inspect.ts";
import type { InspectedService } from "../inspect/inspected_service.ts";
import { inspectRequest } from "../inspect/request.ts";
import type { ParsedOptions } from "../shared/options.ts";
import type { Outcome } from "../shared/subcommand.ts";

/** The columns, with what each has of a service. */
const COLUMNS: Readonly<Record<string, (row: InspectedService) => string>> = {
  SERVICE: ({ service: { name, type } }) => `${name}/${type}`,
  ADDRESS: ({ endpoints }) => endpoints.map(formatAddress).join(","),
  USER: ({ service: { attributes } }) => attributes.userName,
  MAXPROC: ({ service: { maxProcesses } }) =>
    maxProcesses === 0 ? "no limit" : `${maxProcesses}`,
  TIME: ({ service: { settings } }) => `${settings.command_time_limit}s`,
  COMMAND: ({ service: { attributes } }) => attributes.argv.map(word).join(" "),
};

/**
 * Runs the subcommand.
 *
 * @param given What was given.
 * @returns The exit code.
 */
export function services(given: ParsedOptions): Outcome {
  const request = inspectRequest(given);
  if (!request.ok) return request;
  const inspection = inspect(request.value.directory);
  const errors = inspection.problems.filter(isError);
  if (errors.length > 0) {
    for (const error of errors) console.error(printable(formatProblem(error)));
    return success(EX.CONFIG);
  }
  console.log(
    request.value.json
      ? printableJson(JSON.stringify(inspection.services.map(facts)))
      : table(inspection.services),
  );
  return success(EX.OK);
}

function facts({ service, endpoints }: InspectedService): unknown {
  const { name, type, attributes, maxProcesses, settings } = service;
  const { userName, identity, argv } = attributes;
  const { file, line } = service.places.name;
  return {
    service: name,
    type,
    addresses: endpoints.map(formatAddress),
    user: userName,
    ...identity,
    maxProcesses,
    timeLimitSeconds: settings.command_time_limit,
    argv,
    file,
    line,
  };
}

function table(services: readonly InspectedService[]): string {
  const rows = services.map((service) =>
    Object.values(COLUMNS).map((cell) => printable(cell(service)))
  );
  return formatTable([Object.keys(COLUMNS), ...rows], "left");
}

/** An argument as master.cf has it. */
function word(argument: string): string {
  return /[ \t\r\n]/.test(argument) || argument === ""
    ? `{${argument}}`
    : argument;
}
