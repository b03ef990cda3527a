/**
 * From the command line of master(8) and Postfix's configuration to what a
 * child serves, or to the reason why it does not.
 *
 * @module
 */

import { DEFAULT_TUNING } from "../net/connection_tuning.ts";
import { type Accounts, parseAttributes } from "../config/attributes.ts";
import { fromText, toText } from "../config/bytes.ts";
import { checkDaemon, type DaemonSettings } from "../config/daemon_settings.ts";
import { environmentParameter } from "../config/environment_list.ts";
import type { Configuration } from "../config/load.ts";
import { PlacedText } from "../config/logical_lines.ts";
import type { MasterEntry } from "../config/master_cf.ts";
import type { Problem, Report } from "../config/problems.ts";
import { Scope } from "../config/settings.ts";
import { commandEnvironment } from "../engine/environment.ts";
import { facilityNumber } from "../log/system_log.ts";
import type { ChildPlan } from "../master/child.ts";
import { FIRST_LISTEN_FD, parseGeneration } from "../master/status.ts";
import type { Identity } from "../posix/credentials.ts";
import type { Libc } from "../posix/libc.ts";
import { formatAddress, isListening, socketAddress } from "../posix/sockets.ts";
import type { ServiceOptions } from "../service/service.ts";
import { type MasterRequest, parseMasterRequest } from "./master_options.ts";
import { readConfiguration } from "./read_configuration.ts";
import { accountsOf } from "./start.ts";
import { directoryVariable, ownVariables } from "./variables.ts";

/** Where Postfix has its configuration unless MAIL_CONFIG says otherwise. */
const CONFIG_DIRECTORY = "/etc/postfix";

/**
 * How many connections may wait at least. For a service that is a process for
 * each connection master(8) leaves room for as many as there may be processes;
 * where one process takes all of them, a burst finds no room there and a TCP
 * client that is turned away tries again after a second.
 */
const BACKLOG_MIN = 1024;

/** The place of that field in a line of master.cf. */
const CHROOT = 4;

/** Something for which the process cannot go on. */
export class Fatal extends Error {}

/** What there is to plan with. */
export interface PlanContext {
  readonly libc: Libc;
  /** The name that this program was started by. */
  readonly program: string;
  /**
   * Whether to take what master.cf says by now in place of the request.
   */
  readonly isAnew: boolean;
  /** Called as soon as it is known under what name to log, and where. */
  readonly logAs: (syslogName: string, facility: number) => void;
}

/**
 * Checks a request of master(8)'s against the configuration.
 *
 * @param given The request.
 * @param context What there is to plan with.
 * @returns What to serve.
 * @throws {Fatal} With Postfix's word for what is wrong, where it has one.
 */
export function planChild(
  given: MasterRequest,
  { libc, program, isAnew, logAs }: PlanContext,
): ChildPlan {
  const generation = findGeneration();
  const directory = directoryVariable("MAIL_CONFIG");
  if (!directory.ok) throw new Fatal(directory.mistake.text);
  const configuration = readConfiguration(
    directory.value ?? CONFIG_DIRECTORY,
    { processName: program },
  );
  const request = isAnew ? requestAnew(given, program, configuration) : given;
  const { transport, serviceName: name = program } = request;
  const warnings: string[] = [];
  const report = ({ level, text }: Problem): void => {
    if (level === "error") throw new Fatal(text);
    warnings.push(text);
  };
  const scope = scopeOf(request, configuration, program);
  const settings = checkSettings({ ...configuration, scope }, report);
  const facility = facilityNumber(settings.syslogFacility);
  if (facility === undefined) {
    throw new Fatal(`unknown syslog facility: ${settings.syslogFacility}`);
  }
  logAs(settings.syslogName, facility);
  // It could not become a command's user.
  if (request.isUnprivileged) {
    throw new Fatal(`service ${name} requires privileged operation`);
  }
  const accounts = accountsOf(libc);
  const owner = findOwner(accounts, settings.mailOwner);
  const attributes = parseAttributes(request.attributes, { accounts, owner });
  if (!attributes.ok) throw new Fatal(attributes.mistake.text);
  const exported = need(
    environmentParameter("export_environment", scope, report),
  );
  const defaultLimit = need(scope.integer("default_process_limit", report));
  const limit = scope.integer("spawnd_concurrency", report) ??
    lookUpLimit(configuration, request, name);
  if (limit === "unknown" && transport !== "stdin") {
    warnings.push(
      `service ${name}: no such line in ${configuration.master.file}: ` +
        "running one command at a time",
    );
  }
  const commands = transport === "stdin" || limit === "unknown"
    ? 1
    : limit === "default"
    ? defaultLimit
    : limit;
  const binaryName = fromText(name);
  return {
    service: {
      name,
      sockets: transport === "stdin"
        ? []
        : listeningSockets(libc, request.sockets),
      command: {
        argv: attributes.value.argv,
        environment: commandEnvironment(exported, ownVariables(libc)),
        identity: attributes.value.identity,
        // Its own files stay where they are: the command alone goes there.
        ...request.isChrooted && { rootDirectory: settings.queueDirectory },
      },
      timeLimitMs: 1000 * need(scope.timeLimitSeconds(binaryName, report)),
      maxProcesses: commands,
      verbose: false,
      isThrottled: false,
      // The first clients have come before this process.
      connectionOptions: transport === "inet" ? DEFAULT_TUNING : undefined,
      isQuietAtLimit: commands === 1,
    },
    transport,
    owner,
    queueDirectory: settings.queueDirectory,
    generation,
    isClassic: commands === 1,
    backlogConnections: Math.max(BACKLOG_MIN, defaultLimit, commands),
    daemonTimeoutSeconds: need(scope.seconds("daemon_timeout", report)),
    turn: {
      connections: need(scope.integer("max_use", report)) *
        (commands || defaultLimit),
      idleMs: 1000 * need(scope.seconds("max_idle", report)),
      ...request.retireSeconds === undefined
        ? {}
        : { retireMs: 1000 * request.retireSeconds },
    },
    isVerbose: request.verbose,
    warnings,
  };
}

