/**
 * The parameters that spawnd knows: the one table that parsing, defaults,
 * checks, help and the manual pages are made from.
 *
 * Names, defaults, units and ranges of Postfix's parameters are Postfix 3.7's,
 * to the byte, but that `max_idle` and `max_use` may be 0. What depends on the
 * machine (`myhostname` and the like) has its default elsewhere; what depends on
 * the build (`daemon_directory` and the like) is not here, as spawnd has no use
 * for it.
 *
 * The door of lib/config, text in and checked values out, which imports from
 * posix and opens no file itself. A `Configuration` (configuration.ts) was read,
 * not checked: a `Scope` (settings.ts) gives its values by this table, and
 * services.ts makes a `CheckedService` of an entry. What is wrong is a `Problem`
 * (problems.ts), with its place and mend.
 *
 * @module
 */

import { FACILITIES } from "../posix/syslog.ts";
import { parseAccessTimes } from "./admission/access_times.ts";
import {
  type ClientListItem,
  parseClientList,
} from "./admission/client_list.ts";
import { parseNameList } from "./admission/name_list.ts";
import {
  parseLoadLimit,
  parsePressureLimits,
} from "./admission/pressure_limits.ts";
import { environmentValue } from "./environment_list.ts";
import { metricsAddressValue } from "./metrics_address.ts";
import { SURROUNDING_PARAMETERS } from "./surroundings/parameters.ts";
import { modeValue, type Parsed, type TimeUnit } from "./values.ts";

/** What every parameter has. */
interface ParameterBase {
  readonly name: string;
  /** Its value where nothing is said; may refer to others. */
  readonly default: string;
  /** What it is for: one or two sentences. */
  readonly meaning: string;
  /** The same as a phrase, where the first of the sentences is too long for one. */
  readonly brief?: string;
  readonly origin: "Postfix" | "spawnd";
  /** The first version that has it, where that is documented. */
  readonly since?: string;
  /** Set by the program itself; what a file says about it does not count. */
  readonly readOnly?: true;
  /**
   * Whose value it is, standalone as below master(8): that of each `service`,
   * which `-o` on its line may set, or the `daemon`'s as a whole. Either is an
   * option of `spawnd run` as well. What has no scope is read elsewhere.
   */
  readonly scope?: "service" | "daemon";
  /** Its name among the options of `spawnd run`, where its own is another. */
  readonly option?: string;
  /** The one type of services that it is for. */
  readonly transport?: "inet" | "unix";
}

/** A parameter. */
export type Parameter =
  & ParameterBase
  & (
    | {
      readonly type: "string";
      /** Whether it may be empty; not, unless it says so. */
      readonly mayBeEmpty?: true;
      /** Whether it is a path that must not depend on where one is. */
      readonly isAbsolutePath?: true;
      /** The values there are, if they are few. */
      readonly choices?: readonly string[];
      /** Reads it, a binary string, where it is more than a word. */
      readonly parse?: (binary: string) => Parsed<unknown>;
      /** What its value is called in help. */
      readonly placeholder?: string;
    }
    | {
      readonly type: "time";
      /** The unit of a number without one. */
      readonly unit: TimeUnit;
      readonly min: number;
    }
    | {
      readonly type: "integer";
      readonly min: number;
      readonly max?: number;
      /** Whether it may be empty, which leaves the number to spawnd. */
      readonly mayBeEmpty?: true;
    }
    | { readonly type: "boolean" }
  );

/** More processes, or waiting connections, than any kernel has. */
export const COUNT_MAX = 2 ** 22;

function clientsValue(binary: string): Parsed<readonly ClientListItem[]> {
  return parseClientList(binary);
}

