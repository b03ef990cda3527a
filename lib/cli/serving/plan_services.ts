/**
 * From a configuration, of files or of a command line, to what is to be served:
 * either all of it can be, or every mistake is told.
 *
 * @module
 */

import type { Configuration } from "../../config/configuration.ts";
import {
  checkDaemon,
  type DaemonSettings,
} from "../../config/daemon_settings.ts";
import {
  inOrder,
  type Place,
  type Problem,
  problemInText,
} from "../../config/problems.ts";
import { type CheckedService, checkServices } from "../../config/services.ts";
import { cleanEnvironment, type Variables } from "../../engine/environment.ts";
import { parseInetName } from "../../net/inet_endpoint.ts";
import {
  listenInet,
  type ListeningSocket,
  type ListenOptions,
} from "../../net/listening.ts";
import { inQueueDirectory } from "../../net/queue_directory.ts";
import { listenUnix } from "../../net/unix_socket.ts";
import type { Identity } from "../../posix/credentials.ts";
import {
  EX,
  failure,
  formatMistake,
  type Mistake,
  type Result,
  success,
} from "../../result.ts";
import type {
  DaemonPlan,
  PlanListenOptions,
  ServicePlan,
} from "../../service/plan.ts";
import { logDestination, ownListeners } from "./plan_own.ts";
import { serviceOf } from "./plan_service.ts";
import {
  findOwner,
  type Means,
  ownIdentity,
  refuseBytes,
  refuseForeignIdentity,
  type StartContext,
} from "./start.ts";
import { WAYS } from "../shared/ways.ts";

/** What a command line asks for beside the configuration. */
export interface PlanRequest {
  readonly way: "run" | "serve";
  /** The value that MAIL_CONFIG has for commands, if not the daemon's own. */
  readonly mailConfig?: string | undefined;
  readonly pidFile?: string | undefined;
  /** `undefined` where main.cf says it. */
  readonly stopTimeoutSeconds?: number | undefined;
  readonly verbose: boolean;
}

/** What is to be served. */
export interface Planned {
  readonly plan: Omit<DaemonPlan, "announce">;
  /** Its services as they were checked. */
  readonly services: readonly CheckedService[];
}

/**
 * Checks all of a configuration, and plans what it says.
 *
 * @param configuration The configuration.
 * @param request What is asked for beside it.
 * @param options What the process serves with, and what it has.
 * @returns The plan; or every mistake in the configuration.
 */
export function planServices(
  configuration: Configuration,
  request: PlanRequest,
  { means, context }: {
    readonly means: Means;
    readonly context: StartContext;
  },
): Result<Planned, readonly Mistake[]> {
  const { origin } = configuration;
  const { owner, settings, services, problems } = checkAll(
    configuration,
    request,
    context,
  );
  for (const problem of problems) {
    if (problem.level !== "warning") continue;
    const text = formatMistake({ ...problem, place: placeOf(problem) });
    context.log.warning("configuration", text, { ...problem });
  }
  const mistakes = [
    ...problems.flatMap((problem) => mistakeOf(problem, origin)),
    ...services.flatMap((service) => foreign(service, context)),
    ...services.flatMap((service) => chrooted(service, means, context)),
  ];
  if (mistakes.length === 0 && services.length === 0) {
    mistakes.push({
      place: configuration.master.file,
      text: "no service to serve",
      mend: "spawnd serves the entries whose command is spawn or spawnd",
      exitCode: EX.CONFIG,
    });
  }
  if (mistakes.length > 0 || settings === undefined) {
    return { ok: false, mistake: mistakes };
  }
  const variables = variablesFor(request, settings, context);
  const ground = { configuration, settings, owner, request, variables };
  const plans = services.map((service) => planOf(service, ground));
  const strange = plans.flatMap((plan, index) =>
    unspeakable(plan, services[index], means)
  );
  if (strange.length > 0) return { ok: false, mistake: strange };
  const { stopTimeoutSeconds = settings.stopTimeoutSeconds } = request;
  const log = logDestination(settings, context);
  const own = ownListeners(settings, {
    way: request.way,
    means,
    configuration,
  });
  if (!log.ok) return { ok: false, mistake: [log.mistake] };
  if (!own.ok) return { ok: false, mistake: [own.mistake] };
  return success({
    services,
    plan: {
      services: plans,
      ...means,
      owner,
      directory: settings.queueDirectory,
      stopTimeoutMs: 1000 * stopTimeoutSeconds,
      reloads: WAYS[request.way].reloads,
      pidFile: request.pidFile,
      log: log.value,
      own: own.value,
    },
  });
}

