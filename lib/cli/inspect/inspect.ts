/**
 * A configuration as `spawnd serve` would have it, from the files to the
 * addresses, with everything that would keep it from serving.
 *
 * Whoever asks, the answer is what root would get: the daemon is root's.
 *
 * @module
 */

import {
  checkDaemon,
  type DaemonSettings,
} from "../../config/daemon_settings.ts";
import type { Configuration } from "../../config/configuration.ts";
import {
  inOrder,
  type Problem,
  problemInText,
  type Report,
  wholeFile,
} from "../../config/problems.ts";
import { type CheckedService, checkServices } from "../../config/services.ts";
import { parseInetName } from "../../net/inet_endpoint.ts";
import { refuseSocketPath } from "../../net/unix_socket.ts";
import { EX, failure, type Result, success } from "../../result.ts";
import type { Endpoint, InspectedService } from "./inspected_service.ts";
import { reportSharedAddresses } from "./shared_addresses.ts";
import { unfitRules } from "../serving/unfit_rules.ts";
import { findOwner } from "../serving/identities.ts";
import { openContext } from "../serving/start.ts";
import { readConfiguration } from "../shared/read_configuration.ts";

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
  const configuration = readConfiguration(directory);
  const { scope, master } = configuration;
  const daemon = checkDaemon(configuration);
  const problems = [...configuration.problems, ...daemon.problems];
  const report: Report = (problem) => {
    problems.push(problem);
  };
  const { settings } = daemon;
  const context = { ...openContext("text"), self: ROOT };
  const owner = settings && findOwner(settings.owner, context);
  if (owner?.ok === false) {
    report(problemInText(scope.place("owner"), owner.mistake));
  }
  const checked = checkServices(configuration, {
    accounts: context.accounts,
    owner: owner?.ok ? owner.value : undefined,
    isBelowMaster: configuration.otherEntries > 0,
  });
  checked.problems.forEach(report);
  for (const service of checked.services) {
    for (const { place, mistake } of unfitRules(service, context)) {
      report(problemInText(place, mistake));
    }
  }
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
  if (address.kind === "unix") {
    const mistake = refuseSocketPath(address.path);
    return mistake === undefined ? success([address]) : failure(mistake);
  }
  const name = parseInetName(address.name, {
    interfaces: settings?.inetInterfaces ?? ["all"],
    protocols: settings?.inetProtocols ?? ["all"],
    ports: knownPorts,
    transport: type === "udp" ? "udp" : "tcp",
  });
  return name.ok
    ? success(
      name.value.endpoints.map((endpoint) => ({
        kind: "inet",
        ...endpoint,
        ...type === "udp" && { isDatagram: true },
      })),
    )
    : name;
}
