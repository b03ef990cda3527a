/**
 * The services of a daemon, made of its plan and of what a former image of the
 * process remembered.
 *
 * @module
 */

import { admissionRules } from "../admission/admission_rules.ts";
import type { Command, Engine } from "../engine/engine.ts";
import type { DaemonLog } from "../log/log.ts";
import type { Libc } from "../posix/libc.ts";
import { ownUsage } from "../posix/resource_usage.ts";
import { MachineReadings } from "./machine_readings.ts";
import { partsOf } from "./parts.ts";
import type { DaemonPlan, OpenSockets } from "./plan.ts";
import type { HandedService } from "./reload/handed.ts";
import { Service } from "./service.ts";

/** What services are made of. */
export interface ServiceGround {
  readonly engine: Engine;
  readonly log: DaemonLog;
  readonly libc: Libc | undefined;
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
  { engine, log, libc, sockets, handed }: ServiceGround,
): ReadonlyMap<string, Service> {
  const ownPeakMemoryBytes = libc &&
    (() => ownUsage(libc).peakMemoryBytes);
  const services = new Map<string, Service>();
  const readings = new MachineReadings();
  for (const service of plan.services) {
    const rules = admissionRules(service.settings, service.admission);
    if (rules !== undefined && libc !== undefined) {
      readings.open(libc, rules.busyLimits);
    }
    for (
      const { id, ...part } of partsOf(service, sockets.get(service) ?? [])
    ) {
      services.set(
        id,
        new Service({
          ...{ ...service, ...part },
          ...{ rules, readings, engine, log: log.forService(service.name) },
          logsConnections: service.settings.spawnd_log_connections,
          ...ownPeakMemoryBytes && { ownPeakMemoryBytes },
        }),
      );
    }
  }
  for (const { id, name, memory } of handed) {
    const command = memory.commands[0]?.running.command;
    const service = services.get(id) ?? leftover(name, command);
    if (service === undefined) {
      for (const { fd } of memory.waiting) libc?.c.close(fd);
      continue;
    }
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
