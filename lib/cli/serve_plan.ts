/**
 * From a configuration to what is to be served: either all of it can be, or
 * every mistake is told.
 *
 * @module
 */

import { checkDaemon, type DaemonSettings } from "../config/daemon_settings.ts";
import type { KnownPorts } from "../config/known_tcp_ports.ts";
import {
  inOrder,
  type Place,
  type Problem,
  problemInText,
} from "../config/problems.ts";
import { type CheckedService, checkServices } from "../config/services.ts";
import {
  cleanEnvironment,
  commandEnvironment,
  type Variables,
} from "../engine/environment.ts";
import { parseInetName } from "../net/inet_endpoint.ts";
import { listenInet, type ListeningSocket } from "../net/listening.ts";
import { inQueueDirectory } from "../net/queue_directory.ts";
import { listenUnix } from "../net/unix_socket.ts";
import type { Identity } from "../posix/credentials.ts";
import {
  EX,
  formatMistake,
  type Mistake,
  type Result,
  success,
} from "../result.ts";
import type {
  DaemonPlan,
  OpenSockets,
  PlanListenOptions,
  ServicePlan,
} from "../service/plan.ts";
import type { ServeRequest } from "./serve.ts";
import {
  findOwner,
  type Means,
  ownIdentity,
  refuseBytes,
  refuseForeignIdentity,
  type StartContext,
} from "./start.ts";
import { readConfiguration } from "./read_configuration.ts";

/** Sockets of services are for everybody who may enter their directory. */
const SOCKET_MODE = 0o666;

/** How many connections may wait for a service. */
const BACKLOG_CONNECTIONS = 1024;

/**
 * Reads the configuration and checks all of it.
 *
 * @param request What the command line asks for.
 * @param means What the process serves with.
 * @param context What the process has.
 * @returns The plan; or every mistake in the configuration.
 */
export function planServices(
  request: ServeRequest,
  means: Means,
  context: StartContext,
): Result<DaemonPlan, readonly Mistake[]> {
  const configuration = readConfiguration(request.directory);
  const daemon = checkDaemon(configuration);
  const owner: Result<Identity | undefined> = daemon.settings === undefined
    ? success(undefined)
    : findOwner(daemon.settings.owner, "owner", context);
  const checked = checkServices(configuration, {
    accounts: context.accounts,
    owner: owner.ok ? owner.value : undefined,
    self: ownIdentity(context),
  });
  const problems = inOrder([
    ...configuration.problems,
    ...daemon.problems,
    ...owner.ok
      ? []
      : [problemInText(configuration.scope.place("owner"), owner.mistake)],
    ...checked.problems,
  ]);
  for (const problem of problems) {
    if (problem.level !== "warning") continue;
    const text = formatMistake({ ...problem, place: placeOf(problem) });
    context.log.warning("configuration", text, { ...problem });
  }
  const mistakes = [
    ...problems.flatMap(mistakeOf),
    ...checked.services.flatMap((service) => foreign(service, context)),
    ...checked.services.flatMap((service) => chrooted(service, means, context)),
  ];
  if (mistakes.length === 0 && checked.services.length === 0) {
    mistakes.push({
      place: configuration.master.file,
      text: "no service to serve",
      mend: "spawnd serves the entries whose command is spawn or spawnd",
      exitCode: EX.CONFIG,
    });
  }
  const { settings } = daemon;
  if (mistakes.length > 0 || settings === undefined || !owner.ok) {
    return { ok: false, mistake: mistakes };
  }
  const about = {
    directory: configuration.directory,
    services: configuration.entries.length,
    otherEntries: configuration.otherEntries,
  };
  const imported = cleanEnvironment(
    settings.importEnvironment,
    withMailConfig(request, context.variables),
  );
  const ground: Ground = {
    settings,
    owner: owner.value,
    request,
    knownPorts: configuration.knownPorts,
    variables: (name: string) => imported.get(name),
  };
  const services = checked.services.map((service) => planOf(service, ground));
  const strange = services.flatMap((plan, index) =>
    unspeakable(plan, checked.services[index], means)
  );
  if (strange.length > 0) return { ok: false, mistake: strange };
  return success({
    services,
    ...means,
    owner: owner.value,
    directory: settings.queueDirectory,
    backlogConnections: BACKLOG_CONNECTIONS,
    stopTimeoutMs: 1000 *
      (request.stopTimeoutSeconds ?? settings.stopTimeoutSeconds),
    reloads: true,
    pidFile: request.pidFile,
    about,
    announce: announcement(about, context),
  });
}

function mistakeOf(problem: Problem): Mistake[] {
  if (problem.level === "warning") return [];
  const { text, mend } = problem;
  return [{ place: placeOf(problem), text, mend, exitCode: EX.CONFIG }];
}

