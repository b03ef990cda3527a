/**
 * Services that would listen on one address.
 *
 * @module
 */

import {
  type Level,
  problemInText,
  type Report,
} from "../../config/problems.ts";
import type { CheckedService } from "../../config/services.ts";
import { formatAddress } from "../../posix/sockets.ts";
import type { Endpoint, InspectedService } from "./inspected_service.ts";

/** An endpoint that was seen, and whose it is. */
interface Seen {
  readonly endpoint: Endpoint;
  readonly service: CheckedService;
}

/**
 * Tells of each service whether an earlier one is in its way.
 *
 * @param services The services, in their order.
 * @param report Where it is told.
 */
export function reportSharedAddresses(
  services: readonly InspectedService[],
  report: Report,
): void {
  const seen = new Map<string, Seen>();
  for (const { service, endpoints } of services) {
    const conflicts = endpoints.flatMap((endpoint) =>
      keysInTheWayOf(endpoint).flatMap((key) => conflictAt(key, endpoint))
    );
    const conflict = conflicts.find(({ level }) => level === "error") ??
      conflicts[0];
    if (conflict !== undefined) {
      const { level, endpoint, other } = conflict;
      report(problemInText(service.places.name, {
        level,
        text: `two services on one address: ${formatAddress(endpoint)}`,
        mend: `the other is in line ${other.places.name.line}` +
          (level === "warning"
            ? "; the kernel takes :: for IPv4 as well, unless it is set not to"
            : ": give one of them another address"),
      }));
    }
    for (const endpoint of endpoints) {
      for (const key of keysOf(endpoint)) {
        if (!seen.has(key)) seen.set(key, { endpoint, service });
      }
    }
  }

  function conflictAt(
    key: string,
    endpoint: Endpoint,
  ): { level: Level; endpoint: Endpoint; other: CheckedService }[] {
    const found = seen.get(key);
    const level = found && conflictOf(endpoint, found.endpoint);
    return found === undefined || level === undefined
      ? []
      : [{ level, endpoint, other: found.service }];
  }
}

const WILDCARDS: readonly string[] = ["::", "0.0.0.0"];

/** What an endpoint is found by: itself, and as one of its port and family. */
function keysOf(endpoint: Endpoint): string[] {
  if (endpoint.kind === "unix") return [endpoint.path];
  const { host } = endpoint;
  const port = portOf(endpoint);
  return [`${host} ${port}`, `${familyOf(host)} ${port}`];
}

/** What may be in the way of an endpoint is found by one of these. */
function keysInTheWayOf(endpoint: Endpoint): string[] {
  if (endpoint.kind === "unix") return [endpoint.path];
  const { host } = endpoint;
  const port = portOf(endpoint);
  const others = WILDCARDS.includes(host) ? ["IPv4", "IPv6"] : [];
  return [host, ...WILDCARDS, ...others].map((other) => `${other} ${port}`);
}

/** Those of datagrams are others. */
function portOf(
  { port, isDatagram }: Endpoint & { readonly kind: "inet" },
): string {
  return isDatagram ? `udp ${port}` : `${port}`;
}

function familyOf(host: string): "IPv4" | "IPv6" {
  return host.includes(":") ? "IPv6" : "IPv4";
}

/** What it means to listen on both: `undefined` where nothing is in the way. */
function conflictOf(one: Endpoint, other: Endpoint): Level | undefined {
  if (one.kind === "unix" || other.kind === "unix") return "error";
  // Port 0 is a free one, each time another.
  if (one.port === 0) return undefined;
  if (one.host === other.host) return "error";
  const hosts = [one.host, other.host];
  // net.ipv6.bindv6only decides.
  if (familyOf(one.host) !== familyOf(other.host)) {
    return hosts.includes("::") ? "warning" : undefined;
  }
  return hosts.some((host) => WILDCARDS.includes(host)) ? "error" : undefined;
}