/** Those that do not stand elsewhere, in the order of their names. */
const OTHERS = [
  {
    name: "command_time_limit",
    type: "time",
    unit: "s",
    default: "1000s",
    min: 1,
    scope: "service",
    option: "time-limit",
    brief: "how long a command may run: 90, 5m, 2h",
    origin: "Postfix",
    meaning: "How long a command may run, for services without a " +
      "SERVICE_time_limit of their own. Then its whole process group is killed.",
  },
  {
    name: "compatibility_level",
    type: "string",
    default: "0",
    origin: "Postfix",
    since: "3.0",
    meaning:
      "The Postfix version whose defaults are in effect. Below 1, - in " +
      "the chroot field of master.cf means y.",
  },
  {
    name: "config_directory",
    type: "string",
    default: "/etc/postfix",
    origin: "Postfix",
    meaning: "The directory of main.cf and master.cf. Its value is the " +
      "directory that is read, not the default shown.",
  },
  {
    name: "daemon_timeout",
    type: "time",
    unit: "s",
    default: "18000s",
    min: 1,
    origin: "Postfix",
    meaning: "How long the daemon may take to get round its loop before a " +
      "watchdog ends it.",
  },
  {
    name: "default_process_limit",
    type: "integer",
    default: "100",
    min: 1,
    origin: "Postfix",
    meaning: "How many commands a service runs at once where its line in " +
      "master.cf has - for maxproc.",
  },
  {
    name: "export_environment",
    type: "string",
    default: "TZ MAIL_CONFIG LANG",
    mayBeEmpty: true,
    parse: environmentValue,
    placeholder: "LIST",
    scope: "service",
    brief: "names, name=value words, { name = value } groups",
    origin: "Postfix",
    meaning: "The environment of commands: names to pass on, name=value " +
      "words and { name = value } groups, between commas and white space. " +
      "PATH is always /usr/bin:/bin.",
  },
  {
    name: "import_environment",
    type: "string",
    default: "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY " +
      "LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME",
    mayBeEmpty: true,
    parse: environmentValue,
    origin: "Postfix",
    meaning: "The environment of the daemon itself, written as " +
      "export_environment: what is not here cannot be exported. Below " +
      "master(8), that has applied it already.",
  },
  {
    name: "inet_interfaces",
    type: "string",
    default: "all",
    mayBeEmpty: true,
    origin: "Postfix",
    meaning: "The addresses on which inet services without a host listen: " +
      "all, loopback-only, or a list of hosts.",
  },
  {
    name: "inet_protocols",
    type: "string",
    default: "all",
    mayBeEmpty: true,
    origin: "Postfix",
    since: "2.2",
    meaning: "The protocols of inet services: ipv4, ipv6, both, or all.",
  },
  {
    name: "ipc_timeout",
    type: "time",
    unit: "s",
    default: "3600s",
    min: 1,
    origin: "Postfix",
    meaning: "How long sending or receiving over an internal channel may take.",
  },
  {
    name: "known_tcp_ports",
    type: "string",
    default: "lmtp=24, smtp=25, smtps=submissions=465, submission=587",
    mayBeEmpty: true,
    origin: "Postfix",
    since: "3.6",
    meaning: "Port names of inet services that need not be in services(5).",
  },
  {
    name: "mail_name",
    type: "string",
    default: "Postfix",
    origin: "Postfix",
    meaning: "The name of the mail system, for other values to refer to.",
  },
  {
    name: "mail_owner",
    type: "string",
    default: "postfix",
    origin: "Postfix",
    meaning:
      "Below master(8), the account whose effective ids the daemon has. No " +
      "command may run as it.",
  },
  {
    name: "mail_version",
    type: "string",
    default: "3.7.11",
    origin: "Postfix",
    meaning:
      "The version of the Postfix on this machine, for other values to " +
      "refer to. The default shown is for a machine without one.",
  },
  {
    name: "maillog_file",
    type: "string",
    default: "",
    mayBeEmpty: true,
    origin: "Postfix",
    since: "3.4",
    meaning: "The file that Postfix's log daemon writes. Where it is set, " +
      "records go to that daemon and not to syslog.",
  },
  {
    name: "master_service_disable",
    type: "string",
    default: "",
    mayBeEmpty: true,
    origin: "Postfix",
    since: "2.6",
    meaning: "Services that are not served, by name/type or by type alone; ! " +
      "turns a match round, and the first one counts.",
  },
  {
    name: "max_idle",
    type: "time",
    unit: "s",
    default: "100s",
    min: 0,
    origin: "Postfix",
    meaning: "Below master(8), how long a process waits for a connection " +
      "before it ends; 0 for no limit.",
  },
  {
    name: "max_use",
    type: "integer",
    default: "100",
    min: 0,
    origin: "Postfix",
    meaning: "Below master(8), how many connections a process serves before " +
      "it ends; 0 for no limit. A process that stands for several serves as " +
      "many times more.",
  },
  {
    name: "multi_instance_directories",
    type: "string",
    default: "",
    mayBeEmpty: true,
    origin: "Postfix",
    since: "2.6",
    meaning:
      "Other instances' configuration directories, for other values to " +
      "refer to.",
  },
  {
    name: "multi_instance_enable",
    type: "boolean",
    default: "no",
    origin: "Postfix",
    since: "2.6",
    meaning: "Whether Postfix's instance manager may start this instance. " +
      "spawnd only checks it.",
  },
  {
    name: "multi_instance_group",
    type: "string",
    default: "",
    mayBeEmpty: true,
    origin: "Postfix",
    since: "2.6",
    meaning: "The group of this instance, for other values to refer to.",
  },
  {
    name: "multi_instance_name",
    type: "string",
    default: "",
    mayBeEmpty: true,
    origin: "Postfix",
    since: "2.6",
    meaning: "The name of this instance, where there are several on a " +
      "machine; by default the log has it, too.",
  },
  {
    name: "multi_instance_wrapper",
    type: "string",
    default: "",
    mayBeEmpty: true,
    origin: "Postfix",
    since: "2.6",
    meaning: "Postfix's instance manager, for other values to refer to.",
  },
  {
    name: "mydomain",
    type: "string",
    default: "",
    mayBeEmpty: true,
    origin: "Postfix",
    meaning:
      "The machine's domain, for other values to refer to. By default, " +
      "what follows the first dot of myhostname.",
  },
  {
    name: "myhostname",
    type: "string",
    default: "",
    mayBeEmpty: true,
    origin: "Postfix",
    meaning:
      "The machine's name, for other values to refer to. By default, what " +
      "the system says, with mydomain if that has no dot.",
  },
  {
    name: "owner",
    type: "string",
    default: "daemon",
    placeholder: "USER",
    scope: "daemon",
    origin: "spawnd",
    since: "0.1",
    meaning: "Standalone, the account whose effective ids the daemon has. No " +
      "command may run as it.",
  },
  {
    name: "process_id",
    type: "string",
    default: "",
    readOnly: true,
    origin: "Postfix",
    meaning: "The process id of the program that reads the configuration.",
  },
  {
    name: "process_name",
    type: "string",
    default: "",
    readOnly: true,
    origin: "Postfix",
    meaning: "The name of the program that reads the configuration; for a " +
      "service, the command on its line in master.cf.",
  },
  {
    name: "queue_directory",
    type: "string",
    isAbsolutePath: true,
    default: "/var/spool/postfix",
    origin: "Postfix",
    meaning: "The working directory of commands. unix services are in " +
      "private/ and public/ below it.",
  },
  {
    name: "service_name",
    type: "string",
    default: "",
    mayBeEmpty: true,
    readOnly: true,
    origin: "Postfix",
    meaning: "The name of the service on its line in master.cf.",
  },
  {
    name: "service_throttle_time",
    type: "time",
    unit: "s",
    default: "60s",
    min: 1,
    origin: "Postfix",
    meaning: "How long Postfix's master(8) waits before it starts a program " +
      "anew that has failed. spawnd only checks it: while a command cannot be " +
      "started, it is tried for one client a second, and the others wait.",
  },
  {
    name: "smtpd_policy_service_max_idle",
    type: "time",
    unit: "s",
    default: "300s",
    min: 1,
    origin: "Postfix",
    since: "2.1",
    meaning: "How long Postfix's SMTP server keeps an unused connection to a " +
      "policy service. A policy service's time limit should be longer.",
  },
  {
    name: "smtpd_policy_service_max_ttl",
    type: "time",
    unit: "s",
    default: "1000s",
    min: 1,
    origin: "Postfix",
    since: "2.1",
    meaning: "How long Postfix's SMTP server uses a connection to a policy " +
      "service. A policy service's time limit should be longer.",
  },
  {
    name: "spawnd_access_times",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: parseAccessTimes,
    placeholder: "TIMES",
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    brief: "hours of service: 08:00-18:00 Mon-Fri, 10:00-14:00 Sat",
    meaning: "The hours in which clients are served: times as 08:00-18:00, " +
      "then the days on which they begin, such as Mon-Fri or Sat; several " +
      "of them between commas. They are in the time zone that the daemon's " +
      "TZ names, such as Europe/Berlin, or else in the machine's. " +
      "A time that ends before it begins goes on into the next day. " +
      "In all other hours clients wait in the queue, and commands " +
      "that run go on. Empty for always.",
  },
  {
    name: "spawnd_backlog",
    type: "integer",
    default: "1024",
    min: 0,
    max: COUNT_MAX,
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    meaning: "How many connections may wait in the kernel's queue. sysctl " +
      "net.core.somaxconn limits that as well. Below master(8), at least as " +
      "many as there may be commands.",
  },
  {
    name: "spawnd_client_connection_count_limit",
    type: "integer",
    default: "0",
    min: 0,
    max: COUNT_MAX,
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    brief: "commands at once for one client, 0 for no limit",
    meaning: "How many commands may run at once for one client; 0 for no " +
      "limit. Whoever connects once more is closed at once, and " +
      "others have the rest of maxproc. What one client is, " +
      "spawnd_client_ipv4_prefix_length says; of a unix socket it is " +
      "a user.",
  },
  {
    name: "spawnd_client_connection_rate_limit",
    type: "integer",
    default: "0",
    min: 0,
    max: COUNT_MAX,
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    brief: "connections of one client in a --rate-time-unit, 0 for no limit",
    meaning: "How many connections of one client are served in a " +
      "spawnd_rate_time_unit, which slides along with time in steps " +
      "of a thirtieth; 0 for no limit. Whoever connects more often is " +
      "closed at once. Only those count that were served.",
  },
  {
    name: "spawnd_client_ipv4_prefix_length",
    type: "integer",
    default: "32",
    min: 0,
    max: 32,
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    meaning: "How many bits of an IPv4 address tell one client from another.",
  },
  {
    name: "spawnd_client_ipv6_prefix_length",
    type: "integer",
    default: "64",
    min: 0,
    max: 128,
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    meaning: "How many bits of an IPv6 address tell one client from another. " +
      "Most clients have a network of 64 bits to themselves.",
  },
  {
    name: "spawnd_client_table_size",
    type: "integer",
    default: "10000",
    min: 1,
    max: COUNT_MAX,
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    meaning: "How many clients' rates are remembered at the most. Where " +
      "there are more of them, those are forgotten first that have " +
      "not connected for the longest time.",
  },
  {
    name: "spawnd_clients",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: clientsValue,
    placeholder: "LIST",
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    brief: "who may connect: addresses, networks, !, /FILE, cidr:FILE",
    meaning: "Who may connect, as mynetworks has it: addresses and networks " +
      "(192.0.2.0/24, [2001:db8::]/32) between commas and white " +
      "space, ! before what is excluded, /FILE for a file with more " +
      "of them. The first one that matches counts, and who matches " +
      "none is closed at once. cidr:FILE is a table in the format of " +
      "cidr_table(5), whose results are allow, deny, or allow and " +
      "variables for the command: allow NAME=value { NAME = a value " +
      "}. Names are not looked up. Clients of unix sockets have no " +
      "address; spawnd_peer_users is for them. Empty for everybody.",
  },
  {
    name: "spawnd_concurrency",
    type: "integer",
    default: "",
    min: 0,
    mayBeEmpty: true,
    origin: "spawnd",
    since: "0.1",
    meaning: "How many commands one process of a service runs at once, 0 for " +
      "no limit. Where it is empty, as many as maxproc on the service's line.",
  },
  {
    name: "spawnd_connection_rate_limit",
    type: "integer",
    default: "0",
    min: 0,
    max: COUNT_MAX,
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    brief: "connections of all in a --rate-time-unit, 0 for no limit",
    meaning: "How many connections a service takes in a " +
      "spawnd_rate_time_unit; 0 for no limit. The others wait in the " +
      "queue until that much time has passed.",
  },
  {
    name: "spawnd_load_limit",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: parseLoadLimit,
    placeholder: "NUMBER",
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    meaning: "Clients wait in the queue while the load of the last minute " +
      "(proc_loadavg(5)) is above this number. Empty for no limit.",
  },
  {
    name: "spawnd_log",
    type: "string",
    default: "auto",
    choices: ["auto", "stderr", "syslog", "journal"],
    scope: "daemon",
    origin: "spawnd",
    since: "0.1",
    brief: "where the log goes: stderr, syslog, journal, or auto",
    meaning:
      "Standalone, where the log goes: stderr, syslog, or journal, which " +
      "is journald's own socket, with a field for each thing. auto is journal " +
      "where journald reads standard error, and else stderr.",
  },
  {
    name: "spawnd_log_connections",
    type: "boolean",
    default: "no",
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    brief: "tell of each connection, when it has ended, what it took",
    meaning: "Whether to tell of each connection when it has ended: client, " +
      "process id, exit status, duration, processor time, and peak memory " +
      "where that is more than the daemon's own.",
  },
  {
    name: "spawnd_metrics_address",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: metricsAddressValue,
    placeholder: "ADDRESS",
    scope: "daemon",
    origin: "spawnd",
    since: "0.1",
    brief: "where metrics are served over HTTP: a port, host:port, or a path",
    meaning: "Standalone, where metrics are served in Prometheus' format, at " +
      "/metrics: a port of the loopback, host:port, or the path of a unix " +
      "socket. Whoever can connect can read them. Empty for nowhere.",
  },
  {
    name: "spawnd_peer_groups",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: parseNameList,
    placeholder: "GROUPS",
    scope: "service",
    transport: "unix",
    origin: "spawnd",
    since: "0.1",
    brief: "groups whose processes may connect",
    meaning: "Who may connect to a unix socket: processes of which one of " +
      "these groups is the group or a supplementary group. With " +
      "spawnd_peer_users, either is enough. Empty, as is the other, " +
      "for whoever may write to the socket.",
  },
  {
    name: "spawnd_peer_users",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: parseNameList,
    placeholder: "USERS",
    scope: "service",
    transport: "unix",
    origin: "spawnd",
    since: "0.1",
    brief: "users whose processes may connect",
    meaning: "Who may connect to a unix socket: processes of these users, as " +
      "the kernel tells. root is not among them unless it is named. " +
      "Services of the type inet have no use for it.",
  },
  {
    name: "spawnd_pressure_limit",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: parsePressureLimits,
    placeholder: "LIST",
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    brief: "clients wait above cpu=40 memory=10 io=50, in percent",
    meaning: "Clients wait in the queue while processes of the machine wait " +
      "for more of the time than that, in percent of the last ten " +
      "seconds: cpu=40 memory=10 io=50, some of them or all " +
      "(proc_pressure(5)). Empty for no limit.",
  },
  {
    name: "spawnd_proxy_clients",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: clientsValue,
    placeholder: "LIST",
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    brief: "the proxies: addresses, networks, !, /FILE, cidr:FILE",
    meaning: "The proxies that spawnd_proxy_protocol is about, written as " +
      "spawnd_clients. Nobody else may connect. It cannot be empty " +
      "for a service of the type inet, since anybody could say to be " +
      "anyone; of a unix socket, spawnd_peer_users names the proxies.",
  },
  {
    name: "spawnd_proxy_protocol",
    type: "boolean",
    default: "no",
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    brief: "clients come by proxies that send a PROXY header, 1 or 2",
    meaning: "Whether clients come by a proxy, such as HAProxy, that says " +
      "first who they are: the PROXY protocol, version 1 or 2. " +
      "Limits, rules and the log are then about the client that it " +
      "names; for a connection of the proxy's own (LOCAL, UNKNOWN) " +
      "about the proxy. Exactly the header is taken from the " +
      "connection, at most 4096 bytes. Whoever sends none, or a " +
      "broken one, is closed.",
  },
  {
    name: "spawnd_proxy_timeout",
    type: "time",
    unit: "s",
    default: "5s",
    min: 1,
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    brief: "how long a proxy may take to send its header",
    meaning: "How long a proxy may take to say who its client is. As long it " +
      "is none of the commands that maxproc counts; up to 256 proxies " +
      "may be waited for.",
  },
  {
    name: "spawnd_rate_time_unit",
    type: "time",
    unit: "s",
    default: "60s",
    min: 1,
    scope: "service",
    origin: "spawnd",
    since: "0.1",
    brief:
      "the time of --client-connection-rate-limit and --connection-rate-limit",
    meaning: "The time in which connections are counted for " +
      "spawnd_client_connection_rate_limit and " +
      "spawnd_connection_rate_limit.",
  },
  {
    name: "spawnd_socket_mode",
    type: "string",
    default: "0666",
    parse: modeValue,
    placeholder: "MODE",
    scope: "service",
    transport: "unix",
    origin: "spawnd",
    since: "0.1",
    meaning: "Standalone, the permissions of a unix socket. It has them from " +
      "its first instant, and whoever may write to it may connect.",
  },
  {
    name: "spawnd_socket_owner",
    type: "string",
    default: "",
    mayBeEmpty: true,
    placeholder: "USER[:GROUP]",
    scope: "service",
    transport: "unix",
    origin: "spawnd",
    since: "0.1",
    meaning: "Standalone, whose a unix socket is; empty for who starts the " +
      "daemon. Without a group, it is the account's own.",
  },
  {
    name: "spawnd_stop_timeout",
    type: "time",
    unit: "s",
    default: "0s",
    min: 0,
    scope: "daemon",
    origin: "spawnd",
    since: "0.1",
    brief: "how long a stop waits for commands, 0 for no limit",
    meaning: "Standalone, how long after a SIGTERM commands may go on before " +
      "they are ended, as by a second one; 0 for no limit but their own.",
  },
  {
    name: "syslog_facility",
    type: "string",
    default: "mail",
    choices: Object.keys(FACILITIES),
    origin: "Postfix",
    meaning: "The facility of log records.",
  },
  {
    name: "syslog_name",
    type: "string",
    default: "${multi_instance_name?{$multi_instance_name}:{postfix}}",
    origin: "Postfix",
    meaning: "What stands before the process name in log records.",
  },
] as const satisfies readonly Parameter[];

