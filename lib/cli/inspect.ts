/**
 * A configuration as `spawnd serve` would have it, from the files to the
 * addresses, with everything that would keep it from serving.
 *
 * Whoever asks, the answer is what root would get: the daemon is root's.
 *
 * @module
 */

import { checkDaemon, type DaemonSettings } from "../config/daemon_settings.ts";
import { type Configuration, loadConfiguration } from "../config/load.ts";
import {
  inOrder,
  type Level,
  type Problem,
  problemInText,
  type Report,
  wholeFile,
} from "../config/problems.ts";
import { type CheckedService, checkServices } from "../config/services.ts";
import { type InetEndpoint, parseInetName } from "../net/inet_endpoint.ts";
import { formatAddress } from "../posix/sockets.ts";
import { EX, failure, type Result, success } from "../result.ts";
import { findOwner, openContext } from "./start.ts";
import { thisMachine } from "./this_machine.ts";

/** A socket that a service would listen on. */
export type Endpoint =
  | ({ readonly kind: "inet" } & InetEndpoint)
  | { readonly kind: "unix"; readonly path: string };

/** A service, and all that it would listen on. */
export interface InspectedService {
  readonly service: CheckedService;
  readonly endpoints: readonly Endpoint[];
}

/** What looking at a configuration came to. */
export interface Inspection {
  readonly configuration: Configuration;
  readonly services: readonly InspectedService[];
  /** All that reading and checking found, in the order of the files. */
  readonly problems: readonly Problem[];
}

/** Whom every service is checked for. */
const ROOT = { uid: 0, gid: 0 };

/**
 * Looks at a configuration.
 *
 * @param directory Where main.cf and master.cf are.
 * @returns What there is, and what is wrong with it.
 */
export function inspect(directory: string): Inspection {
  const configuration = loadConfiguration(
    directory,
    (path) => Deno.readFileSync(path),
    { machine: thisMachine },
  );
  const { scope, master } = configuration;
  const daemon = checkDaemon(configuration);
  const problems = [...configuration.problems, ...daemon.problems];
  const report: Report = (problem) => {
    problems.push(problem);
  };
  const { settings } = daemon;
  const context = { ...openContext("text"), self: ROOT };
  const owner = settings && findOwner(settings.owner, "owner", context);
  if (owner?.ok === false) {
    report(problemInText(scope.place("owner"), owner.mistake));
  }
  const checked = checkServices(configuration, {
    accounts: context.accounts,
    owner: owner?.ok ? owner.value : undefined,
    isBelowMaster: configuration.otherEntries > 0,
  });
  problems.push(...checked.problems);
  const services = checked.services.flatMap((service) => {
    const endpoints = endpointsOf(service, settings, configuration);
    if (endpoints.ok) return [{ service, endpoints: endpoints.value }];
    report(problemInText(service.places.name, endpoints.mistake));
    return [];
  });
  reportSharedAddresses(services, report);
  if (services.length === 0 && !problems.some(isError)) {
    report(problemInText(wholeFile(master.file), {
      text: "no service to serve",
      mend: "spawnd serves the entries whose command is spawn or spawnd",
    }));
  }
  return { configuration, services, problems: inOrder(problems) };
}

/**
 * Tells errors from warnings.
 *
 * @param problem A problem.
 * @returns Whether nothing is served because of it.
 */
export function isError({ level }: Problem): boolean {
  return level === "error";
}

/**
 * Tells whether two endpoints are one unix socket.
 *
 * @param one One.
 * @param other The other.
 * @returns Whether they are.
 */
export function isSamePath(one: Endpoint, other: Endpoint): boolean {
  return one.kind === "unix" && other.kind === "unix" &&
    one.path === other.path;
}

function endpointsOf(
  { type, address }: CheckedService,
  settings: DaemonSettings | undefined,
  { knownPorts }: Configuration,
): Result<Endpoint[]> {
  if (type === "pass") {
    return failure({
      text: "pass services take their connections from postscreen",
      mend: "make it inet or unix, or run it below master(8)",
      exitCode: EX.CONFIG,
    });
  }
  if (address.kind === "unix") return success([address]);
  const name = parseInetName(address.name, {
    interfaces: settings?.inetInterfaces ?? ["all"],
    protocols: settings?.inetProtocols ?? ["all"],
    ports: knownPorts,
  });
  return name.ok
    ? success(
      name.value.endpoints.map((endpoint) => ({ kind: "inet", ...endpoint })),
    )
    : name;
}

function reportSharedAddresses(
  services: readonly InspectedService[],
  report: Report,
): void {
  for (const [index, { service, endpoints }] of services.entries()) {
    for (const earlier of services.slice(0, index)) {
      for (const endpoint of endpoints) {
        const level = earlier.endpoints
          .map((other) => conflictOf(endpoint, other))
          .find((level) => level !== undefined);
        if (level === undefined) continue;
        const { line } = earlier.service.places.name;
        report(problemInText(service.places.name, {
          level,
          text: `two services on one address: ${formatAddress(endpoint)}`,
          mend: `the other is in line ${line}` +
            (level === "warning"
              ? "; the kernel takes :: for IPv4 as well, unless it is set not to"
              : ": give one of them another address"),
        }));
        break;
      }
    }
  }
}

/** What it means to listen on both: `undefined` where nothing is in the way. */
function conflictOf(one: Endpoint, other: Endpoint): Level | undefined {
  if (one.kind === "unix" || other.kind === "unix") {
    return isSamePath(one, other) ? "error" : undefined;
  }
  // Port 0 is a free one, each time another.
  if (one.port !== other.port || one.port === 0) return undefined;
  const hosts = [one.host, other.host];
  const isV6 = hosts.map((host) => host.includes(":"));
  if (one.host === other.host) return "error";
  // net.ipv6.bindv6only decides.
  if (isV6[0] !== isV6[1]) return hosts.includes("::") ? "warning" : undefined;
  return hosts.includes("::") || hosts.includes("0.0.0.0")
    ? "error"
    : undefined;
}
