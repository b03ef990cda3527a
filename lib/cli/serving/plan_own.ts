/**
 * What a daemon is to have for itself: where its log goes, and the sockets on
 * which it tells of itself.
 *
 * @module
 */

import type { Configuration } from "../../config/configuration.ts";
import type { DaemonSettings } from "../../config/daemon_settings.ts";
import type { MetricsAddress } from "../../config/metrics_address.ts";
import type { LogDestination } from "../../log/destination.ts";
import { JOURNAL_SOCKET } from "../../log/journal_log.ts";
import { facilityNumber } from "../../log/system_log.ts";
import { parseInetName } from "../../net/inet_endpoint.ts";
import { listenInet, type ListeningSocket } from "../../net/listening.ts";
import { directlyInQueueDirectory } from "../../net/queue_directory.ts";
import { listenUnix } from "../../net/unix_socket.ts";
import { STATUS_SOCKET } from "../../observe/status_record.ts";
import { lookAt } from "../../posix/files.ts";
import { EX, failure, type Result, success } from "../../result.ts";
import type { OwnListener, PlanListenOptions } from "../../service/plan.ts";
import { WAYS } from "../shared/ways.ts";
import type { Means } from "./means.ts";
import type { StartContext } from "./start.ts";

/** Root's alone, or that of who has started the daemon. */
const STATUS_MODE = 0o600;

/** Whoever may enter the directory may read. */
const METRICS_MODE = 0o666;

/** How many clients may wait for an answer of the daemon's own. */
const BACKLOG_CONNECTIONS = 64;

/**
 * Decides where the log goes.
 *
 * @param settings What main.cf says.
 * @param context What the process has.
 * @returns The place.
 */
export function logDestination(
  { log, syslogName, syslogFacility }: DaemonSettings,
  { libc, isUnderJournal }: StartContext,
): Result<LogDestination> {
  const isJournal = isUnderJournal && libc !== undefined &&
    lookAt(libc, JOURNAL_SOCKET)?.kind === "socket";
  const kind = log === "auto" ? isJournal ? "journal" : "stderr" : log;
  if (kind === "stderr") return success({ kind });
  if (libc === undefined) {
    return failure({
      text: `spawnd_log = ${kind} needs the C library`,
      mend: "set it to stderr, or serve on a system with glibc",
      exitCode: EX.OSERR,
    });
  }
  if (kind === "journal") return success({ kind });
  return success({
    kind,
    ident: `${syslogName}/spawnd`,
    // One of those that the table has.
    facility: facilityNumber(syslogFacility) ?? 0,
  });
}

/** What sockets are planned by. */
export interface OwnGround {
  readonly way: keyof typeof WAYS;
  readonly means: Means;
  readonly configuration: Configuration;
}

/**
 * Plans the sockets on which a daemon tells of itself.
 *
 * @param settings What main.cf says.
 * @param ground What they are planned by.
 * @returns The sockets.
 */
export function ownListeners(
  settings: DaemonSettings,
  { way, means: { engine }, configuration }: OwnGround,
): Result<OwnListener[]> {
  const { queueDirectory, metricsAddress } = settings;
  const listeners: OwnListener[] = [];
  if (WAYS[way].hasStatus && engine === "direct") {
    listeners.push({
      role: "status",
      isOptional: true,
      listen: (options) => listenForStatus(queueDirectory, options),
    });
  }
  if (metricsAddress.kind === "off") return success(listeners);
  if (engine !== "direct") {
    return failure({
      text: `the ${engine} engine serves no metrics`,
      mend: "leave spawnd_metrics_address empty, or serve with direct",
      exitCode: EX.CONFIG,
    });
  }
  listeners.push({
    role: "metrics",
    isOptional: false,
    listen: (options) =>
      listenForMetrics(metricsAddress, configuration, options),
  });
  return success(listeners);
}

function listenForStatus(
  queueDirectory: string,
  options: PlanListenOptions,
): Result<ListeningSocket[]> {
  const { libc } = options;
  const path = `${queueDirectory}/${STATUS_SOCKET}`;
  const open = (at = path): Result<ListeningSocket> =>
    listenUnix(path, {
      ...options,
      at,
      mode: STATUS_MODE,
      owner: undefined,
      backlogConnections: BACKLOG_CONNECTIONS,
    });
  const socket = libc === undefined
    ? open()
    : directlyInQueueDirectory(libc, { queueDirectory, path }, open);
  if (socket.ok) return success([socket.value]);
  const { text, ...rest } = socket.mistake;
  return failure({ ...rest, text: `no status can be asked for: ${text}` });
}

function listenForMetrics(
  address: Exclude<MetricsAddress, { kind: "off" }>,
  { knownPorts: ports }: Configuration,
  given: PlanListenOptions,
): Result<ListeningSocket[]> {
  const options = { ...given, backlogConnections: BACKLOG_CONNECTIONS };
  const listened = address.kind === "unix"
    ? listenUnix(address.path, {
      ...options,
      mode: METRICS_MODE,
      owner: undefined,
    })
    : inetEndpoints(address, ports, options);
  if (listened.ok) return success([listened.value].flat());
  return failure({ ...listened.mistake, place: "spawnd_metrics_address" });
}

function inetEndpoints(
  { name, isLocal }: Extract<MetricsAddress, { kind: "inet" }>,
  ports: Configuration["knownPorts"],
  options: Parameters<typeof listenInet>[1],
): Result<ListeningSocket[]> {
  const endpoints = parseInetName(name, {
    interfaces: [isLocal ? "loopback-only" : "all"],
    protocols: ["all"],
    ports,
  });
  return endpoints.ok ? listenInet(endpoints.value, options) : endpoints;
}