/** All parameters with a name of their own, in the order of their names. */
export const PARAMETERS: readonly Row[] = inOrderOfNames([
  ...OTHERS,
  ...SURROUNDING_PARAMETERS satisfies readonly Parameter[],
]);

function inOrderOfNames(rows: Row[]): Row[] {
  return rows.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** How the names end that belong to one service. */
export const TIME_LIMIT_SUFFIX = "_time_limit";

/**
 * Makes the parameter `SERVICE_time_limit` of a service.
 *
 * @param service The service's name, of whatever characters.
 * @returns The parameter.
 */
export function timeLimitParameter(
  service: string,
): Parameter & { type: "time" } {
  return {
    name: `${service}${TIME_LIMIT_SUFFIX}`,
    type: "time",
    unit: "s",
    default: "$command_time_limit",
    min: 1,
    origin: "Postfix",
    meaning: "How long a command of the service may run. Then its whole " +
      "process group is killed.",
  };
}

/** A row of the table, with its name and all else as it stands there. */
export type Row =
  | typeof OTHERS[number]
  | typeof SURROUNDING_PARAMETERS[number];

/** The names of a type's parameters. */
export type NameOf<Type extends Parameter["type"]> = Extract<
  Row,
  { type: Type }
>["name"];

/** The type of a parameter's value: times are in seconds. */
export type ValueOf<R extends Row> = R extends
  { readonly parse: (binary: string) => Parsed<infer Value> } ? Value
  : R extends { readonly type: "time" } ? number
  : R extends { readonly type: "integer"; readonly mayBeEmpty: true }
    ? number | undefined
  : R extends { readonly type: "integer" } ? number
  : R extends { readonly type: "boolean" } ? boolean
  : string;

const BY_NAME: ReadonlyMap<string, Parameter> = new Map(
  PARAMETERS.map((parameter) => [parameter.name, parameter]),
);

/**
 * Finds a parameter.
 *
 * @param name Its name.
 * @returns The parameter, unless there is none of that name.
 */
export function findParameter(name: string): Parameter | undefined {
  return BY_NAME.get(name);
}
