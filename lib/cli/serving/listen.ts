/**
 * Where a checked service listens.
 *
 * @module
 */

import type { Configuration } from "../../config/configuration.ts";
import type { DaemonSettings } from "../../config/daemon_settings.ts";
import type { CheckedService } from "../../config/services.ts";
import { parseInetName } from "../../net/inet_endpoint.ts";
import {
  listenInet,
  type ListeningSocket,
  type ListenOptions,
} from "../../net/listening.ts";
import { bindOptionsOf, tuningOf } from "../../net/connection_tuning.ts";
import { inQueueDirectory } from "../../net/queue_directory.ts";
import { listenUnix } from "../../net/unix_socket.ts";
import type { Identity } from "../../posix/credentials.ts";
import { EX, failure, type Result, success } from "../../result.ts";
import type { PlanListenOptions } from "../../service/plan.ts";
import { placeOf } from "./place_of.ts";

/** A service that is in a plan, as it was checked. */
export type PlannedService = Omit<CheckedService, "admission">;

/** What is to be known of the whole configuration. */
export interface ListenGround {
  readonly configuration: Configuration;
  readonly settings: DaemonSettings;
  readonly owner: Identity | undefined;
}

/**
 * Opens the sockets of a service.
 *
 * @param service The service.
 * @param ground What is to be known of the whole configuration.
 * @param given How to listen.
 * @returns The sockets; or what is wrong, at the service's name.
 */
export function listen(
  service: PlannedService,
  ground: ListenGround,
  given: PlanListenOptions,
): Result<ListeningSocket[]> {
  const { settings, type, waits } = service;
  const listened = listenAt(service, ground, {
    ...given,
    backlogConnections: settings.spawnd_backlog,
    tuning: tuningOf(settings),
    bind: bindOptionsOf(settings),
    isDatagram: type === "udp",
    isGiven: waits,
  });
  if (listened.ok) return listened;
  const place = placeOf(service.places.name);
  return { ok: false, mistake: { ...listened.mistake, place } };
}

function listenAt(
  { type, address, ...service }: PlannedService,
  { settings, owner, configuration: { origin, knownPorts } }: ListenGround,
  options: PlanListenOptions & ListenOptions,
): Result<ListeningSocket[]> {
  if (type === "pass") {
    return failure({
      text: "pass services take their connections from postscreen",
      mend: "make it inet or unix, or run it below master(8)",
      exitCode: EX.CONFIG,
    });
  }
  if (address.kind === "inet") {
    const name = parseInetName(address.name, {
      interfaces: settings.inetInterfaces,
      protocols: settings.inetProtocols,
      ports: knownPorts,
      transport: type === "udp" ? "udp" : "tcp",
    });
    return name.ok ? listenInet(name.value, options) : name;
  }
  const { isPrivate, socketOwner } = service;
  const open = (at = address.path): Result<ListeningSocket> =>
    listenUnix(address.path, {
      ...options,
      at,
      mode: service.settings.spawnd_socket_mode,
      owner: socketOwner === "starter" ? undefined : socketOwner.identity,
    });
  const { queueDirectory } = settings;
  const isInQueue = origin === "files" &&
    address.path.startsWith(`${queueDirectory}/`);
  const socket = isInQueue && options.libc !== undefined
    ? inQueueDirectory(
      options.libc,
      { queueDirectory, isPrivate, owner, path: address.path },
      open,
    )
    : open();
  return socket.ok ? success([socket.value]) : socket;
}
