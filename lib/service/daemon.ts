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
import type {
  Command,
  Engine,
  EngineName,
  ListeningSocket,
} from "../engine/engine.ts";
import { RelayEngine } from "../engine/relay.ts";
import type { DaemonLog } from "../log/log.ts";
import {
  INHERITED_VARIABLE,
  InheritedSockets,
} from "../net/inherited_sockets.ts";
import type { ListenOptions } from "../net/listening.ts";
import {
  type Credentials,
  dropInheritableCapabilities,
  type Identity,
  restAs,
  unchangingCredentials,
} from "../posix/credentials.ts";
import { SystemError } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import {
  closeAllOnExec,
  giveFreedMemoryBack,
  setUmask,
  writeOnce,
} from "../posix/process.ts";
import { blockChildSignals, resetSignals } from "../posix/signals.ts";
import { EX, type Mistake, type Result, success } from "../result.ts";
import { HandOver } from "./hand_over.ts";
import { lockDown } from "./lock_down.ts";
import { writePidFile } from "./pid_file.ts";
import { Service } from "./service.ts";
import { SignalQueue, untilStopped } from "./stopping.ts";

/** What files that the daemon or its commands make are closed to. */
const UMASK = 0o077;

/** What the process was found to have. */
export interface DaemonContext {
  readonly libc: Libc | undefined;
  readonly log: DaemonLog;
}

/** A service as it was checked. */
export interface ServicePlan {
  readonly name: string;
  /** Opens its sockets, or takes them over. */
  readonly listen: (options: PlanListenOptions) => Result<ListeningSocket[]>;
  readonly command: Command;
  readonly timeLimitMs: number;
  readonly maxProcesses: number;
  readonly throttleMs: number;
}

/** What a plan's `listen` is called with. */
export interface PlanListenOptions extends ListenOptions {
  readonly credentials: () => Credentials;
}

/** What was opened for each service. */
export type OpenSockets = ReadonlyMap<ServicePlan, ListeningSocket[]>;

/** A daemon as it was checked. */
export interface DaemonPlan {
  readonly services: readonly ServicePlan[];
  readonly engine: EngineName;
  /** Whose effective ids it has; `undefined` where there are none to change. */
  readonly owner: Identity | undefined;
  /** Where its commands run, if that is there. */
  readonly directory: string;
  readonly backlogConnections: number;
  /** Where to write a newline when it accepts. */
  readonly readyFd: number | undefined;
  /** Whether to report each connection. */
  readonly verbose: boolean;
  /** Where to write the process id. */
  readonly pidFile?: string | undefined;
  /** Whether SIGHUP starts a successor with a new plan. */
  readonly reloads: boolean;
  /** Called when all is open and nothing was accepted yet. */
  readonly announce: (sockets: OpenSockets) => void;
}

/**
 * What a daemon does to its own process before anything else.
 *
 * @param libc The C library.
 */
export function prepareProcess(libc: Libc): void {
  closeAllOnExec(libc);
  resetSignals(libc);
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
  { libc, log }: DaemonContext,
): Promise<Result<void, readonly Mistake[]>> {
  const direct = libc !== undefined && plan.engine === "direct"
    ? libc
    : undefined;
  if (direct !== undefined) blockChildSignals(direct);
  const signals = new SignalQueue();
  // The sockets are removed with whatever credentials there are by then.
  let credentials: Credentials = unchangingCredentials();
  const inherited = libc === undefined ? undefined : new InheritedSockets(
    libc,
    Deno.env.get(INHERITED_VARIABLE),
    () => credentials,
  );
  const opened = openSockets(plan, {
    libc,
    inherited,
    credentials: () => credentials,
  });
  if (!opened.ok) return opened;
  const pidFile = libc !== undefined && plan.pidFile !== undefined
    ? writePidFile(libc, plan.pidFile)
    : success(undefined);
  if (!pidFile.ok) {
    closeOwn(opened.value, inherited);
    return { ok: false, mistake: [pidFile.mistake] };
  }
  // From here on nothing is refused any more.
  inherited?.closeRest();
  const successor = libc !== undefined && plan.reloads
    ? new HandOver(libc)
    : undefined;
  enterDirectory(plan.directory);
  // Lock 3. The relay engine cannot have it: there the runtime itself becomes
  // the command's user, in the child.
  if (direct !== undefined && plan.owner !== undefined) {
    const rested = restAs(direct, plan.owner);
    if ("unsafe" in rested) {
      closeOwn(opened.value, inherited);
      pidFile.value?.remove(credentials);
      return {
        ok: false,
        mistake: [{
          text: rested.unsafe,
          mend: rested.mend,
          exitCode: EX.CONFIG,
        }],
      };
    }
    credentials = rested;
  }
  const engine: Engine = direct === undefined
    ? new RelayEngine()
    : new DirectEngine(direct, { credentials });
  const services = plan.services.map((service) =>
    new Service({
      ...service,
      sockets: opened.value.get(service) ?? [],
      engine,
      log: log.forService(service.name),
      verbose: plan.verbose,
    })
  );
  lockDown(engine.name);
  plan.announce(opened.value);
  const running = engine.run();
  for (const service of services) service.start();
  if (libc !== undefined && plan.readyFd !== undefined) {
    tellReady(libc, plan.readyFd, log);
  }
  if (libc !== undefined) giveFreedMemoryBack(libc);
  const handOver = successor && engine instanceof DirectEngine
    ? () =>
      successor.start({
        credentials,
        engine,
        log,
        sockets: [...opened.value.values()].flat(),
      })
    : undefined;
  const whyNot = plan.reloads
    ? "the relay engine cannot hand over, restart to reload"
    : "there is no configuration to reload";
  const stopped = untilStopped({ services, log, signals, handOver, whyNot });
  await Promise.race([stopped, running]);
  engine.stop();
  pidFile.value?.remove(credentials);
  return success(undefined);
}

/** Either all sockets are open, or none is, and every reason is told. */
function openSockets(
  plan: DaemonPlan,
  options: Pick<PlanListenOptions, "libc" | "inherited" | "credentials">,
): Result<OpenSockets, readonly Mistake[]> {
  const { engine, backlogConnections } = plan;
  const sockets = new Map<ServicePlan, ListeningSocket[]>();
  const mistakes: Mistake[] = [];
  for (const service of plan.services) {
    const listened = service.listen({ engine, backlogConnections, ...options });
    if (listened.ok) sockets.set(service, listened.value);
    else mistakes.push(listened.mistake);
  }
  if (mistakes.length === 0) return success(sockets);
  closeOwn(sockets, options.inherited);
  return { ok: false, mistake: mistakes };
}

/** A predecessor goes on to listen on what it has handed over. */
function closeOwn(
  sockets: OpenSockets,
  inherited: InheritedSockets | undefined,
): void {
  for (const socket of [...sockets.values()].flat()) {
    if (!inherited?.took(socket)) socket.close();
  }
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
