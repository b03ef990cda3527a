/**
 * A child of master(8) from its plan to its end.
 *
 * One process runs all commands of its service at once, as many as maxproc on
 * the service's line says, and master sees it as one that is never taken. With
 * `spawnd_concurrency` 1 it is a process for one command at a time, as
 * spawn(8) is.
 *
 * After a reload, master counts on every process that said that it could take
 * a connection until that process ends; so one whose commands run has to go on
 * taking them, with what the configuration is by then: it executes its program
 * anew in its own place, on the same sockets, and its commands stay its own and
 * counted. At the first moment without a command it ends, and master starts a
 * process of its own.
 *
 * At most maxproc commands run that one process has started. Beside them may
 * run the last ones of a process whose turn was over, as many again.
 *
 * The door of lib/master, which imports from service, engine, net, log and
 * posix: a {@linkcode ChildPlan} is what master's words and the configuration
 * come to, a `Turn` (turn.ts) says when the process has served enough, and a
 * `StatusChannel` (status.ts) tells master.
 *
 * @module
 */

import { DirectEngine } from "../engine/direct.ts";
import type { Engine } from "../engine/engine.ts";
import type { DaemonLog } from "../log/log.ts";
import { handOn } from "../net/inherited_sockets.ts";
import { type Identity, restAs } from "../posix/credentials.ts";
import type { Libc } from "../posix/libc.ts";
import { supplementaryGroups } from "../posix/own_image.ts";
import { ownUsage } from "../posix/resource_usage.ts";
import { Children, duplicate, giveFreedMemoryBack } from "../posix/process.ts";
import { setBacklog } from "../posix/sockets.ts";
import type { ServicePlan } from "../service/plan.ts";
import { lockDown } from "../service/lock_down.ts";
import { ownProgram } from "../service/own_program.ts";
import { panic } from "../service/panic.ts";
import { type Handed, remember } from "../service/reload/handed.ts";
import { Reloader } from "../service/reload/reloader.ts";
import { tellReloaded } from "../service/reload/tell_reloaded.ts";
import { Service, type ServiceOptions } from "../service/service.ts";
import { SignalQueue } from "../service/stopping.ts";
import { PassingEngine } from "./passing_engine.ts";
import { STATUS_FD, StatusChannel } from "./status.ts";
import { Turn, type TurnEnd } from "./turn.ts";
import { startWatchdog } from "./watchdog.ts";

/** What a child serves, checked. */
export interface ChildPlan {
  readonly service:
    & Omit<ServiceOptions, "engine" | "log" | "observer">
    & Pick<ServicePlan, "settings">;
  /** How connections arrive. */
  readonly transport: "inet" | "unix" | "pass" | "stdin";
  readonly owner: Identity;
  readonly queueDirectory: string;
  /** See `parseGeneration`. */
  readonly generation: number;
  /** Whether this is a process for one command at a time. */
  readonly isClassic: boolean;
  /** How many connections may wait in the kernel's queue. */
  readonly backlogConnections: number;
  /** See {@linkcode startWatchdog}. */
  readonly daemonTimeoutSeconds: number;
  /** See {@linkcode Turn}. */
  readonly turn: {
    readonly connections: number;
    readonly idleMs: number;
    readonly retireMs?: number;
  };
  readonly isVerbose: boolean;
  readonly warnings: readonly string[];
}

/** What the process was found to have. */
export interface ChildContext {
  readonly libc: Libc;
  readonly log: DaemonLog;
  /** What a former image of this process has handed on. */
  readonly handed?: Handed | undefined;
}

/** What a verbose process says at its end. */
const LAST_WORDS: Readonly<Partial<Record<TurnEnd, string>>> = {
  idle: "idle timeout -- exiting",
  disconnect: "master disconnect -- exiting",
  retired: "time to retire -- exiting",
};

/**
 * Serves until the turn is over, or master has gone, or a signal ends it.
 *
 * @param plan What to serve.
 * @param context What the process has.
 */
