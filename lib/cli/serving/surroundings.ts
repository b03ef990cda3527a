/**
 * What of a service's surroundings cannot be had, told before it serves.
 *
 * @module
 */

import type { Place } from "../../config/problems.ts";
import type { CheckedService } from "../../config/services.ts";
import { PARAMETER_OF } from "../../config/surroundings/surroundings_of.ts";
import type { Command, EngineName } from "../../engine/engine.ts";
import type { Libc } from "../../posix/libc.ts";
import {
  type NotToBeHad,
  rehearse,
} from "../../posix/surroundings/rehearsal.ts";
import type { Surroundings } from "../../posix/surroundings/surroundings.ts";
import { EX, type Mistake } from "../../result.ts";

/** What the runtime can do for a command that it starts. */
const OF_RELAY: readonly (keyof Surroundings)[] = [
  "directory",
  "standardError",
];

/** The parameters of a socket that the runtime cannot make. */
const OF_OWN_SOCKETS = [
  "spawnd_bind_to_device",
  "spawnd_free_bind",
  "spawnd_reuse_port",
  "spawnd_v6only",
] as const;

/** What there is to have them with. */
export interface SurroundingsMeans {
  readonly engine: EngineName;
  readonly libc: Libc | undefined;
  /** Whether commands can be given other ids. */
  readonly isRoot: boolean;
}

/** A mistake, and the parameter that makes it. */
export interface SurroundingsMistake extends Mistake {
  readonly parameter: string;
}

/**
 * Tells what cannot be had of what a service asks for.
 *
 * @param service The service.
 * @param command Its command, as planned.
 * @param means What there is to have it with.
 * @returns The mistakes.
 */
export function refuseSurroundings(
  service: CheckedService,
  command: Command,
  means: SurroundingsMeans,
): SurroundingsMistake[] {
  return means.engine === "relay"
    ? refusedByRelay(service, command)
    : refusedByKernel(service, command, means);
}

function refusedByRelay(
  { waits, type, settings }: CheckedService,
  { surroundings = {} }: Command,
): SurroundingsMistake[] {
  const asked = Object.entries(surroundings).flatMap(([name, value]) =>
    value === undefined ? [] : [name as keyof Surroundings] // its own keys
  );
  const parameters = [
    ...asked.filter((name) => !OF_RELAY.includes(name))
      .map((name) => PARAMETER_OF[name]),
    ...OF_OWN_SOCKETS.filter((name) => settings[name]),
    ...waits ? ["spawnd_wait"] : [],
  ];
  return parameters.map((parameter) => ({
    parameter,
    text: type === "udp"
      ? "the relay engine has no datagrams"
      : `${parameter}: the relay engine cannot do that`,
    mend: "leave it out, or run it where the direct engine runs",
    exitCode: EX.CONFIG,
  }));
}

function refusedByKernel(
  { attributes: { identity } }: CheckedService,
  { surroundings, rootDirectory }: Command,
  { libc, isRoot }: SurroundingsMeans,
): SurroundingsMistake[] {
  if (libc === undefined || surroundings === undefined) return [];
  if (!isRoot && surroundings.groups !== undefined) {
    return [{
      parameter: PARAMETER_OF.groups,
      text: `${PARAMETER_OF.groups}: only root can give a command groups`,
      mend: "start as root, or leave it out",
      exitCode: EX.NOPERM,
    }];
  }
  const missing = rehearse(libc, {
    identity: isRoot ? identity : undefined,
    ...{ rootDirectory, surroundings },
  });
  return missing === undefined ? [] : [mistakeOf(missing)];
}

function mistakeOf({ about, reason }: NotToBeHad): SurroundingsMistake {
  const parameter = about === undefined ? "" : PARAMETER_OF[about];
  return {
    parameter,
    text: parameter === "" ? reason : `${parameter}: ${reason}`,
    mend: "change it, or leave it out",
    exitCode: EX.OSERR,
  };
}

/**
 * Gives the place of a parameter that cannot be had.
 *
 * @param service The service.
 * @param mistake The mistake.
 * @returns The parameter's place; the service's, where nothing sets it.
 */
export function placeOfMistake(
  { scope, places }: CheckedService,
  { parameter }: SurroundingsMistake,
): Place {
  const isSet = parameter !== "" && scope.setting(parameter) !== undefined;
  return isSet ? scope.place(parameter) : places.name;
}
