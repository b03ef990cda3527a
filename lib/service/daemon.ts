/**
 * A daemon from its plan to its end.
 *
 * The order of the steps is its security: everything that can be refused was
 * checked before a plan exists; then sockets are opened, then the locks fall,
 * and only then the first connection is accepted.
 *
 * @module
 */

import { DirectEngine } from "../engine/direct.ts";
import type { Command, Engine } from "../engine/engine.ts";
import { RelayEngine } from "../engine/relay.ts";
import type { DaemonLog } from "../log/log.ts";
import { openDestination } from "../log/destination.ts";
import type { Outlet } from "../log/outlet.ts";
import { handOn, type InheritedSockets } from "../net/inherited_sockets.ts";
import {
  type Credentials,
  dropInheritableCapabilities,
  type Identity,
  restAs,
  unchangingCredentials,
} from "../posix/credentials.ts";
import { isShortage, MORE_DESCRIPTORS, SystemError } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { type RootIds, supplementaryGroups } from "../posix/own_image.ts";
import {
  closeAllOnExec,
  giveFreedMemoryBack,
  setUmask,
  writeOnce,
} from "../posix/process.ts";
import { resetDispositions, unblockSignals } from "../posix/signals.ts";
import { ownUsage } from "../posix/resource_usage.ts";
import { ServiceManager } from "../observe/service_manager.ts";
import {
  EX,
  failure,
  formatMistake,
  type Mistake,
  type Result,
  success,
} from "../result.ts";
import { lockDown } from "./lock_down.ts";
import { closeOpened, openSockets } from "./open_sockets.ts";
import { type OwnProgram, ownProgram } from "./own_program.ts";
import { panic } from "./panic.ts";
import { Observation } from "./observation.ts";
import {
  closeOwnSockets,
  handOnOwn,
  openOwnSockets,
  type OwnSockets,
  tellMissing,
} from "./own_sockets.ts";
import type { DaemonPlan, OpenSockets } from "./plan.ts";
import { claimPidFile, keepPidFile, type PidFile } from "./pid_file.ts";
import { type Handed, type HandedService, remember } from "./reload/handed.ts";
import { Reloader } from "./reload/reloader.ts";
import { tellReloaded } from "./reload/tell_reloaded.ts";
import { Service } from "./service.ts";
import { SignalQueue, untilStopped } from "./stopping.ts";
import { unmappedUsers } from "./unmapped_users.ts";

/** What files that the daemon or its commands make are closed to. */
const UMASK = 0o077;

/** What the process was found to have. */
export interface DaemonContext {
  readonly libc: Libc | undefined;
  readonly log: DaemonLog;
  /** Where the log goes, until the plan says it. */
  readonly outlet?: Outlet | undefined;
  /** The version of the program. */
  readonly version: string;
  /** What a former image of this process has handed on. */
  readonly adopted?: Adopted | undefined;
}

/** What a former image of this process has handed on. */
export interface Adopted {
  readonly handed: Handed;
  readonly inherited: InheritedSockets;
  /** The daemon's credentials, for what is removed by then. */
  readonly credentials: { now: Credentials };
}

/**
 * What a daemon does to its own process before anything else.
 *
 * @param libc The C library.
 * @param isAdopting Whether a former image of this process has blocked all
 * signals: they stay so until this one is ready for them.
 */
export function prepareProcess(libc: Libc, isAdopting = false): void {
  closeAllOnExec(libc);
  resetDispositions(libc);
  if (!isAdopting) unblockSignals(libc);
  dropInheritableCapabilities(libc);
  setUmask(libc, UMASK);
}

/**
 * Serves a plan until a signal ends it.
 *
 * @param plan The plan.
 * @param context What the process has.
 * @returns After the end; or every mistake for which nothing was served.
 */
export async function serveUntilStopped(
  plan: DaemonPlan,
  context: DaemonContext,
): Promise<Result<void, readonly Mistake[]>> {
  const { libc, log, outlet, adopted } = context;
  const sink = libc && plan.log && openDestination(libc, plan.log);
  // Whoever starts it by hand is to see why it does not come to serve.
  if (sink !== undefined) outlet?.add(sink);
  const unmapped = libc === undefined || adopted !== undefined
    ? []
    : unmappedUsers(libc, plan);
  if (unmapped.length > 0) return { ok: false, mistake: unmapped };
  const direct = libc !== undefined && plan.engine === "direct"
    ? libc
    : undefined;
  // Before the runtime starts a thread, so that none takes a signal.
  const signals = new SignalQueue({ log, libc: direct });
  // The sockets are removed with whatever credentials there are by then.
  const credentials = adopted?.credentials ?? { now: unchangingCredentials() };
  const means = {
    libc,
    inherited: adopted?.inherited,
    credentials: () => credentials.now,
  };
  const opened = openSockets(plan, means);
  if (!opened.ok) return opened;
  const own = openOwnSockets(plan, means);
  for (const mistake of own.missing) tellMissing(log, mistake);
  if (own.mistakes.length > 0) {
    closeOpened(opened.value, adopted?.inherited);
    return { ok: false, mistake: own.mistakes };
  }
  try {
    const served = await serveOpened(plan, opened.value, {
      ...context,
      ...{ direct, signals, credentials, own: own.sockets },
      serving: () => sink && outlet?.keepTo(sink),
    });
    if (!served.ok) closeOwnSockets(own.sockets, adopted?.inherited);
    return served;
  } catch (error) {
    // Nothing stays behind of a daemon that could not come to serve.
    closeOwnSockets(own.sockets, adopted?.inherited);
    closeOpened(opened.value, adopted?.inherited);
    if (!(error instanceof SystemError)) throw error;
    const mend = isShortage(error.code) ? MORE_DESCRIPTORS : undefined;
    const { message: text } = error;
    return { ok: false, mistake: [{ text, mend, exitCode: EX.OSERR }] };
  }
}

