/**
 * Postfix's SMTP server as the client of a policy service: it keeps its
 * connection for many requests, and loses it where the time limit of the
 * command is shorter than that.
 *
 * Where main.cf and master.cf are Postfix's own, each smtpd of master.cf counts
 * with its overrides. Elsewhere main.cf alone tells.
 *
 * @module
 */

import { toText } from "../../config/bytes.ts";
import type { KnownPorts } from "../../config/known_tcp_ports.ts";
import type { Configuration } from "../../config/configuration.ts";
import { settingsOn } from "../../config/master_cf.ts";
import {
  type Problem,
  problemInText,
  type Report,
} from "../../config/problems.ts";
import type { CheckedService } from "../../config/services.ts";
import type { Scope } from "../../config/settings.ts";
import { parseConfiguredTime } from "../../config/values.ts";
import { parseInetName } from "../../net/inet_endpoint.ts";
import { isSamePath } from "../inspect/inspect.ts";
import type {
  Endpoint,
  InspectedService,
} from "../inspect/inspected_service.ts";

/** How long a connection is kept at most, and how long without a request. */
const MAX_TTL = "smtpd_policy_service_max_ttl";
const MAX_IDLE = "smtpd_policy_service_max_idle";

/** What these names begin with; in braces they stand without. */
const PREFIX = "smtpd_policy_service_";

/** A `check_policy_service` and what follows it: one word, or braces. */
const CLIENT =
  /(?<![^\s,{}])check_policy_service[\s,]+(\{(?:[^{}]|\{[^{}]*\})*\}|[^\s,{}]+)/gi;

/** The addresses of this machine that no other answers to. */
const LOOPBACK = /^(?:127\.|::1$)/;

/** One use of a policy service. */
interface PolicyClient {
  /** As it is written: `unix:private/policy`, `inet:127.0.0.1:10031`. */
  readonly address: string;
  /** Where smtpd would connect to. */
  readonly endpoints: readonly Endpoint[];
  /** How long the connection is kept, by the name of what says so. */
  readonly keeps: readonly { name: string; seconds: number }[];
}

/**
 * Tells which services end their commands while smtpd still counts on them.
 *
 * @param configuration Where smtpd's restrictions are.
 * @param services The services.
 * @param report Where warnings go.
 */
export function reportPolicyClients(
  configuration: Configuration,
  services: readonly InspectedService[],
  report: Report,
): void {
  const { master, scope: whole, scopeOf } = configuration;
  const smtpds = master.services
    .filter(({ command }) => command.text === "smtpd");
  const scopes = smtpds.length === 0 ? [whole] : smtpds.map(scopeOf);
  for (const scope of scopes) {
    for (const client of clientsIn(configuration, scope)) {
      for (const { service } of services.filter(reachedBy(client))) {
        const problem = cutShort(client, service);
        if (problem !== undefined) report(problem);
      }
    }
  }
}

/** Whether a client comes out at a service. */
function reachedBy(
  { endpoints: wanted }: PolicyClient,
): (service: InspectedService) => boolean {
  return ({ endpoints }) =>
    endpoints.some((socket) =>
      wanted.some((client) => reaches(client, socket))
    );
}

/** What to tell of a service that ends commands which a client counts on. */
function cutShort(
  { address, keeps }: PolicyClient,
  { name, places, settings }: CheckedService,
): Problem | undefined {
  const limitSeconds = settings.command_time_limit;
  const [ttl, idle] = keeps;
  // It ends at its full age, however idle it is.
  if (ttl === undefined || ttl.seconds <= limitSeconds) return undefined;
  const longer = [ttl, idle]
    .filter((kept) => kept !== undefined)
    .filter(({ seconds }) => seconds > limitSeconds && seconds <= ttl.seconds)
    .map(({ name, seconds }) => `${name} (${seconds}s)`);
  return problemInText(places.timeLimit, {
    level: "warning",
    text: `time limit ${limitSeconds}s is shorter than ` +
      `${longer.join(" and ")} of check_policy_service ${address}`,
    mend: "smtpd loses a connection in use: set " +
      `${name}_time_limit to more than ${ttl.seconds}s`,
  });
}

/** What is wrong with values is told elsewhere. */
function ignore(): void {}

function clientsIn(
  { main, master, knownPorts }: Configuration,
  scope: Scope,
): PolicyClient[] {
  const queueDirectory = scope.string("queue_directory", ignore) ?? "/";
  const overridden = master.services.flatMap(settingsOn)
    .map(({ name }) => name.text);
  const names = new Set([...main.settings.keys(), ...overridden]);
  const ttl = scope.seconds(MAX_TTL, ignore);
  const idle = scope.seconds(MAX_IDLE, ignore);
  return [...names].flatMap((name) => {
    const text = scope.expandedForeign(name);
    if (text === undefined) return [];
    return [...toText(text).matchAll(CLIENT)].map(([, what = ""]) => {
      const [, address = what] = /^\{\s*([^\s,{}]+)/.exec(what) ?? [];
      const keeps = [
        keptFor(MAX_TTL, ttl, what),
        keptFor(MAX_IDLE, idle, what),
      ];
      return {
        address,
        endpoints: endpointsOf(address, queueDirectory, knownPorts),
        keeps: keeps.filter((kept) => kept !== undefined),
      };
    });
  });
}

/** What the braces say, or the parameter for all policy services. */
function keptFor(
  name: typeof MAX_TTL | typeof MAX_IDLE,
  byDefault: number | undefined,
  what: string,
): PolicyClient["keeps"][number] | undefined {
  const own = name.slice(PREFIX.length);
  const text = new RegExp(`[\\s,{]${own}\\s*=\\s*([^\\s,{}]+)`).exec(what)?.[1];
  if (text === undefined) {
    return byDefault === undefined ? undefined : { name, seconds: byDefault };
  }
  const time = parseConfiguredTime(text, "s");
  return time === undefined ? undefined : { name: own, seconds: time.seconds };
}

/** Where smtpd would connect to. */
function endpointsOf(
  address: string,
  queueDirectory: string,
  ports: KnownPorts,
): Endpoint[] {
  const [, kind, name = ""] = /^(unix|local|inet):(.*)$/s.exec(address) ?? [];
  if (kind === undefined) return [];
  if (kind !== "inet") {
    const path = name.startsWith("/") ? name : `${queueDirectory}/${name}`;
    return [{ kind: "unix", path }];
  }
  const found = parseInetName(name, {
    interfaces: ["loopback-only"],
    protocols: ["all"],
    ports,
  });
  return found.ok
    ? found.value.endpoints.map((endpoint) => ({ kind: "inet", ...endpoint }))
    : [];
}

/** Whether a client of one address comes out at a socket. */
function reaches(client: Endpoint, socket: Endpoint): boolean {
  if (client.kind === "unix" || socket.kind === "unix") {
    return isSamePath(client, socket);
  }
  // Of another host's address, nobody here knows whether it is this machine's.
  const isEverywhere = socket.host === "::" || socket.host === "0.0.0.0";
  return client.port === socket.port && !socket.isDatagram &&
    (client.host === socket.host ||
      (isEverywhere && LOOPBACK.test(client.host)));
}