/** What the service sees of main.cf. */
function scopeOf(
  { serviceName = "", overrides }: MasterRequest,
  { main, machine }: Configuration,
  program: string,
): Scope {
  const name = fromText(serviceName || program);
  return new Scope({
    main,
    services: new Set([name]),
    machine,
    own: {
      process_id: String(Deno.pid),
      process_name: program,
      service_name: name,
    },
    overrides,
  });
}

/** Trouble in other lines of master.cf is master's to tell. */
function checkSettings(
  configuration: Configuration,
  report: Report,
): DaemonSettings {
  for (const problem of configuration.problems) {
    const { file, level } = problem;
    if (file === configuration.main.file && level === "error") report(problem);
  }
  const { settings, problems } = checkDaemon(configuration);
  problems.forEach(report);
  return need(settings);
}

/** What is missing was reported, and that was fatal. */
function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Fatal("bad configuration");
  return value;
}

function findGeneration(): number {
  const text = Deno.env.get("GENERATION");
  const generation = parseGeneration(text);
  if (generation === undefined) throw new Fatal(`bad generation: ${text}`);
  return generation;
}

function findOwner(accounts: Accounts, name: string): Identity {
  const owner = accounts.findUser(name);
  if (owner === undefined) {
    throw new Fatal(`parameter mail_owner: unknown user name value: ${name}`);
  }
  if (owner.uid === 0 || owner.gid === 0) {
    throw new Fatal(`parameter mail_owner: user ${name} has privileged ids`);
  }
  return owner;
}

/**
 * What master(8) would ask for now: a process that goes on without it has the
 * words that it was started by, and these may have changed.
 */
function requestAnew(
  request: MasterRequest,
  program: string,
  configuration: Configuration,
): MasterRequest {
  const { transport, serviceName: name = program, sockets } = request;
  const entry = findEntry(configuration, request, name);
  if (entry?.command.text !== fromText(program)) {
    const { file } = configuration.master;
    throw new Fatal(`service ${name} does not run ${program} in ${file}`);
  }
  const options = entry.options.flatMap(({ kind, word }) =>
    kind === "flags" ? [word] : [new PlacedText("-o"), word]
  );
  const anew = parseMasterRequest([
    ...["-n", name, "-t", transport, "-s", `${sockets}`],
    ...entry.isUnprivileged ? ["-u"] : [],
    ...isChrooted(entry, request) ? ["-c"] : [],
    ...[...options, ...entry.words].map(({ text }) => toText(text)),
  ]);
  if (!anew.ok) throw new Fatal(anew.mistake.text);
  return anew.value;
}

/** What `-` stands for, master(8) has found in compatibility_level. */
function isChrooted(entry: MasterEntry, request: MasterRequest): boolean {
  const isLeftOut = entry.fields[CHROOT]?.text === "-";
  return isLeftOut ? request.isChrooted : entry.isChrooted;
}

/** The service's own line. */
function findEntry(
  { master }: Configuration,
  { transport }: MasterRequest,
  name: string,
): MasterEntry | undefined {
  const binaryName = fromText(name);
  return master.services.findLast((entry) =>
    entry.type === transport && entry.name.text === binaryName
  );
}

/** The maxproc of the service's own line. */
function lookUpLimit(
  configuration: Configuration,
  request: MasterRequest,
  name: string,
): number | "default" | "unknown" {
  const entry = findEntry(configuration, request, name);
  return entry === undefined ? "unknown" : entry.maxProcesses ?? "default";
}

/**
 * Takes the sockets that master(8) has passed on.
 *
 * @param libc The C library.
 * @param count How many there are.
 * @returns The sockets.
 * @throws {Fatal} If one of them does not listen.
 */
export function listeningSockets(
  libc: Libc,
  count: number,
): ServiceOptions["sockets"] {
  return Array.from({ length: count }, (_, index) => {
    const fd = FIRST_LISTEN_FD + index;
    if (!isListening(libc, fd)) {
      throw new Fatal(`descriptor ${fd} is no listening socket`);
    }
    return {
      address: formatAddress(socketAddress(libc, fd)),
      source: { fd },
      // master(8) keeps the socket, and its name in the file system.
      close: () => libc.c.close(fd),
    };
  });
}
