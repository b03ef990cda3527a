/**
 * The name of an inet service, `host:port`, `[v6]:port` or `port`, and the
 * addresses that it stands for.
 *
 * @module
 */

import { parseCount } from "../config/values.ts";
import { EX, failure, type Result, success } from "../result.ts";
import { getent } from "./getent.ts";

const PORT_MAX = 65535;

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
}

const EVERYWHERE: InetScope = { interfaces: ["all"], protocols: ["all"] };

/** How names are looked up: getent(1), or a test's own. */
export type Lookup = (database: "ahosts" | "services", key: string) => string[];

const NAME = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?([^:[\]]+)$/;
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;

/**
 * Reads the name of an inet service.
 *
 * @param name The name; hosts may be names of hosts(5), ports of services(5).
 * @param lookup How names are looked up.
 * @param scope Which of its addresses are meant.
 * @returns The addresses.
 */
export function parseInetName(
  name: string,
  lookup: Lookup = getent,
  scope: InetScope = EVERYWHERE,
): Result<InetEndpoints> {
  const match = NAME.exec(name);
  if (match === null) {
    return failure({
      text: `bad inet address: ${name}`,
      mend: "write host:port, [address]:port or port",
      exitCode: EX.USAGE,
    });
  }
  const [, bracketed, plain = "", portText = ""] = match;
  const port = parsePort(portText, lookup);
  if (!port.ok) return port;
  const host = bracketed ?? plain;
  const everywhere = host === "" && scope.interfaces.length === 1
    ? WILDCARDS[scope.interfaces[0] ?? ""]
    : undefined;
  const hosts: string[] = [...everywhere ?? []];
  const names = host === "" ? scope.interfaces : [host];
  for (const named of everywhere === undefined ? names : []) {
    const found = resolveHost(named, lookup);
    if (found.length === 0) {
      return failure({
        text: `unknown host: ${named}`,
        mend: "use an address of this machine, or a name of /etc/hosts",
        exitCode: EX.NOHOST,
      });
    }
    hosts.push(...found);
  }
  const usable = [...new Set(hosts)].filter(isOf(scope.protocols));
  if (usable.length === 0) {
    return failure({
      text: `no address of inet_protocols for ${name}`,
      mend: "name another host, or set inet_protocols = all",
      exitCode: EX.CONFIG,
    });
  }
  return success({
    endpoints: usable.map((host) => ({ host, port: port.value })),
    everywhere: everywhere !== undefined,
  });
}

/** The interfaces that are no hosts. */
const WILDCARDS: Readonly<Record<string, readonly string[]>> = {
  all: ["::", "0.0.0.0"],
  "loopback-only": ["::1", "127.0.0.1"],
};

function isOf(protocols: readonly string[]): (host: string) => boolean {
  const all = protocols.includes("all");
  return (host) =>
    all || protocols.includes(host.includes(":") ? "ipv6" : "ipv4");
}

function parsePort(text: string, lookup: Lookup): Result<number> {
  const number = /^\d+$/.test(text) ? parseCount(text, PORT_MAX) : parseCount(
    /\s(\d+)\/tcp/.exec(lookup("services", `${text}/tcp`)[0] ?? "")?.[1] ??
      "",
    PORT_MAX,
  );
  if (number !== undefined) return success(number);
  return failure({
    text: /^\d+$/.test(text) ? `bad port: ${text}` : `unknown service: ${text}`,
    mend: `use a number up to ${PORT_MAX}, or a tcp name of /etc/services`,
    exitCode: EX.USAGE,
  });
}

/** Addresses stand for themselves; the system's resolver tells the rest. */
function resolveHost(host: string, lookup: Lookup): string[] {
  if (isInet4(host)) return [host];
  if (host.includes(":")) return [canonicalInet6(host)];
  const addresses = lookup("ahosts", host).map((line) => line.split(/\s/)[0]);
  return [...new Set(addresses)].filter((address) => address !== undefined);
}

/**
 * The form in which the kernel's answers are written too, so that addresses
 * can be compared; what is no address stays as it is and is refused later.
 */
function canonicalInet6(host: string): string {
  const canonical = URL.parse(`http://[${host}]`)?.hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(canonical ?? "");
  if (mapped === null) return canonical ?? host;
  const [high, low] = [mapped[1], mapped[2]].map((part = "") =>
    parseInt(part, 16)
  );
  return [high, low].flatMap((part = 0) => [part >> 8, part & 0xff]).join(".");
}

function isInet4(host: string): boolean {
  return IPV4.test(host) &&
    host.split(".").every((part) => parseCount(part, 255) !== undefined);
}
