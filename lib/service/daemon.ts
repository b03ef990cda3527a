/**
 * A daemon from its plan to its end.
 *
 * The order of the steps is its security: everything that can be refused was
 * checked before a plan exists; then sockets are taken over or opened, then the
 * locks fall, then the daemon is announced, and only then the first connection
 * is accepted.
 *
 * @module
 */

import { DirectEngine } from "../engine/direct.ts";
import type { Engine } from "../engine/engine.ts";
import { RelayEngine } from "../engine/relay.ts";
import type { DaemonLog } from "../log/log.ts";
import { openDestination } from "../log/destination.ts";
import type { Outlet } from "../log/outlet.ts";
import {
  type HandedSocket,
  handOn,
  type InheritedSockets,
} from "../net/inherited_sockets.ts";
import { ServiceManager } from "../observe/service_manager.ts";
import {
  type Credentials,
  type Identity,
  unchangingCredentials,
} from "../posix/credentials.ts";
import { isShortage, MORE_DESCRIPTORS, SystemError } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { type RootIds, supplementaryGroups } from "../posix/own_image.ts";
import { giveFreedMemoryBack, writeOnce } from "../posix/process.ts";
import {
  EX,
  failure,
  formatMistake,
  type Mistake,
  type Result,
  success,
} from "../result.ts";
import { lockDown } from "./lock_down.ts";
import { makeServices } from "./make_services.ts";
import { closeOpened, openSockets } from "./open_sockets.ts";
import { Observation } from "./observation.ts";
import { retune } from "./retune.ts";
import { type OwnProgram, ownProgram } from "./own_program.ts";
import {
  closeOwnSockets,
  handOnOwn,
  openOwnSockets,
  type OwnSockets,
  tellMissing,
} from "./own_sockets.ts";
import type { DaemonPlan, OpenSockets } from "./plan.ts";
import { claimPidFile, keepPidFile, type PidFile } from "./pid_file.ts";
import { type Handed, remember } from "./reload/handed.ts";
import { Reloader } from "./reload/reloader.ts";
import { tellReloaded } from "./reload/tell_reloaded.ts";
import { rest } from "./rest.ts";
import type { Service } from "./service.ts";
import { SignalQueue, untilStopped } from "./stopping.ts";
import { unmappedUsers } from "./unmapped_users.ts";

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
  /** What a service manager has opened. */
  readonly activated?: InheritedSockets | undefined;
}

/** What a former image of this process has handed on. */
export interface Adopted {
  readonly handed: Handed;
  readonly inherited: InheritedSockets;
  /** The daemon's credentials, for what is removed by then. */
  readonly credentials: { now: Credentials };
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
  const direct = plan.engine === "direct" ? libc : undefined;
  // Before the runtime starts a thread, so that none takes a signal.
  const signals = new SignalQueue({ log, libc: direct });
  // The sockets are removed with whatever credentials there are by then.
  const credentials = adopted?.credentials ?? { now: unchangingCredentials() };
  const inherited = adopted?.inherited ?? context.activated;
  const means = {
    ...{ libc, inherited },
    credentials: () => credentials.now,
  };
  const opened = openSockets(plan, means);
  if (!opened.ok) return opened;
  const own = openOwnSockets(plan, means);
  for (const mistake of own.missing) tellMissing(log, mistake);
  const mistakes = [
    ...own.mistakes,
    ...context.activated?.rest.map(nobodys) ?? [],
  ];
  if (mistakes.length > 0) {
    closeOpened(opened.value, inherited);
    closeOwnSockets(own.sockets, inherited);
    return { ok: false, mistake: mistakes };
  }
  const served = await serveOpened({
    ...context,
    ...{ plan, direct, signals, credentials },
    ...{ sockets: opened.value, own: own.sockets },
    serving: () => outlet?.keepTo(sink),
  });
  return served.ok ? served : { ok: false, mistake: [served.mistake] };
}

/** Its clients would wait for ever. */
function nobodys({ fd, address, name }: HandedSocket): Mistake {
  return {
    text: `descriptor ${fd} of the service manager, ${address}` +
      `${name === undefined ? "" : `, named ${name}`}, is no service's`,
    mend: "give it a service's name by FileDescriptorName=, or its address",
    exitCode: EX.CONFIG,
  };
}

/** A daemon whose sockets are open. */
interface OpenedDaemon extends DaemonContext {
  readonly plan: DaemonPlan;
  /** The C library, if it runs the commands. */
  readonly direct: Libc | undefined;
  readonly signals: SignalQueue;
  readonly credentials: { now: Credentials };
  readonly sockets: OpenSockets;
  /** The sockets on which it tells of itself. */
  readonly own: OwnSockets;
  /** Called when nothing keeps it from serving any more. */
  readonly serving: () => void;
}

/** Nothing stays behind of a daemon that could not come to serve. */
async function serveOpened(daemon: OpenedDaemon): Promise<Result<void>> {
  try {
    const served = await lockAndServe(daemon);
    if (!served.ok) closeSockets(daemon);
    return served;
  } catch (error) {
    closeSockets(daemon);
    if (!(error instanceof SystemError)) throw error;
    const mend = isShortage(error.code) ? MORE_DESCRIPTORS : undefined;
    return failure({ text: error.message, mend, exitCode: EX.OSERR });
  }
}

