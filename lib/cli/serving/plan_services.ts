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
import { inOrder, type Problem, problemInText } from "../../config/problems.ts";
import { type CheckedService, checkServices } from "../../config/services.ts";
import { cleanEnvironment, type Variables } from "../../engine/environment.ts";
import type { DaemonLog } from "../../log/log.ts";
import type { Identity } from "../../posix/credentials.ts";
import {
  EX,
  formatMistake,
  type Mistake,
  type Result,
  success,
} from "../../result.ts";
import type { DaemonPlan, ServicePlan } from "../../service/plan.ts";
import { unfitRules } from "./unfit_rules.ts";
import { listen, type ListenGround, type PlannedService } from "./listen.ts";
import { placeOf } from "./place_of.ts";
import { logDestination, ownListeners } from "./plan_own.ts";
import { serviceOf } from "./plan_service.ts";
import {
  findOwner,
  ownIdentity,
  refuseBytes,
  refuseForeignIdentity,
} from "./identities.ts";
import type { Means } from "./means.ts";
import type { StartContext } from "./start.ts";
import { placeOfMistake, refuseSurroundings } from "./surroundings.ts";
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
  readonly services: readonly PlannedService[];
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
  const checked = checkAll(configuration, request, context);
  const { owner, settings, services } = checked;
  warnOf(checked.problems, context.log);
  const mistakes = refusals(configuration, checked, { means, context });
  if (mistakes.length > 0 || settings === undefined) {
    return { ok: false, mistake: mistakes };
  }
  const variables = variablesFor(request, settings, context);
  const ground = { configuration, settings, owner, request, variables };
  const plans = services.map((service) => planOf(service, ground));
  const strange = plans.flatMap((plan, index) => [
    ...unspeakable(plan, services[index], means),
    ...unattainable(plan, services[index], { means, context }),
  ]);
  if (strange.length > 0) return { ok: false, mistake: strange };
  const { way } = request;
  const log = logDestination(settings, context);
  const own = ownListeners(settings, { way, means, configuration });
  if (!log.ok) return { ok: false, mistake: [log.mistake] };
  if (!own.ok) return { ok: false, mistake: [own.mistake] };
  const { stopTimeoutSeconds = settings.stopTimeoutSeconds } = request;
  return success({
    services: services.map(withoutRules),
    plan: {
      services: plans,
      ...means,
      owner,
      directory: settings.queueDirectory,
      stopTimeoutMs: 1000 * stopTimeoutSeconds,
      reloads: WAYS[way].reloads,
      pidFile: request.pidFile,
      log: log.value,
      own: own.value,
    },
  });
}

function warnOf(problems: readonly Problem[], log: DaemonLog): void {
  for (const problem of problems) {
    if (problem.level !== "warning") continue;
    const text = formatMistake({ ...problem, place: placeOf(problem) });
    log.warning("configuration", text, { ...problem });
  }
}

/** Everything for which nothing is served. */
function refusals(
  { origin, master }: Configuration,
  { problems, services }: Checked,
  { means, context }: {
    readonly means: Means;
    readonly context: StartContext;
  },
): Mistake[] {
  const mistakes = [
    ...problems.flatMap((problem) => mistakeOf(problem, origin)),
    ...services.flatMap((service) => foreign(service, context)),
    ...services.flatMap((service) => chrooted(service, means, context)),
    ...services.flatMap((service) => unfitPeers(service, means)),
    ...services.flatMap((each) => unfitRules(each, context))
      .map(({ place, mistake }) => ({ ...mistake, place: placeOf(place) })),
  ];
  return mistakes.length > 0 || services.length > 0 ? mistakes : [{
    place: master.file,
    text: "no service to serve",
    mend: "spawnd serves the entries whose command is spawn or spawnd",
    exitCode: EX.CONFIG,
  }];
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

/** Only the kernel's own call tells who is behind a unix socket. */
function unfitPeers(
  { admission, places }: CheckedService,
  { engine }: Means,
): Mistake[] {
  if (admission.peers === undefined || engine === "direct") return [];
  return [{
    place: placeOf(places.name),
    text: `the ${engine} engine cannot tell users of unix sockets apart`,
    mend: "leave spawnd_peer_users and spawnd_peer_groups empty, or set " +
      "spawnd_socket_owner and spawnd_socket_mode",
    exitCode: EX.CONFIG,
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

/** What the kernel, or the engine, does not have. */
function unattainable(
  { command }: ServicePlan,
  service: CheckedService | undefined,
  { means: { engine }, context: { libc, self } }: {
    readonly means: Means;
    readonly context: StartContext;
  },
): Mistake[] {
  if (service === undefined) return [];
  const isRoot = self.uid === 0;
  return refuseSurroundings(service, command, { engine, libc, isRoot })
    .map(({ parameter, ...mistake }) => ({
      ...mistake,
      place: placeOf(placeOfMistake(service, { parameter, ...mistake })),
    }));
}

/** What all services of a configuration stand on. */
interface Ground extends ListenGround {
  readonly request: PlanRequest;
  readonly variables: Variables;
}

function planOf(service: CheckedService, ground: Ground): ServicePlan {
  const { settings: { queueDirectory }, variables, request } = ground;
  const kept = withoutRules(service);
  return {
    ...serviceOf(service, { way: request.way, queueDirectory, variables }),
    id: `${service.type} ${service.isPrivate ? "-" : "public"} ${service.name}`,
    listen: (options) => listen(kept, ground, options),
    verbose: request.verbose || service.isVerbose,
  };
}

/** Rules may be thousands, and are in the plan as what they were made into. */
function withoutRules(service: CheckedService): PlannedService {
  const { admission: _, ...kept } = service;
  return kept;
}
