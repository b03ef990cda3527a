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

import { admissionRules } from "../admission/admission_rules.ts";
import { DirectEngine } from "../engine/direct.ts";
import type { DaemonLog } from "../log/log.ts";
import { handOn } from "../net/inherited_sockets.ts";
import type { Credentials, Identity } from "../posix/credentials.ts";
import type { Libc } from "../posix/libc.ts";
import { type RootIds, supplementaryGroups } from "../posix/own_image.ts";
import { ownUsage } from "../posix/resource_usage.ts";
import { Children, duplicate, giveFreedMemoryBack } from "../posix/process.ts";
import { setBacklog } from "../posix/sockets.ts";
import { Refusal } from "../result.ts";
import type { ServicePlan } from "../service/plan.ts";
import { lockDown } from "../service/lock_down.ts";
import { MachineReadings } from "../service/machine_readings.ts";
import { type OwnProgram, ownProgram } from "../service/own_program.ts";
import { type Handed, remember } from "../service/reload/handed.ts";
import { Reloader } from "../service/reload/reloader.ts";
import { tellReloaded } from "../service/reload/tell_reloaded.ts";
import { rest } from "../service/rest.ts";
import {
  Service,
  type ServiceObserver,
  type ServiceOptions,
} from "../service/service.ts";
import { SignalQueue } from "../service/stopping.ts";
import { PassingEngine } from "./passing_engine.ts";
import { STATUS_FD, StatusChannel } from "./status.ts";
import type { Transport } from "./transport.ts";
import { Turn, type TurnEnd } from "./turn.ts";
import { startWatchdog } from "./watchdog.ts";

/** What a child serves, checked. */
export interface ChildPlan {
  readonly service:
    & Omit<ServiceOptions, "engine" | "log" | "observer" | "rules" | "readings">
    & Pick<ServicePlan, "settings" | "admission">;
  /** How connections arrive. */
  readonly transport: Transport;
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
 * @throws {Refusal} If it cannot rest as its owner.
 */
export async function serveTurn(
  plan: ChildPlan,
  context: ChildContext,
): Promise<void> {
  const { libc, log, handed } = context;
  // Before the runtime starts a thread, so that none takes a signal.
  const signals = new SignalQueue({ log, libc, hasWatchdog: true });
  const ids = {
    owner: plan.owner,
    gid: libc.c.getgid(),
    groups: supplementaryGroups(libc),
  };
  const program = ownProgram(libc);
  Deno.chdir(plan.queueDirectory);
  const rested = rest(libc, plan.owner);
  if (!rested.ok) throw new Refusal(rested.mistake);
  const credentials = rested.value;
  const child = new Child(plan, {
    ...context,
    ...{ signals, credentials, program, ids },
  });
  lockDown("direct");
  startWatchdog(libc, plan.daemonTimeoutSeconds);
  if (plan.isVerbose && handed === undefined) {
    log.info("started", "daemon started");
  }
  await child.serve();
}

/** What there is when the process rests. */
interface RestedContext extends ChildContext {
  readonly signals: SignalQueue;
  readonly credentials: Credentials;
  readonly program: OwnProgram;
  readonly ids: RootIds;
}

/** A child that rests. */
class Child {
  readonly #plan: ChildPlan;
  readonly #context: RestedContext;
  readonly #direct: DirectEngine;
  readonly #status: StatusChannel;
  readonly #turn: Turn;
  readonly #service: Service;
  readonly #reloader: Reloader;
  /** Readable when master has gone; not there if that is known. */
  readonly #masterFd: number | undefined;
  /** The one connection there is, where there is but one. */
  readonly #connection: number | undefined;
  readonly #over = Promise.withResolvers<void>();
  readonly #left = Promise.withResolvers<Deno.Signal>();

