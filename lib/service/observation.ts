/**
 * A running daemon's answers: to `spawnd status`, `kill` and `drain` over its
 * status socket, to Prometheus, and to the service manager.
 *
 * @module
 */

import { clientOf, type RunningCommand } from "../engine/engine.ts";
import type { DaemonLog } from "../log/log.ts";
import { serveMetrics } from "../observe/metrics_server.ts";
import { metricsText } from "../observe/prometheus.ts";
import type { Slots, Watcher } from "../observe/slots.ts";
import type { StatusQuestion, StatusRecord } from "../observe/status_record.ts";
import { serveStatus } from "../observe/status_server.ts";
import type { Libc } from "../posix/libc.ts";
import { metricFamilies } from "./metrics.ts";
import type { OwnSockets } from "./own_sockets.ts";
import type { OwnRole } from "./plan.ts";
import type { Service } from "./service.ts";
import {
  commandStatus,
  daemonStatus,
  isServing,
  serviceRecords,
  type Services,
} from "./status.ts";
import type { Timer } from "../timer.ts";

/** What there is to tell of, and to whom. */
export interface ObservationOptions {
  readonly libc: Libc;
  readonly watcher: Watcher;
  readonly log: DaemonLog;
  readonly services: Services;
  readonly sockets: OwnSockets;
  readonly version: string;
  /** When the daemon was started, in milliseconds of the calendar. */
  readonly sinceMs: number;
  /** Has the daemon come to its end as by SIGTERM. */
  readonly drain: () => void;
}

/** What tells of the daemon. */
export class Observation {
  readonly #options: ObservationOptions;
  readonly #slots: readonly Slots[];
  #drainTimer: Timer | undefined;

  /**
   * Begins to answer.
   *
   * @param options What there is to tell of.
   */
  constructor(options: ObservationOptions) {
    const { libc, watcher, services } = options;
    this.#options = options;
    this.#slots = [
      ...this.#fds("status").map((fd) =>
        serveStatus({
          ...{ libc, watcher, fd },
          answer: (question, uid) => this.#answer(question, uid),
        })
      ),
      ...this.#fds("metrics").map((fd) =>
        serveMetrics({
          ...{ libc, watcher, fd },
          metrics: () => metricsText(metricFamilies(services, this.#about)),
        })
      ),
    ];
  }

  /** Ends it, and removes its sockets. */
  close(): void {
    clearTimeout(this.#drainTimer);
    for (const slots of this.#slots) slots.close();
    for (const socket of [...this.#options.sockets.values()].flat()) {
      socket.close();
    }
  }

  get #about(): ObservationOptions & { readonly isDraining: boolean } {
    const isDraining = this.#drainTimer !== undefined;
    return { ...this.#options, isDraining };
  }

  #fds(role: OwnRole): number[] {
    return (this.#options.sockets.get(role) ?? []).flatMap(({ source }) =>
      "fd" in source ? [source.fd] : []
    );
  }

  *#answer(question: StatusQuestion, uid: number): Generator<StatusRecord> {
    const { libc, services } = this.#options;
    switch (question.ask) {
      case "status":
        yield daemonStatus(services, this.#about);
        yield* serviceRecords(libc, services);
        break;
      case "kill":
        yield* this.#kill(question.what, uid);
        break;
      case "drain":
        this.#drain(question.graceMs, uid);
        yield daemonStatus(services, this.#about);
        break;
    }
  }

  /** Asked again, it waits as long as it was asked the last time. */
  #drain(graceMs: number, uid: number): void {
    const { log, drain, services } = this.#options;
    // To stop once more would end commands.
    if (!isServing(services)) return;
    const seconds = graceMs / 1000;
    log.info(
      "drain",
      `to be drained, by user id ${uid}: connections are accepted for ` +
        `${seconds} s`,
      { uid, graceSeconds: seconds },
    );
    clearTimeout(this.#drainTimer);
    this.#drainTimer = setTimeout(() => {
      // It may have been stopped meanwhile, once.
      if (isServing(services)) drain();
    }, graceMs);
  }

  *#kill(what: string, uid: number): Generator<StatusRecord> {
    const found = findCommands(this.#options.services, what);
    if ("refused" in found) {
      yield { kind: "refused", text: found.refused };
      return;
    }
    const ended = [...found.meant].flatMap(([id, { service, isMeant }]) =>
      service.endByHand(isMeant).map((command) => ({ id, service, command }))
    );
    // Told to the log whether or not the one who asked waits for an answer.
    for (const { service, command } of ended) {
      const { pid } = command;
      this.#options.log.forService(service.name).info(
        "ended-by-hand",
        `process id ${pid}: command ended by hand, by user id ${uid}`,
        { pid, uid, peer: clientOf(command) },
      );
    }
    for (const { id, service, command } of ended) {
      yield commandStatus(this.#options.libc, {
        ...{ id, service, command },
        isKilled: false,
      });
    }
  }
}

/** Commands of a service that are meant. */
interface Meant {
  readonly service: Service;
  readonly isMeant: (command: RunningCommand) => boolean;
}

/**
 * Finds what is meant by a service's name, `NAME/TYPE` where there are several
 * of that name, or by the process id of a command that runs.
 */
function findCommands(
  services: Services,
  what: string,
): { meant: ReadonlyMap<string, Meant> } | { refused: string } {
  const byName = new Map<string, Meant>();
  const byPid = new Map<string, Meant>();
  for (const [id, service] of services) {
    const { name } = service;
    const [type = ""] = id.split(" ");
    if (what === name || what === `${name}/${type}` || what === id) {
      byName.set(id, { service, isMeant: () => true });
    }
    const isMeant = ({ pid }: RunningCommand): boolean => String(pid) === what;
    if (service.commands().some(([command]) => isMeant(command))) {
      byPid.set(id, { service, isMeant });
    }
  }
  if (byName.size > 0 && byPid.size > 0) {
    return {
      refused: `${what} is a service, and the process id of a command: write ` +
        `${what}/TYPE for the service`,
    };
  }
  if (byName.size > 1) {
    const names = [...byName.keys()].join('", "');
    return { refused: `${what} are several services: write one of "${names}"` };
  }
  const meant = byName.size > 0 ? byName : byPid;
  return meant.size > 0
    ? { meant }
    : { refused: `no service and no running command: ${what}` };
}
