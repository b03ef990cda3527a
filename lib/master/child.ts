/**
 * A child of master(8) from its plan to its end.
 *
 * One process runs all commands of its service at once, as many as maxproc on
 * the service's line says, and master sees it as one that is never taken. With
 * `spawnd_concurrency` 1 it is a process for one command at a time, as
 * spawn(8) is.
 *
 * At most maxproc commands run that one process has started. Beside them may
 * run the last ones of a process that was there before, as many again: of one
 * whose turn was over, or that master has begun anew without.
 *
 * @module
 */

import { DirectEngine } from "../engine/direct.ts";
import type { Engine } from "../engine/engine.ts";
import type { DaemonLog } from "../log/log.ts";
import { type Identity, restAs } from "../posix/credentials.ts";
import type { Libc } from "../posix/libc.ts";
import {
  Children,
  duplicate,
  giveFreedMemoryBack,
  SIGTERM,
} from "../posix/process.ts";
import { blockChildSignals } from "../posix/signals.ts";
import { setBacklog } from "../posix/sockets.ts";
import { lockDown } from "../service/lock_down.ts";
import { ownProgram } from "../service/own_program.ts";
import { Service, type ServiceOptions } from "../service/service.ts";
import { SignalQueue } from "../service/stopping.ts";
import { Deputy } from "./deputy.ts";
import { PassingEngine } from "./passing_engine.ts";
import { STATUS_FD, StatusChannel } from "./status.ts";
import { Turn, type TurnEnd } from "./turn.ts";
import { startWatchdog } from "./watchdog.ts";

/** What a child serves, checked. */
export interface ChildPlan {
  readonly service: Omit<ServiceOptions, "engine" | "log" | "observer">;
  /** How connections arrive. */
  readonly transport: "inet" | "unix" | "pass" | "stdin";
  readonly owner: Identity;
  readonly queueDirectory: string;
  /** See `parseGeneration`. */
  readonly generation: number;
  /** Whether this is a process for one command at a time. */
  readonly isClassic: boolean;
  /** Whether this is another such process's {@linkcode Deputy}. */
  readonly isDeputy: boolean;
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
}

/** What a verbose process says at its end. */
const LAST_WORDS: Readonly<Partial<Record<TurnEnd, string>>> = {
  idle: "idle timeout -- exiting",
  disconnect: "master disconnect -- exiting",
};

/**
 * Serves until the turn is over, or master has gone, or a signal ends it.
 *
 * @param plan What to serve.
 * @param context What the process has.
 */
export async function serveTurn(
  plan: ChildPlan,
  { libc, log }: ChildContext,
): Promise<void> {
  blockChildSignals(libc);
  const signals = new SignalQueue();
  const { transport, isClassic, isVerbose, service: { sockets } } = plan;
  Deno.chdir(plan.queueDirectory);
  const program = ownProgram(libc);
  const credentials = restAs(libc, plan.owner);
  if ("unsafe" in credentials) throw new Error(credentials.unsafe);
  const direct = new DirectEngine(libc, { credentials });
  const engine: Engine = transport === "pass"
    ? new PassingEngine(libc, direct)
    : direct;
  const masterFd = new Children(libc).watch(Deno.ppid);
  const connection = transport === "stdin" ? duplicate(libc, 0) : undefined;
  const status = new StatusChannel(libc, plan.generation);
  if (connection !== undefined) status.close();
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
  const deputy = new Deputy({
    libc,
    credentials,
    engine: direct,
    log,
    program,
    listenFds,
    serves: (serves) => service.hold(serves),
  });
  // At once, in the turn of the loop in which it is known: the next connection
  // is another process's.
  const end = (why: TurnEnd): void => {
    const text = LAST_WORDS[why];
    if (isVerbose && text !== undefined) log.info("stopping", text);
    // Its commands go on beside those of the process that master starts next.
    if (why === "overdue" && !isClassic) status.tell("taken");
    service.drain().then(over.resolve);
  };
  lockDown("direct");
  startWatchdog(libc, plan.daemonTimeoutSeconds);
  if (isVerbose) log.info("started", "daemon started");
  const running = direct.run();
  if (connection !== undefined) {
    service.serveOne(connection);
    end("served");
  } else {
    // It is readable when its other end has gone.
    direct.watch(STATUS_FD, () => {
      // Its number may come to be a connection's.
      status.close();
      direct.closeWatched(STATUS_FD);
      if (plan.isDeputy) return end("disconnect");
      turn.leave();
      if (service.count > 0 && !isClassic) deputy.start();
    });
    // A master that has gone starts no other process: nobody takes connections.
    if (masterFd >= 0) {
      direct.watch(masterFd, () => {
        direct.closeWatched(masterFd);
        end("disconnect");
        deputy.dismiss();
      });
    }
    service.start();
    if (plan.isDeputy) status.tell("available");
    giveFreedMemoryBack(libc);
  }
  const stopped = signals.fatalBefore(over.promise);
  const fatal = await Promise.race([stopped, running]);
  if (fatal !== undefined) {
    deputy.signal(SIGTERM);
    await service.terminate();
  }
  direct.stop();
}
