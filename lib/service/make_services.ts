/**
 * The services of a daemon, made of its plan and of what a former image of the
 * process remembered.
 *
 * @module
 */

import type { Command, Engine } from "../engine/engine.ts";
import type { DaemonLog } from "../log/log.ts";
import { partsOf } from "./parts.ts";
import type { DaemonPlan, OpenSockets } from "./plan.ts";
import type { HandedService } from "./reload/handed.ts";
import { Service } from "./service.ts";

/** What services are made of. */
export interface ServiceGround {
  readonly engine: Engine;
  readonly log: DaemonLog;
  readonly sockets: OpenSockets;
  /** What a former image of this process remembered. */
  readonly handed: readonly HandedService[];
}

/**
 * Makes the services of a plan, and one for the commands of each that the plan
 * does not have any more.
 *
 * @param plan The plan.
 * @param ground What they are made of.
 * @returns The services, by their ids.
 */
export function makeServices(
  plan: DaemonPlan,
  { engine, log, sockets, handed }: ServiceGround,
): ReadonlyMap<string, Service> {
  const services = new Map<string, Service>();
  for (const service of plan.services) {
    for (
      const { id, ...part } of partsOf(service, sockets.get(service) ?? [])
    ) {
      const own = { ...part, engine, log: log.forService(service.name) };
      services.set(id, new Service({ ...service, ...own }));
    }
  }
  for (const { id, name, memory } of handed) {
    const command = memory.commands[0]?.running.command;
    const service = services.get(id) ?? leftover(name, command);
    if (service === undefined) continue;
    services.set(id, service);
    service.resume(memory);
  }
  return services;

  function leftover(
    name: string,
    command: Command | undefined,
  ): Service | undefined {
    return command && new Service({
      ...{ name, command, engine, log: log.forService(name) },
      sockets: [],
      verbose: false,
      timeLimitMs: 0,
      maxProcesses: 0,
      isThrottled: false,
    });
  }
}
