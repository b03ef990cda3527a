/**
 * What a service's settings say of its commands' processes.
 *
 * @module
 */

import type { Surroundings } from "../../posix/surroundings/surroundings.ts";
import type { ServiceSettings } from "../service_settings.ts";

/**
 * Takes the surroundings out of settings.
 *
 * @param settings The settings.
 * @param groups The supplementary groups, as they were looked up, if there are
 * others than the command's own.
 * @returns What is asked for; `undefined` where nothing is.
 */
export function surroundingsOf(
  settings: ServiceSettings,
  groups: readonly number[] | undefined,
): Surroundings | undefined {
  const { spawnd_limits: limits, spawnd_standard_error: standardError } =
    settings;
  const asked: Surroundings = {
    groups,
    limits: limits.length > 0 ? limits : undefined,
    nice: settings.spawnd_nice,
    umask: settings.spawnd_umask,
    directory: settings.spawnd_directory,
    ioPriority: settings.spawnd_io_priority,
    cpus: settings.spawnd_cpu_affinity,
    noNewPrivileges: settings.spawnd_no_new_privileges || undefined,
    privateNetwork: settings.spawnd_private_network || undefined,
    landlock: settings.spawnd_landlock,
    standardError: standardError === "connection" ? undefined : standardError,
  };
  const isNothing = Object.values(asked).every((value) => value === undefined);
  return isNothing ? undefined : asked;
}

/** The parameter that asks for each of them. */
export const PARAMETER_OF = {
  groups: "spawnd_groups",
  limits: "spawnd_limits",
  nice: "spawnd_nice",
  umask: "spawnd_umask",
  directory: "spawnd_directory",
  ioPriority: "spawnd_io_priority",
  cpus: "spawnd_cpu_affinity",
  noNewPrivileges: "spawnd_no_new_privileges",
  privateNetwork: "spawnd_private_network",
  landlock: "spawnd_landlock",
  standardError: "spawnd_standard_error",
} as const satisfies Record<keyof Surroundings, keyof ServiceSettings>;