/** All that checking has found. */
interface Checked {
  readonly owner: Identity | undefined;
  readonly settings: DaemonSettings | undefined;
  readonly services: readonly CheckedService[];
  readonly problems: readonly Problem[];
}

function checkAll(
  configuration: Configuration,
  { way }: PlanRequest,
  context: StartContext,
): Checked {
  const { settings, problems } = checkDaemon(configuration);
  const owner: Result<Identity | undefined> = settings === undefined
    ? success(undefined)
    : findOwner(settings[WAYS[way].owner], context);
  const checked = checkServices(configuration, {
    accounts: context.accounts,
    owner: owner.ok ? owner.value : undefined,
    self: ownIdentity(context),
  });
  const place = configuration.scope.place("owner");
  const all = [
    ...configuration.problems,
    ...problems,
    ...owner.ok ? [] : [problemInText(place, owner.mistake)],
    ...checked.problems,
  ];
  return {
    owner: owner.ok ? owner.value : undefined,
    settings,
    services: checked.services,
    // What is in no file is told in the order in which it is looked at.
    problems: configuration.origin === "files" ? inOrder(all) : all,
  };
}

/** The variables that there are for commands. */
function variablesFor(
  { way, mailConfig }: PlanRequest,
  { importEnvironment }: DaemonSettings,
  { variables }: StartContext,
): Variables {
  if (!WAYS[way].importsEnvironment) return variables;
  const imported = cleanEnvironment(
    importEnvironment,
    // As below a master(8) that was started with -c.
    (name) => name === "MAIL_CONFIG" && mailConfig || variables(name),
  );
  return (name) => imported.get(name);
}

/** Who mends a file is told by one exit code that it is to be mended. */
function mistakeOf(
  problem: Problem,
  origin: Configuration["origin"],
): Mistake[] {
  if (problem.level === "warning") return [];
  const { text, mend, exitCode = EX.CONFIG } = problem;
  const place = placeOf(problem);
  return [{
    ...{ place, text, mend },
    exitCode: origin === "files" ? EX.CONFIG : exitCode,
  }];
}

/** What stands in no file has no place. */
function placeOf({ file, line, column }: Place): string | undefined {
  if (file === "") return undefined;
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
  readonly configuration: Configuration;
  readonly settings: DaemonSettings;
  readonly owner: Identity | undefined;
  readonly request: PlanRequest;
  readonly variables: Variables;
}

function planOf(service: CheckedService, ground: Ground): ServicePlan {
  const { settings: { queueDirectory }, variables, request } = ground;
  return {
    ...serviceOf(service, { way: request.way, queueDirectory, variables }),
    id: `${service.type} ${service.isPrivate ? "-" : "public"} ${service.name}`,
    listen: (options) => listen(service, ground, options),
    verbose: request.verbose || service.isVerbose,
  };
}

function listen(
  service: CheckedService,
  ground: Ground,
  given: PlanListenOptions,
): Result<ListeningSocket[]> {
  const backlogConnections = service.settings.spawnd_backlog;
  const listened = listenAt(service, ground, { ...given, backlogConnections });
  if (listened.ok) return listened;
  const place = placeOf(service.places.name);
  return { ok: false, mistake: { ...listened.mistake, place } };
}

function listenAt(
  { type, address, ...service }: CheckedService,
  { settings, owner, configuration: { origin, knownPorts } }: Ground,
  options: PlanListenOptions & ListenOptions,
): Result<ListeningSocket[]> {
  if (type === "pass") {
    return failure({
      text: "pass services take their connections from postscreen",
      mend: "make it inet or unix, or run it below master(8)",
      exitCode: EX.CONFIG,
    });
  }
  if (address.kind === "inet") {
    const name = parseInetName(address.name, {
      interfaces: settings.inetInterfaces,
      protocols: settings.inetProtocols,
      ports: knownPorts,
    });
    return name.ok ? listenInet(name.value, options) : name;
  }
  const { isPrivate, socketOwner } = service;
  const open = (): Result<ListeningSocket> =>
    listenUnix(address.path, {
      ...options,
      mode: service.settings.spawnd_socket_mode,
      owner: socketOwner === "starter" ? undefined : socketOwner.identity,
    });
  const { queueDirectory } = settings;
  const isInQueue = origin === "files" &&
    address.path.startsWith(`${queueDirectory}/`);
  const socket = isInQueue && options.libc !== undefined
    ? inQueueDirectory(
      options.libc,
      { queueDirectory, isPrivate, owner, path: address.path },
      open,
    )
    : open();
  return socket.ok ? success([socket.value]) : socket;
}