/** What there is when all sockets are open. */
interface OpenedContext extends DaemonContext {
  /** The C library, if it runs the commands. */
  readonly direct: Libc | undefined;
  readonly signals: SignalQueue;
  readonly credentials: { now: Credentials };
  /** The sockets on which it tells of itself. */
  readonly own: OwnSockets;
  /** Called when nothing keeps it from serving any more. */
  readonly serving: () => void;
}

async function serveOpened(
  plan: DaemonPlan,
  opened: OpenSockets,
  context: OpenedContext,
): Promise<Result<void, readonly Mistake[]>> {
  const { libc, log, adopted, direct, signals, credentials } = context;
  const claimed = libc !== undefined && plan.pidFile !== undefined
    ? claim(libc, plan.pidFile, { log, adopted, credentials })
    : success(undefined);
  if (!claimed.ok) {
    closeOpened(opened, adopted?.inherited);
    return { ok: false, mistake: [claimed.mistake] };
  }
  using pidFile = claimed.value;
  // From here on nothing is refused any more.
  adopted?.inherited.closeRest();
  const start = direct !== undefined && plan.reloads
    ? noteStart(direct, plan.owner)
    : undefined;
  const manager = libc && ServiceManager.find(libc);
  const sinceMs = adopted?.handed.sinceMs ?? Date.now();
  const ready = `Serving ${counted(plan.services.length, "service")}`;
  enterDirectory(plan.directory);
  // Lock 3. The relay engine cannot have it: there the runtime itself becomes
  // the command's user, in the child.
  if (direct !== undefined && plan.owner !== undefined) {
    const rested = rest(direct, plan.owner);
    if (!rested.ok) {
      closeOpened(opened, adopted?.inherited);
      return { ok: false, mistake: [rested.mistake] };
    }
    credentials.now = rested.value;
  }
  const engine: Engine = direct === undefined
    ? new RelayEngine()
    : new DirectEngine(direct, {
      credentials: credentials.now,
      descriptorLimit: plan.descriptorLimit,
    });
  // Before commands are taken over, each of which takes a descriptor.
  const reloader = start === undefined || !(engine instanceof DirectEngine)
    ? undefined
    : new Reloader({
      ...start,
      credentials: credentials.now,
      ...{ engine, log, signals },
      present: () => ({
        sockets: [
          ...handOn([...opened.values()].flat()),
          ...handOnOwn(context.own),
        ],
        sinceMs,
        services: [...services].map(([id, service]) => remember(id, service)),
        descriptorLimit: plan.descriptorLimit,
        pidFileFd: pidFile?.fd,
      }),
      failed: () => {
        pidFile?.touch();
        manager?.ready(ready);
      },
    });
  const services = makeServices(plan, {
    ...{ engine, log, libc },
    sockets: opened,
    handed: adopted?.handed.services ?? [],
  });
  lockDown(engine.name);
  const published = pidFile?.publish() ?? success(undefined);
  if (!published.ok && adopted === undefined) {
    closeOpened(opened, undefined);
    return { ok: false, mistake: [published.mistake] };
  }
  if (!published.ok) warnOfPidFile(log, published.mistake);
  context.serving();
  plan.announce(opened);
  if (engine instanceof DirectEngine && signals.fd !== undefined) {
    engine.watch(signals.fd, () => signals.poll());
  }
  const running = engine.run();
  const observation = direct && engine instanceof DirectEngine
    ? new Observation({
      ...context,
      ...{ libc: direct, watcher: engine, services, sinceMs },
      sockets: context.own,
      drain: () => signals.post("SIGTERM"),
    })
    : undefined;
  for (const service of services.values()) service.start();
  if (direct !== undefined && adopted !== undefined) {
    tellReloaded(direct, adopted.handed, log);
    if (adopted.handed.isReloadWanted) signals.post("SIGHUP");
  }
  if (libc !== undefined && plan.readyFd !== undefined) {
    tellReady(libc, plan.readyFd, log);
  }
  manager?.ready(ready);
  if (libc !== undefined) giveFreedMemoryBack(libc);
  const whyNot = plan.reloads
    ? "the relay engine cannot reload, restart it"
    : "there is no configuration to reload";
  const stopped = untilStopped({
    services: [...services.values()],
    ...{ log, signals, whyNot, stopTimeoutMs: plan.stopTimeoutMs },
    stopping: (left) => manager?.stopping(left),
    reload: reloader && (() => {
      manager?.reloading();
      return reloader.reload();
    }),
  });
  await Promise.race([stopped, running]);
  manager?.close();
  observation?.close();
  engine.stop();
  return success(undefined);
}

