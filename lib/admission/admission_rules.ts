/**
 * The rules of admission that settings make, together with what had to be
 * looked up for them.
 *
 * @module
 */

import type { CheckedAdmission } from "../config/admission/check_admission.ts";
import type { ServiceSettings } from "../config/service_settings.ts";
import type { AdmissionRules, PeerRules } from "./admission.ts";
import { type ClientTable, compileClientTable } from "./client_table.ts";

const MS_PER_SECOND = 1000;

/** What had to be looked up: plain data, which a reload hands on. */
export interface AdmissionLookups {
  readonly clients?: ClientTable | undefined;
  readonly proxies?: ClientTable | undefined;
  readonly peers?: PeerRules | undefined;
}

/**
 * Compiles what was looked up.
 *
 * @param checked What was looked up.
 * @returns The same, to be decided by.
 */
export function compileLookups(
  { clients, proxies, peers }: CheckedAdmission,
): AdmissionLookups {
  return {
    clients: clients && compileClientTable(clients),
    proxies: proxies && compileClientTable(proxies),
    peers,
  };
}

/**
 * Makes the rules of a service.
 *
 * @param settings Its settings.
 * @param lookups What had to be looked up for them.
 * @returns The rules; `undefined` where nothing is said.
 */
export function admissionRules(
  settings: ServiceSettings,
  { clients, proxies, peers }: AdmissionLookups,
): AdmissionRules | undefined {
  const rules: AdmissionRules = {
    clients,
    peers,
    clientConnections: settings.spawnd_client_connection_count_limit,
    clientRate: settings.spawnd_client_connection_rate_limit,
    serviceRate: settings.spawnd_connection_rate_limit,
    rateUnitMs: MS_PER_SECOND * settings.spawnd_rate_time_unit,
    clientsRemembered: settings.spawnd_client_table_size,
    prefixLengths: {
      inet4: settings.spawnd_client_ipv4_prefix_length,
      inet6: settings.spawnd_client_ipv6_prefix_length,
    },
    accessTimes: settings.spawnd_access_times,
    busyLimits: {
      load: settings.spawnd_load_limit,
      pressures: settings.spawnd_pressure_limit,
    },
    proxies: proxies && {
      clients: proxies,
      timeoutMs: MS_PER_SECOND * settings.spawnd_proxy_timeout,
    },
  };
  return saysAnything(rules) ? rules : undefined;
}

function saysAnything(rules: AdmissionRules): boolean {
  const { clientConnections, clientRate, serviceRate, busyLimits } = rules;
  return [rules.clients, rules.peers, rules.proxies, busyLimits.load]
    .some((rule) => rule !== undefined) ||
    clientConnections > 0 || clientRate > 0 || serviceRate > 0 ||
    rules.accessTimes.length > 0 ||
    Object.keys(busyLimits.pressures).length > 0;
}