function placeOf({ file, line, column }: Place): string {
  return line === 0 ? file : `${file}:${line}:${column}`;
}

function foreign(
  { attributes: { userName, identity }, places }: CheckedService,
  context: StartContext,
): Mistake[] {
  const mistake = refuseForeignIdentity(userName, identity, context);
  if (mistake === undefined) return [];
  return [{ ...mistake, place: placeOf(places.user) }];
}

/** Only root can give a command another root, by the rows of a call list. */
function chrooted(
  { isChrooted, places }: CheckedService,
  { engine }: Means,
  { self }: StartContext,
): Mistake[] {
  if (!isChrooted || (engine === "direct" && self.uid === 0)) return [];
  return [{
    place: placeOf(places.chroot),
    text: engine === "direct"
      ? "only root can change a command's root directory"
      : `the ${engine} engine cannot change a command's root directory`,
    mend: "write n for chroot, its fifth field",
    exitCode: self.uid === 0 ? EX.CONFIG : EX.NOPERM,
  }];
}

function unspeakable(
  { command }: ServicePlan,
  service: CheckedService | undefined,
  { engine }: Means,
): Mistake[] {
  const mistake = refuseBytes(command, engine);
  if (mistake === undefined || service === undefined) return [];
  return [{ ...mistake, place: placeOf(service.places.command) }];
}

/** What all services of a configuration stand on. */
interface Ground {
  readonly settings: DaemonSettings;
  readonly owner: Identity | undefined;
  readonly request: ServeRequest;
  readonly knownPorts: KnownPorts;
  readonly variables: Variables;
}

function planOf(service: CheckedService, ground: Ground): ServicePlan {
  return {
    id: `${service.type} ${service.isPrivate ? "-" : "public"} ${service.name}`,
    name: service.name,
    listen: (options) => listen(service, ground, options),
    command: {
      argv: service.attributes.argv,
      environment: commandEnvironment(
        service.exportEnvironment,
        ground.variables,
      ),
      identity: service.attributes.identity,
      ...service.isChrooted &&
        { rootDirectory: ground.settings.queueDirectory },
    },
    timeLimitMs: 1000 * service.timeLimitSeconds,
    maxProcesses: service.maxProcesses,
    verbose: ground.request.verbose || service.isVerbose,
  };
}

/** As below a master(8) that was started with -c. */
function withMailConfig(
  { directory, isDirectoryGiven }: ServeRequest,
  variables: Variables,
): Variables {
  return (name) =>
    name === "MAIL_CONFIG" && isDirectoryGiven ? directory : variables(name);
}

function listen(
  { type, address, isPrivate, places }: CheckedService,
  { settings, owner, knownPorts }: Ground,
  options: PlanListenOptions,
): Result<ListeningSocket[]> {
  const at = <T>(result: Result<T>): Result<T> =>
    result.ok ? result : {
      ok: false,
      mistake: { ...result.mistake, place: placeOf(places.name) },
    };
  if (type === "pass") {
    return at({
      ok: false,
      mistake: {
        text: "pass services take their connections from postscreen",
        mend: "make it inet or unix, or run it below master(8)",
        exitCode: EX.CONFIG,
      },
    });
  }
  if (address.kind === "inet") {
    const name = parseInetName(address.name, {
      interfaces: settings.inetInterfaces,
      protocols: settings.inetProtocols,
      ports: knownPorts,
    });
    return at(name.ok ? listenInet(name.value, options) : name);
  }
  const listenAt = (): Result<ListeningSocket> =>
    listenUnix(address.path, {
      ...options,
      mode: SOCKET_MODE,
      owner: undefined,
    });
  const { queueDirectory } = settings;
  const isInQueue = address.path.startsWith(`${queueDirectory}/`);
  const socket = isInQueue && options.libc !== undefined
    ? inQueueDirectory(
      options.libc,
      { queueDirectory, isPrivate, owner, path: address.path },
      listenAt,
    )
    : listenAt();
  return at(socket.ok ? success([socket.value]) : socket);
}

/**
 * Makes what announces a configuration that is served.
 *
 * @param about What is to be known of the configuration.
 * @param context What the process has.
 * @returns It.
 */
export function announcement(
  about: Readonly<Record<string, unknown>>,
  { log }: StartContext,
): (sockets: OpenSockets) => void {
  const { services, directory, otherEntries } = about;
  return (sockets) => {
    const addresses = [...sockets.values()].flat()
      .map(({ address }) => address);
    log.info(
      "listening",
      `serving ${services === 1 ? "1 service" : `${services} services`} of ` +
        `${directory}, addresses: ${addresses.length}, ` +
        `entries left alone: ${otherEntries}`,
      { ...about, addresses },
    );
  };
}