/** Gives root's effective ids away, as far as the kernel lets it. */
function rest(libc: Libc, owner: Identity): Result<Credentials> {
  try {
    const rested = restAs(libc, { owner, lost: panic });
    if (!("unsafe" in rested)) return success(rested);
    const { unsafe: text, mend } = rested;
    return failure({ text, mend, exitCode: EX.CONFIG });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return failure({
      text: `cannot rest as uid ${owner.uid}, gid ${owner.gid}: ` +
        error.message,
      mend: "let the daemon take these ids, or name another owner",
      exitCode: EX.NOPERM,
    });
  }
}

/** What is to be known to start anew, as long as it can be. */
function noteStart(
  libc: Libc,
  owner: Identity | undefined,
): { libc: Libc; program: OwnProgram; ids: RootIds | undefined } {
  return {
    libc,
    program: ownProgram(libc),
    ids: owner === undefined ? undefined : {
      owner,
      gid: libc.c.getgid(),
      groups: supplementaryGroups(libc),
    },
  };
}

/** A daemon that goes on in place of another is not ended by its pid file. */
function claim(
  libc: Libc,
  path: string,
  { log, adopted, credentials: current }:
    & Pick<DaemonContext, "log" | "adopted">
    & { credentials: { readonly now: Credentials } },
): Result<PidFile | undefined> {
  const credentials = (): Credentials => current.now;
  const formerFd = adopted?.handed.pidFileFd;
  const claimed = claimPidFile(libc, path, { credentials, formerFd });
  if (claimed.ok || adopted === undefined) return claimed;
  warnOfPidFile(log, claimed.mistake);
  return success(
    formerFd === undefined
      ? undefined
      : keepPidFile(libc, path, { fd: formerFd, credentials }),
  );
}

function warnOfPidFile(log: DaemonLog, mistake: Mistake): void {
  log.warning("pid-file", formatMistake(mistake), { ...mistake });
}

/** What services are made of. */
interface ServiceGround {
  readonly engine: Engine;
  readonly log: DaemonLog;
  readonly libc: Libc | undefined;
  readonly sockets: OpenSockets;
  /** What a former image of this process remembered. */
  readonly handed: readonly HandedService[];
}

/**
 * Makes the services of a plan, by their ids, and one for the commands of each
 * that the plan does not have any more.
 */
function makeServices(
  plan: DaemonPlan,
  { engine, log, libc, sockets, handed }: ServiceGround,
): ReadonlyMap<string, Service> {
  const ownPeakMemoryBytes = libc &&
    (() => ownUsage(libc).peakMemoryBytes);
  const services = new Map<string, Service>();
  for (const service of plan.services) {
    services.set(
      service.id,
      new Service({
        ...service,
        ...{ engine, log: log.forService(service.name) },
        sockets: sockets.get(service) ?? [],
        logsConnections: service.settings.spawnd_log_connections,
        ...ownPeakMemoryBytes && { ownPeakMemoryBytes },
      }),
    );
  }
  for (const { id, name, memory } of handed) {
    const service = services.get(id) ??
      leftover(name, memory.commands[0]?.running.command);
    if (service === undefined) continue;
    services.set(id, service);
    service.resume(memory);
  }
  return services;

  function leftover(
    name: string,
    command: Command | undefined,
  ): Service | undefined {
    return command && new Service({
      ...{ name, command, engine, log: log.forService(name) },
      sockets: [],
      verbose: false,
      timeLimitMs: 0,
      maxProcesses: 0,
      isThrottled: false,
    });
  }
}

function counted(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}

/** Whoever waits for it may have gone; that is no reason not to serve. */
function tellReady(libc: Libc, fd: number, log: DaemonLog): void {
  try {
    writeOnce(libc, fd, new Uint8Array([0x0a]));
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    log.warning("ready-not-told", error.message);
  }
  libc.c.close(fd);
}

/** Commands inherit the directory that the daemon is in. */
function enterDirectory(directory: string): void {
  try {
    Deno.chdir(directory);
  } catch {
    Deno.chdir("/");
  }
}
