/**
 * What main.cf says about the daemon as a whole, checked.
 *
 * @module
 */

import { isComplete } from "./whole_record.ts";
import type { EnvironmentEntry } from "./environment_list.ts";
import type { Configuration } from "./configuration.ts";
import type { MetricsAddress } from "./metrics_address.ts";
import {
  inOrder,
  type Problem,
  problemInText,
  type Report,
} from "./problems.ts";
import type { Scope } from "./settings.ts";

const PROTOCOLS = ["ipv4", "ipv6"] as const;

/** A protocol of inet services. */
export type InetProtocol = typeof PROTOCOLS[number];

/** Where the log is to go. */
export type LogChoice = "auto" | "stderr" | "syslog" | "journal";

/** Values for the daemon as a whole. */
export interface DaemonSettings {
  readonly queueDirectory: string;
  /** The account of the daemon itself, standalone. */
  readonly owner: string;
  /** The account of the daemon itself below master(8). */
  readonly mailOwner: string;
  readonly syslogFacility: string;
  readonly syslogName: string;
  /** Empty where records go to syslog. */
  readonly maillogFile: string;
  /** The variables that there are, standalone, for services to export. */
  readonly importEnvironment: readonly EnvironmentEntry[];
  /** How long a stop waits for commands, standalone; 0 for no limit. */
  readonly stopTimeoutSeconds: number;
  readonly log: LogChoice;
  /** Where metrics are served; not yet looked up. */
  readonly metricsAddress: MetricsAddress;
  /** `all`, `loopback-only`, and hosts; not yet looked up. */
  readonly inetInterfaces: readonly string[];
  readonly inetProtocols: readonly InetProtocol[];
}

/** What looking at the settings came to. */
export interface CheckedDaemon {
  /** The settings; `undefined` where there is an error. */
  readonly settings: DaemonSettings | undefined;
  /** The problems of these settings, in the order of the file. */
  readonly problems: readonly Problem[];
}

/**
 * Checks what the daemon as a whole needs.
 *
 * @param configuration The configuration.
 * @returns The settings, or everything wrong with them.
 */
export function checkDaemon({ scope }: Configuration): CheckedDaemon {
  const problems: Problem[] = [];
  const report: Report = (problem) => problems.push(problem);
  const values = {
    queueDirectory: scope.string("queue_directory", report),
    owner: scope.string("owner", report),
    mailOwner: scope.string("mail_owner", report),
    syslogFacility: scope.string("syslog_facility", report),
    syslogName: scope.string("syslog_name", report),
    maillogFile: scope.string("maillog_file", report),
    importEnvironment: scope.value("import_environment", report),
    stopTimeoutSeconds: scope.seconds("spawnd_stop_timeout", report),
    // As its row has it.
    log: scope.string("spawnd_log", report) as LogChoice | undefined,
    metricsAddress: scope.value("spawnd_metrics_address", report),
    inetInterfaces: words(scope.string("inet_interfaces", report)),
    inetProtocols: inetProtocols(scope, report),
  };
  return {
    settings: isComplete<DaemonSettings>(values) ? values : undefined,
    problems: inOrder(problems),
  };
}

function words(list: string | undefined): string[] | undefined {
  return list?.split(/[, \t\r\n]+/).filter((word) => word !== "");
}

function inetProtocols(
  scope: Scope,
  report: Report,
): InetProtocol[] | undefined {
  const list = scope.string("inet_protocols", report);
  const names = words(list);
  if (names === undefined) return undefined;
  const unknown = names.find((name) => name !== "all" && !isProtocol(name));
  if (unknown !== undefined) {
    report(problemInText(scope.place("inet_protocols"), {
      text: `unknown inet_protocols value "${unknown}" in "${list}"`,
      mend: `it is all, or of ${PROTOCOLS.join(", ")}`,
    }));
    return undefined;
  }
  return names.includes("all")
    ? [...PROTOCOLS]
    : PROTOCOLS.filter((protocol) => names.includes(protocol));
}

function isProtocol(name: string): name is InetProtocol {
  return PROTOCOLS.some((protocol) => protocol === name);
}
