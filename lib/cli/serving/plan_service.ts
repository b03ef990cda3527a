/**
 * What a checked service is to its daemon, standalone or below master(8).
 *
 * @module
 */

import { compileLookups } from "../../admission/admission_rules.ts";
import type { CheckedService } from "../../config/services.ts";
import {
  commandEnvironment,
  loginEnvironment,
  type Variables,
} from "../../engine/environment.ts";
import { surroundingsOf } from "../../config/surroundings/surroundings_of.ts";
import type { ServicePlan } from "../../service/plan.ts";
import { WAYS } from "../shared/ways.ts";

/** What a service has of its daemon. */
export interface ServiceGround {
  readonly way: keyof typeof WAYS;
  readonly queueDirectory: string;
  /** The variables that there are for its command. */
  readonly variables: Variables;
}

/**
 * Plans a service, but for its sockets.
 *
 * @param service The service.
 * @param ground What it has of its daemon.
 * @returns The plan.
 */
export function serviceOf(
  service: CheckedService,
  { way, queueDirectory, variables }: ServiceGround,
): Omit<ServicePlan, "id" | "listen" | "verbose"> {
  const { attributes, settings, maxProcesses, isChrooted } = service;
  const { login: { found: login }, groups: { gids: groups } } = service;
  const { argv, identity, userName } = attributes;
  const surroundings = surroundingsOf(settings, groups);
  const {
    spawnd_connection_environment: connectionEnvironment =
      WAYS[way].connectionEnvironment,
  } = settings;
  return {
    name: service.name,
    command: {
      ...{ argv, identity, connectionEnvironment },
      environment: commandEnvironment(
        settings.export_environment,
        variables,
        login && loginEnvironment(userName, login),
      ),
      ...surroundings === undefined ? {} : { surroundings },
      // The daemon's own files stay where they are: the command alone goes there.
      ...isChrooted && { rootDirectory: queueDirectory },
    },
    settings,
    admission: compileLookups(service.admission),
    timeLimitMs: service.isUnlimited
      ? Infinity
      : 1000 * settings.command_time_limit,
    maxProcesses: service.waits ? 1 : maxProcesses,
    waits: service.waits,
    isThrottled: WAYS[way].isThrottled,
  };
}