  constructor(plan: ChildPlan, context: RestedContext) {
    const { libc, log, handed, credentials } = context;
    const { transport, service: { name, sockets } } = plan;
    this.#plan = plan;
    this.#context = context;
    const direct = new DirectEngine(libc, {
      credentials,
      isSuccessor: handed !== undefined,
    });
    this.#direct = direct;
    const passing = transport === "pass"
      ? new PassingEngine(libc, direct)
      : undefined;
    const masterPid = handed?.masterPid ?? Deno.ppid;
    // One that has gone meanwhile has left this process to another.
    this.#masterFd = masterPid === Deno.ppid
      ? new Children(libc).watch(masterPid)
      : undefined;
    this.#connection = transport === "stdin" ? duplicate(libc, 0) : undefined;
    this.#status = new StatusChannel(libc, plan.generation);
    // A process that master has begun anew without has no channel any more.
    if (this.#connection !== undefined || handed !== undefined) {
      this.#status.close();
    }
    this.#turn = new Turn({
      ...plan.turn,
      retireMs: plan.turn.retireMs,
      over: (why) => this.#end(why),
      now: () => performance.now(),
    });
    const readings = new MachineReadings();
    const { settings, admission } = plan.service;
    const rules = admissionRules(settings, admission);
    if (rules !== undefined) readings.open(libc, rules.busyLimits);
    this.#service = new Service({
      ...plan.service,
      ...{ rules, readings, engine: passing ?? direct, log },
      logsConnections: settings.spawnd_log_connections,
      ownPeakMemoryBytes: () => ownUsage(libc).peakMemoryBytes,
      observer: this.#observer(),
    });
    for (const { source } of sockets) {
      if ("fd" in source) setBacklog(libc, source.fd, plan.backlogConnections);
    }
    this.#reloader = new Reloader({
      ...context,
      engine: direct,
      ...passing && { settled: (limitMs) => passing.settled(limitMs) },
      present: () => ({
        sockets: handOn(sockets),
        services: [remember(name, this.#service)],
        masterPid,
      }),
    });
  }

  /** Serves until the end. */
  async serve(): Promise<void> {
    const { signals, handed } = this.#context;
    const { fd } = signals;
    if (fd !== undefined) this.#direct.watch(fd, () => signals.poll());
    for (const { memory } of handed?.services ?? []) {
      this.#service.resume(memory);
      this.#turn.resume(memory.commands.length);
    }
    const running = this.#direct.run();
    if (this.#connection === undefined) this.#accept();
    else {
      this.#service.serveOne(this.#connection);
      this.#end("served");
    }
    const stopped = Promise.race([
      signals.fatalBefore(this.#over.promise),
      this.#left.promise,
    ]);
    const fatal = await Promise.race([stopped, running]);
    if (fatal !== undefined) {
      this.#reloader.abandon();
      await this.#service.terminate();
    }
    this.#direct.stop();
  }

  /** Begins to take connections, for as long as master is there. */
  #accept(): void {
    const { libc, log, handed } = this.#context;
    if (handed === undefined) this.#watchStatus();
    // A master that has gone starts no other process: nobody takes connections.
    const masterFd = this.#masterFd;
    if (masterFd === undefined) this.#end("disconnect");
    else if (masterFd >= 0) {
      this.#direct.watch(masterFd, () => {
        this.#direct.closeWatched(masterFd);
        this.#end("disconnect");
      });
    }
    this.#service.start();
    if (handed !== undefined) {
      tellReloaded(libc, handed, log);
      this.#turn.leave();
    }
    giveFreedMemoryBack(libc);
  }

  /** The status channel is readable when its other end has gone. */
  #watchStatus(): void {
    this.#direct.watch(STATUS_FD, () => {
      // Its number may come to be a connection's.
      this.#status.close();
      this.#direct.closeWatched(STATUS_FD);
      this.#turn.leave();
      if (this.#service.count > 0 && !this.#plan.isClassic) {
        void this.#reload();
      }
    });
  }

  async #reload(): Promise<void> {
    const fatal = await this.#reloader.reload();
    if (fatal !== undefined) this.#left.resolve(fatal);
  }

  /** Has master know of each connection, if it is a process for one. */
  #observer(): ServiceObserver {
    const { isClassic, isVerbose } = this.#plan;
    const { log } = this.#context;
    const turn = this.#turn;
    const status = this.#status;
    return {
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
    };
  }

  /**
   * Ends the turn at once, in that turn of the loop in which it is known: the
   * next connection is another process's.
   */
  #end(why: TurnEnd): void {
    const { isVerbose, isClassic } = this.#plan;
    const text = LAST_WORDS[why];
    if (isVerbose && text !== undefined) {
      this.#context.log.info("stopping", text);
    }
    this.#reloader.abandon();
    // Its commands go on beside those of the process that master starts next.
    if (why === "overdue" && !isClassic) this.#status.tell("taken");
    this.#service.drain().then(this.#over.resolve);
  }
}