export async function serveTurn(
  plan: ChildPlan,
  { libc, log, handed }: ChildContext,
): Promise<void> {
  // Before the runtime starts a thread, so that none takes a signal.
  const signals = new SignalQueue({ log, libc, hasWatchdog: true });
  const { transport, isClassic, isVerbose, service: { sockets } } = plan;
  const ids = {
    owner: plan.owner,
    gid: libc.c.getgid(),
    groups: supplementaryGroups(libc),
  };
  const program = ownProgram(libc);
  Deno.chdir(plan.queueDirectory);
  const credentials = restAs(libc, { owner: plan.owner, lost: panic });
  if ("unsafe" in credentials) throw new Error(credentials.unsafe);
  const direct = new DirectEngine(libc, { credentials });
  const passing = transport === "pass"
    ? new PassingEngine(libc, direct)
    : undefined;
  const engine: Engine = passing ?? direct;
  const masterPid = handed?.masterPid ?? Deno.ppid;
  // One that has gone meanwhile has left this process to another.
  const masterFd = masterPid === Deno.ppid
    ? new Children(libc).watch(masterPid)
    : undefined;
  const connection = transport === "stdin" ? duplicate(libc, 0) : undefined;
  const status = new StatusChannel(libc, plan.generation);
  // A process that master has begun anew without has no channel any more.
  if (connection !== undefined || handed !== undefined) status.close();
  const over = Promise.withResolvers<void>();
  const turn = new Turn({
    ...plan.turn,
    retireMs: plan.turn.retireMs,
    over: (why) => end(why),
    now: () => performance.now(),
  });
  const service = new Service({
    ...plan.service,
    engine,
    log,
    logsConnections: plan.service.settings.spawnd_log_connections,
    ownPeakMemoryBytes: () => ownUsage(libc).peakMemoryBytes,
    observer: {
      get room(): number {
        return turn.room;
      },
      started: (): void => {
        if (isVerbose) log.info("connected", "connection established");
        if (isClassic) status.tell("taken");
        turn.started();
      },
      ended: (): void => {
        if (isVerbose) log.info("disconnected", "connection closed");
        turn.ended();
        if (isClassic) status.tell("available");
      },
    },
  });
  const listenFds = sockets.flatMap(({ source }) =>
    "fd" in source ? [source.fd] : []
  );
  for (const fd of listenFds) setBacklog(libc, fd, plan.backlogConnections);
  const reloader = new Reloader({
    ...{ libc, credentials, engine: direct, log, signals, program, ids },
    ...passing && { settled: (limitMs) => passing.settled(limitMs) },
    present: () => ({
      sockets: handOn(sockets),
      services: [remember(plan.service.name, service)],
      masterPid,
    }),
  });
  const left = Promise.withResolvers<Deno.Signal>();
  const reload = async (): Promise<void> => {
    const fatal = await reloader.reload();
    if (fatal !== undefined) left.resolve(fatal);
  };
  // At once, in the turn of the loop in which it is known: the next connection
  // is another process's.
  const end = (why: TurnEnd): void => {
    const text = LAST_WORDS[why];
    if (isVerbose && text !== undefined) log.info("stopping", text);
    reloader.abandon();
    // Its commands go on beside those of the process that master starts next.
    if (why === "overdue" && !isClassic) status.tell("taken");
    service.drain().then(over.resolve);
  };
  lockDown("direct");
  startWatchdog(libc, plan.daemonTimeoutSeconds);
  if (isVerbose && handed === undefined) log.info("started", "daemon started");
  if (signals.fd !== undefined) direct.watch(signals.fd, () => signals.poll());
  for (const { memory } of handed?.services ?? []) {
    service.resume(memory);
    turn.resume(memory.commands.length);
  }
  const running = direct.run();
  if (connection !== undefined) {
    service.serveOne(connection);
    end("served");
  } else {
    // It is readable when its other end has gone.
    if (handed === undefined) {
      direct.watch(STATUS_FD, () => {
        // Its number may come to be a connection's.
        status.close();
        direct.closeWatched(STATUS_FD);
        turn.leave();
        if (service.count > 0 && !isClassic) void reload();
      });
    }
    // A master that has gone starts no other process: nobody takes connections.
    if (masterFd === undefined) end("disconnect");
    else if (masterFd >= 0) {
      direct.watch(masterFd, () => {
        direct.closeWatched(masterFd);
        end("disconnect");
      });
    }
    service.start();
    if (handed !== undefined) {
      tellReloaded(libc, handed, log);
      turn.leave();
    }
    giveFreedMemoryBack(libc);
  }
  const stopped = Promise.race([
    signals.fatalBefore(over.promise),
    left.promise,
  ]);
  const fatal = await Promise.race([stopped, running]);
  if (fatal !== undefined) {
    reloader.abandon();
    await service.terminate();
  }
  direct.stop();
}
