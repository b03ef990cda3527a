/**
 * The parameters of a command's surroundings and of its service's socket: rows
 * of the one table of parameters.
 *
 * @module
 */

import { CONNECTION_ENVIRONMENTS } from "../../posix/connection_environment.ts";
import { STANDARD_ERRORS } from "../../posix/surroundings/surroundings.ts";
import { modeValue } from "../values.ts";
import { parseDevice, parseGroups } from "./names.ts";
import { parseLimits } from "./limits.ts";
import { choiceOf, orNothing } from "./parsed.ts";
import { parseDirectory, parsePathAccess } from "./paths.ts";
import { parseCpus, parseIoPriority, parseNice } from "./scheduling.ts";

/** The largest numbers that tcp(7) takes: MAX_TCP_KEEPIDLE and the like. */
const KEEPALIVE_COUNT_MAX = 127;

/** What all of them have. */
const OURS = { origin: "spawnd", since: "0.1", scope: "service" } as const;

/** The rows. */
export const SURROUNDING_PARAMETERS = [
  {
    ...OURS,
    name: "spawnd_bind_to_device",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: parseDevice,
    placeholder: "NAME",
    meaning: "Standalone, the network interface by which clients of an inet " +
      "service must come; empty for any.",
  },
  {
    ...OURS,
    name: "spawnd_connection_environment",
    type: "string",
    default: "",
    mayBeEmpty: true,
    choices: CONNECTION_ENVIRONMENTS,
    parse: orNothing(choiceOf(CONNECTION_ENVIRONMENTS)),
    brief: "whose variables tell commands of their connection",
    meaning: "Whose variables tell commands of their connection. ucspi: " +
      "PROTO, TCPLOCALIP, TCPLOCALPORT, TCPREMOTEIP, TCPREMOTEPORT and " +
      "TCPCONNNUM, of a unix socket PROTO, IPCREMOTEEUID, IPCREMOTEEGID and " +
      "IPCREMOTEPID. systemd: REMOTE_ADDR and REMOTE_PORT. inetd: " +
      "REMOTE_HOST, an address. Where it is empty, ucspi, and none below " +
      "master(8).",
  },
  {
    ...OURS,
    name: "spawnd_cpu_affinity",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: orNothing(parseCpus),
    placeholder: "LIST",
    meaning: "The processors that commands may run on, as taskset(1) has " +
      "them: 0-2,5.",
  },
  {
    ...OURS,
    name: "spawnd_defer_accept",
    transport: "inet",
    type: "time",
    unit: "s",
    default: "0s",
    min: 0,
    meaning: "Standalone, how long connections to an inet service wait with " +
      "the kernel for the client's first word, 0 for not at all. Not for " +
      "services that speak first.",
  },
  {
    ...OURS,
    name: "spawnd_directory",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: orNothing(parseDirectory),
    placeholder: "PATH",
    meaning:
      "Where commands start. They enter it as their user; with chroot, " +
      "it is seen from the root directory that they have.",
  },
  {
    ...OURS,
    name: "spawnd_free_bind",
    type: "boolean",
    default: "no",
    meaning: "Standalone, whether an inet service may listen on an address " +
      "that the machine does not have, or not yet.",
  },
  {
    ...OURS,
    name: "spawnd_groups",
    type: "string",
    default: "primary",
    parse: parseGroups,
    placeholder: "LIST",
    brief: "supplementary groups: primary, all, or names",
    meaning: "The supplementary groups of commands. primary: their group " +
      "alone. all: those that their account is in. Names of groups: these " +
      "and their own. They are looked up at start.",
  },
  {
    ...OURS,
    name: "spawnd_io_priority",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: orNothing(parseIoPriority),
    placeholder: "CLASS[:N]",
    meaning: "How commands come to disks, as ionice(1) has it: idle, " +
      "best-effort:N or realtime:N, from 0, which comes first, to 7.",
  },
  {
    ...OURS,
    name: "spawnd_keepalive",
    transport: "inet",
    type: "boolean",
    default: "yes",
    brief: "ask whether silent TCP clients are still there",
    meaning: "Whether the kernel asks, from time to time, if a silent client " +
      "of an inet service is still there. Without, one that has vanished " +
      "keeps its command until the time limit.",
  },
  {
    ...OURS,
    name: "spawnd_keepalive_count",
    transport: "inet",
    type: "integer",
    default: "0",
    min: 0,
    max: KEEPALIVE_COUNT_MAX,
    meaning: "How often it asks before it gives the client up, 0 for sysctl " +
      "net.ipv4.tcp_keepalive_probes.",
  },
  {
    ...OURS,
    name: "spawnd_keepalive_idle",
    transport: "inet",
    type: "time",
    unit: "s",
    default: "0s",
    min: 0,
    meaning: "After how long without a word it asks, 0 for sysctl " +
      "net.ipv4.tcp_keepalive_time.",
  },
  {
    ...OURS,
    name: "spawnd_keepalive_interval",
    transport: "inet",
    type: "time",
    unit: "s",
    default: "0s",
    min: 0,
    meaning: "How long it waits for an answer, 0 for sysctl " +
      "net.ipv4.tcp_keepalive_intvl.",
  },
  {
    ...OURS,
    name: "spawnd_landlock",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: orNothing(parsePathAccess),
    placeholder: "LIST",
    brief: "the only paths for commands: read=PATH write=PATH",
    meaning: "The only paths that commands may open, as words: read=PATH to " +
      "read and execute what is there and beneath, write=PATH to read, change " +
      "and make it. The command itself and its libraries have to be among " +
      "them. Implies spawnd_no_new_privileges. The kernel must have Landlock.",
  },
  {
    ...OURS,
    name: "spawnd_limits",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: parseLimits,
    placeholder: "LIST",
    brief: "limits of commands: nofile=64 as=256M cpu=60:90",
    meaning: "Limits of each command, by prlimit(1)'s names: NAME=LIMIT or " +
      "NAME=SOFT:HARD, with K, M, G or T for sizes and s, m, h or d for cpu, " +
      "or infinity. nproc counts all processes of the user.",
  },
  {
    ...OURS,
    name: "spawnd_login_environment",
    type: "boolean",
    default: "no",
    brief: "give commands HOME, USER, LOGNAME and SHELL",
    meaning: "Whether commands have HOME, USER, LOGNAME and SHELL of their " +
      "account. What export_environment says comes before.",
  },
  {
    ...OURS,
    name: "spawnd_nice",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: orNothing(parseNice),
    placeholder: "N",
    meaning: "How commands come to processors, as nice(1) has it: from -20, " +
      "which comes first, to 19.",
  },
  {
    ...OURS,
    name: "spawnd_no_new_privileges",
    type: "boolean",
    default: "no",
    brief: "let commands gain no privileges by exec",
    meaning: "Whether set-user-id programs and file capabilities give " +
      "commands nothing.",
  },
  {
    ...OURS,
    name: "spawnd_nodelay",
    transport: "inet",
    type: "boolean",
    default: "no",
    brief: "send little at once over TCP",
    meaning: "Whether what commands write to clients of an inet service is " +
      "sent at once, however little it is.",
  },
  {
    ...OURS,
    name: "spawnd_private_network",
    type: "boolean",
    default: "no",
    brief: "give commands no network but their connection",
    meaning: "Whether commands see no network but a loopback interface that " +
      "all commands of the service share. Their connection goes on working.",
  },
  {
    ...OURS,
    name: "spawnd_reuse_port",
    type: "boolean",
    default: "no",
    meaning: "Standalone, whether several daemons of the same user may have " +
      "the address of an inet service, and share its clients.",
  },
  {
    ...OURS,
    name: "spawnd_standard_error",
    type: "string",
    default: "connection",
    choices: STANDARD_ERRORS,
    parse: choiceOf(STANDARD_ERRORS),
    brief: "standard error: connection, inherit, null",
    meaning: "What commands have as standard error: their connection, as " +
      "with spawn(8); the daemon's own; or nothing.",
  },
  {
    ...OURS,
    name: "spawnd_umask",
    type: "string",
    default: "",
    mayBeEmpty: true,
    parse: orNothing(modeValue),
    placeholder: "MODE",
    meaning: "What files that commands make are closed to, as umask(2) has " +
      "it. Where it is empty, 077.",
  },
  {
    ...OURS,
    name: "spawnd_v6only",
    type: "boolean",
    default: "no",
    brief: "take IPv6 clients alone on an IPv6 address",
    meaning: "Standalone, whether an IPv6 address takes IPv6 clients alone, " +
      "whatever sysctl net.ipv6.bindv6only says.",
  },
  {
    ...OURS,
    name: "spawnd_wait",
    type: "boolean",
    default: "no",
    brief: "give a command the listening socket itself",
    meaning: "Standalone, whether a command is given the listening socket " +
      "itself, to take what comes, as inetd(8)'s wait services are: one " +
      "command at a time. It may run as long as it likes, unless a time limit " +
      "is set. A service of type udp always does so.",
  },
] as const;
