/**
 * The name of an inet service, and the addresses that it stands for.
 *
 * @module
 */

import { parseHost, PORT_MAX, splitInetName } from "../config/inet_name.ts";
import type { KnownPorts } from "../config/known_tcp_ports.ts";
import { parseCount } from "../config/values.ts";
import { mappedInet4 } from "../posix/mapped_inet4.ts";
import { EX, failure, type Mistake, type Result, success } from "../result.ts";
import { findHostAddresses, findServicePort } from "./getent.ts";

/** An address to listen on. */
export interface InetEndpoint {
  readonly host: string;
  readonly port: number;
}

/** What a name stands for. */
export interface InetEndpoints {
  /** In the order of the resolver; without a host, every address of this machine. */
  readonly endpoints: readonly InetEndpoint[];
  /** Whether no address was named, so that a machine may be without some. */
  readonly everywhere: boolean;
}

/** Where a service listens whose name has no host, and by which protocols. */
export interface InetScope {
  /** As `inet_interfaces` has it: `all`, `loopback-only`, or hosts. */
  readonly interfaces: readonly string[];
  /** As `inet_protocols` has it: `all`, `ipv4`, `ipv6`. */
  readonly protocols: readonly string[];
  /** Names of tcp ports that the system need not have. */
  readonly ports: KnownPorts;
  /** Which ports are meant; tcp's, if nothing is said. */
  readonly transport?: "tcp" | "udp" | undefined;
}

const EVERYWHERE: InetScope = {
  interfaces: ["all"],
  protocols: ["all"],
  ports: new Map(),
};

/** How names are looked up: by getent(1), or by a test's own. */
export interface Lookup {
  /** The addresses of a host, in the order of the resolver. */
  addresses(host: string): readonly string[];
  /** The number of a port. */
  port(name: string, transport: "tcp" | "udp"): number | undefined;
}

const SYSTEM: Lookup = {
  addresses: findHostAddresses,
  port: findServicePort,
};

/**
 * Reads the name of an inet service.
 *
 * @param name The name; hosts may be names of hosts(5), ports of services(5).
 * @param scope Which of its addresses are meant.
 * @param lookup How names are looked up.
 * @returns The addresses.
 */
export function parseInetName(
  name: string,
  scope: InetScope = EVERYWHERE,
  lookup: Lookup = SYSTEM,
): Result<InetEndpoints> {
  const split = splitInetName(name);
  if (!split.ok) {
    return failure({
      text: `${split.wrong} in "${name}"`,
      mend: mendOf(name),
      exitCode: EX.USAGE,
    });
  }
  const { host, port: portText } = split.value;
  const port = parsePort(portText, scope, lookup);
  if (!port.ok) return port;
  const everywhere = host === undefined && scope.interfaces.length === 1
    ? WILDCARDS.get(scope.interfaces[0] ?? "")
    : undefined;
  const found = everywhere !== undefined
    ? success(everywhere)
    : host === undefined
    ? interfaceAddresses(scope.interfaces, lookup)
    : host.kind === "name"
    ? addressesOf(host.name, lookup)
    : success([host.address]);
  if (!found.ok) return found;
  const usable = [...new Set(found.value)].filter(isOf(scope.protocols));
  if (usable.length === 0) {
    return failure({
      text: `no address of inet_protocols for ${name}`,
      mend: "name another host, or set inet_protocols = all",
      exitCode: EX.CONFIG,
    });
  }
  // The kernel does not listen on one where IPv6 means IPv6 alone.
  for (const host of usable) {
    const inet4 = mappedInet4(host);
    if (inet4 !== undefined) return failure(mapped(host, inet4));
  }
  return success({
    endpoints: usable.map((host) => ({ host, port: port.value })),
    everywhere: everywhere !== undefined,
  });
}

/** The interfaces that are no hosts. */
const WILDCARDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["all", ["::", "0.0.0.0"]],
  ["loopback-only", ["::1", "127.0.0.1"]],
]);

/** An address alone is the commonest slip. */
function mendOf(name: string): string {
  const host = parseHost(name.replace(/^\[(.*)\]$/s, "$1"));
  if (host?.kind !== "address") {
    return "write host:port, [address]:port or port";
  }
  const { address } = host;
  const shown = address.includes(":") ? `[${address}]` : address;
  return `write its port, too: ${shown}:PORT`;
}

function mapped(host: string, inet4: string): Mistake {
  return {
    text: `an IPv4 address in IPv6's form: ${host}`,
    mend: `write ${inet4}`,
    exitCode: EX.USAGE,
  };
}

function isOf(protocols: readonly string[]): (host: string) => boolean {
  const all = protocols.includes("all");
  return (host) =>
    all || protocols.includes(host.includes(":") ? "ipv6" : "ipv4");
}

function parsePort(
  text: string,
  { ports, transport = "tcp" }: InetScope,
  lookup: Lookup,
): Result<number> {
  const mend = `use a number up to ${PORT_MAX}, or a ${transport} name of ` +
    "/etc/services";
  // The C library lets a sign pass.
  const isNumber = /^\+?\d+$/.test(text);
  const number = isNumber
    ? parseCount(text.replace("+", ""), PORT_MAX)
    : transport === "tcp" && ports.has(text)
    ? ports.get(text)
    : lookup.port(text, transport);
  if (number !== undefined) return success(number);
  if (isNumber) {
    return failure({
      text: `bad port: ${text}`,
      mend,
      exitCode: EX.USAGE,
    });
  }
  return failure({
    text: `unknown service: ${text}`,
    mend: parseHost(text) !== undefined && lookup.addresses(text).length > 0
      ? `${text} is a host: write its port, too: ${text}:PORT`
      : mend,
    exitCode: EX.USAGE,
  });
}

/** Brackets may be around any of them, and whatever the resolver knows is one. */
function interfaceAddresses(
  interfaces: readonly string[],
  lookup: Lookup,
): Result<readonly string[]> {
  const all: string[] = [];
  for (const named of interfaces) {
    const text = named.replace(/^\[(.*)\]$/s, "$1");
    const host = parseHost(text);
    const found = host?.kind === "address"
      ? success([host.address])
      : addressesOf(text, lookup);
    if (!found.ok) return found;
    all.push(...found.value);
  }
  return success(all);
}

function addressesOf(host: string, lookup: Lookup): Result<readonly string[]> {
  const addresses = lookup.addresses(host);
  if (addresses.length > 0) return success(addresses);
  const meant = host.toLowerCase();
  return failure({
    text: `unknown host: ${host}`,
    mend: WILDCARDS.has(meant)
      ? meant === host
        ? `${meant} stands alone: leave the others out`
        : `did you mean ${meant}?`
      : "use an address of this machine, or a name of /etc/hosts",
    exitCode: EX.NOHOST,
  });
}
