/**
 * What a daemon's services do and have done, for `spawnd status`: made record
 * by record, for there may be thousands of commands.
 *
 * @module
 */

import { clientOf, type RunningCommand } from "../engine/engine.ts";
import { RECENT_SECONDS } from "../observe/recent.ts";
import type {
  CommandStatus,
  DaemonStatus,
  ServiceStatus,
} from "../observe/status_record.ts";
import type { Libc } from "../posix/libc.ts";
import { type ListenQueue, listenQueue } from "../posix/listen_queue.ts";
import { processorMsOf } from "../posix/resource_usage.ts";
import type { Service } from "./service.ts";

const MS_PER_SECOND = 1000;

/** Services by their ids. */
export type Services = ReadonlyMap<string, Service>;

/**
 * Makes the records of all services, and then those of all commands.
 *
 * @param libc The C library.
 * @param services The services.
 */
export function* serviceRecords(
  libc: Libc,
  services: Services,
): Generator<ServiceStatus | CommandStatus> {
  for (const [id, service] of services) yield serviceStatus(libc, id, service);
  for (const [id, service] of services) {
    // Taken at once: it changes while the answer is on its way.
    for (const [command, isKilled] of [...service.commands()]) {
      yield commandStatus(libc, { id, service, command, isKilled });
    }
  }
}

/**
 * Makes the record of a command.
 *
 * @param libc The C library.
 * @param options The command, and whose it is.
 * @returns The record.
 */
export function commandStatus(
  libc: Libc,
  { id, service, command, isKilled }: {
    readonly id: string;
    readonly service: Service;
    readonly command: RunningCommand;
    readonly isKilled: boolean;
  },
): CommandStatus {
  const { pid, startedMs } = command;
  const processorMs = processorMsOf(libc, pid);
  return {
    kind: "command",
    service: service.name,
    ...{ id, pid, isKilled },
    client: clientOf(command),
    ageSeconds: seconds(performance.now() - startedMs),
    processorSeconds: processorMs === undefined ? null : seconds(processorMs),
  };
}

function serviceStatus(
  libc: Libc,
  id: string,
  service: Service,
): ServiceStatus {
  const { counters, name, count, limit, sockets } = service;
  const { durations, totals: record } = counters;
  const recent = counters.recent(performance.now());
  const queue = waitingFor(libc, service);
  return {
    kind: "service",
    service: name,
    id,
    addresses: sockets.map(({ address }) => address),
    active: count,
    limit,
    waiting: queue?.waiting ?? null,
    waitingLimit: queue?.limit ?? null,
    since: new Date(record.sinceMs).toISOString(),
    connections: record.connections,
    refused: record.refused,
    notStarted: record.notStarted,
    failed: record.failed,
    timedOut: record.timedOut,
    endedByHand: record.endedByHand,
    perSecond: recent.reduce((sum, part) => sum + part, 0) / RECENT_SECONDS,
    recent,
    medianSeconds: quantile(durations.quantileMs(0.5)),
    p99Seconds: quantile(durations.quantileMs(0.99)),
    processorSeconds: seconds(record.processorMs),
  };
}

/**
 * Tells how many connections wait for a service.
 *
 * @param libc The C library.
 * @param service The service.
 * @returns How many in the queues of all its sockets; `undefined` where that
 * cannot be known.
 */
export function waitingFor(
  libc: Libc,
  { sockets, isServing }: Service,
): ListenQueue | undefined {
  // Once closed, its descriptors may be anybody's.
  if (!isServing || sockets.length === 0) return undefined;
  let [waiting, limit] = [0, 0];
  for (const { source } of sockets) {
    const queue = "fd" in source ? listenQueue(libc, source.fd) : undefined;
    if (queue === undefined) return undefined;
    waiting += queue.waiting;
    limit += queue.limit;
  }
  return { waiting, limit };
}

/**
 * Makes the record of the daemon as a whole.
 *
 * @param services Its services.
 * @param about What they do not know.
 * @returns The record.
 */
export function daemonStatus(
  services: Services,
  { version, sinceMs, isDraining }: {
    readonly version: string;
    readonly sinceMs: number;
    readonly isDraining: boolean;
  },
): DaemonStatus {
  return {
    kind: "daemon",
    version,
    pid: Deno.pid,
    state: !isServing(services)
      ? "stopping"
      : isDraining
      ? "draining"
      : "serving",
    since: new Date(sinceMs).toISOString(),
    uptimeSeconds: Math.max(0, seconds(Date.now() - sinceMs)),
  };
}

/**
 * Tells whether connections are accepted.
 *
 * @param services The services.
 * @returns Whether any of them does.
 */
export function isServing(services: Services): boolean {
  return services.values().some((service) => service.isServing);
}

function seconds(ms: number): number {
  return Math.round(ms) / MS_PER_SECOND;
}

function quantile(ms: number | undefined): number | null {
  return ms === undefined ? null : Number(`${ms}e-3`);
}