function closeSockets({ sockets, own, adopted }: OpenedDaemon): void {
  closeOwnSockets(own, adopted?.inherited);
  closeOpened(sockets, adopted?.inherited);
}

async function lockAndServe(daemon: OpenedDaemon): Promise<Result<void>> {
  const { plan, adopted, sockets } = daemon;
  const claimed = claim(daemon);
  if (!claimed.ok) return claimed;
  using pidFile = claimed.value;
  // Who goes on in another's place is not refused from here on.
  adopted?.inherited.closeRest();
  const locked = lock(daemon, pidFile);
  if (!locked.ok) return locked;
  const published = pidFile?.publish() ?? success(undefined);
  if (!published.ok && adopted === undefined) return published;
  if (!published.ok) warnOfPidFile(daemon.log, published.mistake);
  daemon.serving();
  plan.announce(sockets);
  await run(daemon, locked.value);
  return success(undefined);
}

/** A daemon that goes on in place of another is not ended by its pid file. */
function claim(
  { libc, log, plan: { pidFile: path }, adopted, credentials: current }:
    OpenedDaemon,
): Result<PidFile | undefined> {
  if (libc === undefined || path === undefined) return success(undefined);
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

/** A daemon that has given up all that it can. */
interface LockedDaemon {
  /** Who is told how the daemon fares, if anybody is. */
  readonly manager: ServiceManager | undefined;
  /** When the first image of it began, as `Date.now()` has it. */
  readonly sinceMs: number;
  readonly engine: Engine;
  readonly services: ReadonlyMap<string, Service>;
  readonly reloader: Reloader | undefined;
}

/** Makes everything that serves, and has the locks fall. */
function lock(
  daemon: OpenedDaemon,
  pidFile: PidFile | undefined,
): Result<LockedDaemon> {
  const { plan, libc, log, adopted, direct, signals, sockets } = daemon;
  const start = direct !== undefined && plan.reloads
    ? noteStart(direct, plan.owner)
    : undefined;
  const manager = libc && ServiceManager.find(libc);
  const sinceMs = adopted?.handed.sinceMs ?? Date.now();
  enterDirectory(plan.directory);
  // Lock 3. The relay engine cannot have it: there the runtime itself becomes
  // the command's user, in the child.
  if (direct !== undefined && plan.owner !== undefined) {
    const rested = rest(direct, plan.owner);
    if (!rested.ok) return rested;
    daemon.credentials.now = rested.value;
  }
  const inherited = adopted?.inherited ?? daemon.activated;
  if (direct !== undefined && inherited !== undefined) {
    retune(direct, sockets, (socket) => inherited.took(socket));
  }
  const credentials = daemon.credentials.now;
  const { descriptorLimit } = plan;
  const engine = direct === undefined
    ? new RelayEngine()
    : new DirectEngine(direct, {
      ...{ credentials, descriptorLimit },
      isSuccessor: adopted !== undefined,
    });
  // Before commands are taken over, each of which takes a descriptor.
  const reloader = start === undefined || !(engine instanceof DirectEngine)
    ? undefined
    : new Reloader({
      ...start,
      ...{ engine, log, signals, credentials },
      present: () => ({
        sockets: [
          ...handOn([...sockets.values()].flat()),
          ...handOnOwn(daemon.own),
        ],
        sinceMs,
        services: [...services].map(([id, service]) => remember(id, service)),
        descriptorLimit,
        pidFileFd: pidFile?.fd,
      }),
      failed: () => {
        pidFile?.touch();
        manager?.ready(readyText(plan));
      },
    });
  const services = makeServices(plan, {
    ...{ engine, log, libc, sockets },
    handed: adopted?.handed.services ?? [],
  });
  lockDown(engine.name);
  return success({ engine, services, reloader, manager, sinceMs });
}

/** Accepts connections until a signal has ended that. */
async function run(
  daemon: OpenedDaemon,
  { engine, services, reloader, manager, sinceMs }: LockedDaemon,
): Promise<void> {
  const { plan, libc, log, adopted, direct, signals } = daemon;
  if (engine instanceof DirectEngine && signals.fd !== undefined) {
    engine.watch(signals.fd, () => signals.poll());
  }
  const running = engine.run();
  const observation = direct && engine instanceof DirectEngine
    ? new Observation({
      ...daemon,
      ...{ libc: direct, watcher: engine, services, sinceMs },
      sockets: daemon.own,
      drain: () => signals.drain(),
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
  manager?.ready(readyText(plan));
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
  const { connectionFd: fd } = plan;
  const over = fd === undefined ? [] : [serveOnly(services, fd)];
  await Promise.race([stopped, running, ...over]);
  manager?.close();
  observation?.close();
  engine.stop();
}

/** Serves one connection, and waits for the end of its command. */
async function serveOnly(
  services: ReadonlyMap<string, Service>,
  connectionFd: number,
): Promise<void> {
  for (const service of services.values()) {
    service.serveOne(connectionFd);
    await service.drain();
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

/** What a service manager shows of a daemon that serves. */
function readyText({ services: { length } }: DaemonPlan): string {
  return length === 1 ? "Serving 1 service" : `Serving ${length} services`;
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
