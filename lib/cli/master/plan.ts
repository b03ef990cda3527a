/**
 * From the command line of master(8) and Postfix's configuration to what a
 * child serves, or to the reason why it does not.
 *
 * @module
 */

import type { Accounts } from "../../config/attributes.ts";
import { fromText, toText } from "../../config/bytes.ts";
import type { Configuration } from "../../config/configuration.ts";
import {
  checkDaemon,
  type DaemonSettings,
} from "../../config/daemon_settings.ts";
import { PlacedText } from "../../config/logical_lines.ts";
import type { MasterEntry } from "../../config/master_cf.ts";
import { withOneEntry, type WrittenEntry } from "../../config/one_entry.ts";
import type { Problem, Report } from "../../config/problems.ts";
import {
  type CheckContext,
  type CheckedService,
  checkServices,
} from "../../config/services.ts";
import { facilityNumber } from "../../log/system_log.ts";
import type { ChildPlan } from "../../master/child.ts";
import { FIRST_LISTEN_FD, parseGeneration } from "../../master/status.ts";
import { tuningOf } from "../../net/connection_tuning.ts";
import type { Identity } from "../../posix/credentials.ts";
import type { Libc } from "../../posix/libc.ts";
import {
  formatAddress,
  isListening,
  socketAddress,
} from "../../posix/sockets.ts";
import { formatMistake } from "../../result.ts";
import type { ServiceOptions } from "../../service/service.ts";
import { type MasterRequest, parseMasterRequest } from "./request.ts";
import { serviceOf } from "../serving/plan_service.ts";
import { unfitRules } from "../serving/unfit_rules.ts";
import { readConfiguration } from "../shared/read_configuration.ts";
import { refuseSurroundings } from "../serving/surroundings.ts";
import { accountsOf } from "../shared/accounts.ts";
import { directoryVariable, ownVariables } from "../shared/variables.ts";
import { WAYS } from "../shared/ways.ts";

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
  const whole = readConfigurationOf(program);
  const request = isAnew ? requestAnew(given, program, whole) : given;
  const { transport, serviceName: name = program } = request;
  const line = findEntry(whole, request, name);
  const configuration = withOneEntry(
    whole,
    entryOf(request, { name, program, line }),
    {
      process_id: `${Deno.pid}`,
      process_name: fromText(program),
      service_name: fromText(name),
    },
  );
  const [entry] = configuration.entries;
  const warnings: string[] = [];
  const report = ({ level, text }: Problem): void => {
    if (level === "error") throw new Fatal(text);
    warnings.push(text);
  };
  const scope = configuration.scopeOf(entry);
  const settings = checkSettings({ ...configuration, scope }, report);
  const facility = facilityNumber(settings.syslogFacility);
  if (facility === undefined) {
    throw new Fatal(`unknown syslog facility: ${settings.syslogFacility}`);
  }
  logAs(settings.syslogName, facility);
  const accounts = accountsOf(libc);
  const owner = findOwner(accounts, settings[WAYS.master.owner]);
  const service = checkService(configuration, { accounts, owner }, report);
  if (service.waits) {
    throw new Fatal("spawnd_wait: master(8) has no such services");
  }
  if (
    line === undefined && transport !== "stdin" &&
    !service.process.hasConcurrency
  ) {
    warnings.push(
      `service ${name}: no such line in ${configuration.master.file}: ` +
        "running one command at a time",
    );
  }
  const plan = planOf(service, request, {
    libc,
    queueDirectory: settings.queueDirectory,
    defaultLimit: need(scope.integer("default_process_limit", report)),
  });
  const [refused] = refuseSurroundings(service, plan.service.command, {
    engine: "direct",
    libc,
    isRoot: true,
  });
  if (refused !== undefined) throw new Fatal(refused.text);
  return {
    ...plan,
    ...{ transport, owner, generation, warnings },
    queueDirectory: settings.queueDirectory,
    isVerbose: request.verbose,
  };
}

/** Postfix's configuration. */
function readConfigurationOf(program: string): Configuration {
  const named = directoryVariable("MAIL_CONFIG");
  if (!named.ok) throw new Fatal(named.mistake.text);
  const { value: directory = WAYS.master.directory } = named;
  return readConfiguration(directory, { processName: program });
}

/** What master(8) passes, as the line that it has it from. */
function entryOf(
  request: MasterRequest,
  { name, program, line }: {
    readonly name: string;
    readonly program: string;
    readonly line: MasterEntry | undefined;
  },
): WrittenEntry {
  const { transport, isUnprivileged, isChrooted, overrides } = request;
  return {
    ...{ name, isUnprivileged, isChrooted, command: program },
    // The one connection there is comes from a socket, whichever that was.
    type: transport === "stdin" ? "unix" : transport,
    maxProcesses: line === undefined ? 1 : line.maxProcesses,
    overrides: overrides.values(),
    words: request.attributes,
  };
}

/** The service, with the first thing that is wrong with it told. */
function checkService(
  configuration: Configuration,
  context: CheckContext,
  report: Report,
): CheckedService {
  const { services: [service], problems } = checkServices(
    configuration,
    context,
  );
  problems.forEach(report);
  return need(service);
}

/** What there is to plan a service with. */
interface ServiceGround {
  readonly libc: Libc;
  readonly queueDirectory: string;
  readonly defaultLimit: number;
}

function planOf(
  service: CheckedService,
  { transport, sockets, retireSeconds }: MasterRequest,
  { libc, queueDirectory, defaultLimit }: ServiceGround,
): Pick<
  ChildPlan,
  | "service"
  | "isClassic"
  | "backlogConnections"
  | "daemonTimeoutSeconds"
  | "turn"
> {
  const { process, settings } = service;
  const commands = transport === "stdin" ? 1 : process.concurrency;
  const variables = ownVariables(libc);
  const ground = { way: "master", queueDirectory, variables } as const;
  const planned = serviceOf(service, ground);
  const [unfit] = unfitRules(service, { libc, variables });
  if (unfit !== undefined) throw new Fatal(formatMistake(unfit.mistake));
  return {
    service: {
      ...planned,
      sockets: transport === "stdin" ? [] : listeningSockets(libc, sockets),
      maxProcesses: commands,
      verbose: false,
      // The first clients have come before this process.
      connectionOptions: transport === "inet" ? tuningOf(settings) : undefined,
      isQuietAtLimit: commands === 1,
    },
    isClassic: commands === 1,
    // For a service that is a process for each connection master(8) leaves room
    // for as many as there may be processes; where one process takes all of
    // them, a burst finds no room there and a TCP client that is turned away
    // tries again after a second.
    backlogConnections: Math.max(
      settings.spawnd_backlog,
      defaultLimit,
      commands,
    ),
    daemonTimeoutSeconds: process.daemonTimeoutSeconds,
    turn: {
      connections: process.maxUses * (commands || defaultLimit),
      idleMs: 1000 * process.maxIdleSeconds,
      ...retireSeconds === undefined ? {} : { retireMs: 1000 * retireSeconds },
    },
  };
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
