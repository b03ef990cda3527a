/**
 * How a daemon comes to its end: by which signals, and what they see of it.
 *
 * @module
 */

import type { Log } from "../log/log.ts";
import { SIGHUP, SIGKILL, SIGTERM } from "../posix/process.ts";
import type { Successor } from "./hand_over.ts";
import type { Service } from "./service.ts";

/** How often a terminal is told how many commands are left. */
const TELL_LEFT_MS = 1000;

/** What is served, and what becomes of it. */
export interface StoppingOptions {
  readonly services: readonly Service[];
  readonly log: Log;
  readonly signals: SignalQueue;
  /** Starts a successor; without, SIGHUP does nothing. */
  readonly handOver: (() => Successor | undefined) | undefined;
  /** Why there is nothing to hand over. */
  readonly whyNot: string;
}

/**
 * Serves until a signal ends it. SIGTERM lets commands finish; a second one,
 * or SIGINT or SIGQUIT, ends them. SIGHUP hands over to a successor, and lets
 * commands finish as well.
 *
 * @param options What is served.
 * @returns When the last command has ended after a signal.
 */
export async function untilStopped(options: StoppingOptions): Promise<void> {
  const { services, log, signals } = options;
  const { signal, heir } = await untilLeft(options);
  const left = () => services.reduce((sum, { count }) => sum + count, 0);
  const drained = Promise.all(services.map((service) => service.drain(heir)));
  log.info(
    "stopping",
    `${signal}: no more connections are accepted${heir ? " here" : ""}, ` +
      `${commands(left())} left`,
    { signal, left: left() },
  );
  const teller = Deno.stderr.isTerminal()
    ? setInterval(() => {
      log.info("waiting", `${commands(left())} left`, { left: left() });
    }, TELL_LEFT_MS)
    : undefined;
  if (signal === "SIGTERM" || heir) await signals.fatalBefore(drained);
  await Promise.all(services.map((service) => service.terminate()));
  clearInterval(teller);
  log.info("stopped", "stopped");
}

/** Waits for the signal by which this process serves no longer. */
async function untilLeft(
  { log, signals, handOver, whyNot }: StoppingOptions,
): Promise<{ signal: Deno.Signal; heir: boolean }> {
  for (;;) {
    const signal = await signals.next();
    if (signal !== "SIGHUP") return { signal, heir: false };
    if (handOver === undefined) {
      log.info("hangup", `SIGHUP ignored: ${whyNot}`);
      continue;
    }
    const successor = handOver();
    if (successor === undefined) continue;
    const fatal = await signals.fatalBefore(successor.accepts);
    if (fatal !== undefined) {
      successor.signal(SIGKILL);
      return { signal: fatal, heir: false };
    }
    if (!await successor.accepts) continue;
    // What came meanwhile was meant for whoever serves: the successor, by now.
    if (signals.take("SIGHUP")) successor.signal(SIGHUP);
    if (signals.take("SIGTERM")) successor.signal(SIGTERM);
    return { signal, heir: true };
  }
}

function commands(count: number): string {
  return count === 1 ? "1 command" : `${count} commands`;
}

/** The signals that a daemon acts on. */
const SIGNALS = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"] as const;

/**
 * Signals in the order in which they came. To be made before anything is left
 * behind that a stop has to clear away.
 */
export class SignalQueue {
  readonly #came: Deno.Signal[] = [];
  #arrival = Promise.withResolvers<void>();

  constructor() {
    for (const signal of SIGNALS) {
      Deno.addSignalListener(signal, () => {
        this.#came.push(signal);
        this.#arrival.resolve();
        this.#arrival = Promise.withResolvers();
      });
    }
  }

  /**
   * Waits for a signal and takes it.
   *
   * @returns The one that came first.
   */
  async next(): Promise<Deno.Signal> {
    for (;;) {
      const signal = this.#came.shift();
      if (signal !== undefined) return signal;
      await this.#arrival.promise;
    }
  }

  /**
   * Takes all signals of a kind that have come.
   *
   * @param signal The kind.
   * @returns Whether there was one.
   */
  take(signal: Deno.Signal): boolean {
    const before = this.#came.length;
    const others = this.#came.filter((other) => other !== signal);
    this.#came.splice(0, before, ...others);
    return others.length < before;
  }

  /**
   * Waits for something, but not beyond a signal that ends the daemon.
   *
   * @param waited What is waited for.
   * @returns The signal, taken; `undefined` if none came before.
   */
  async fatalBefore(
    waited: Promise<unknown>,
  ): Promise<Deno.Signal | undefined> {
    let isOver = false;
    const over = waited.then(() => {
      isOver = true;
    });
    while (!isOver) {
      const fatal = this.#came.find((signal) => signal !== "SIGHUP");
      if (fatal !== undefined) {
        this.#came.splice(this.#came.indexOf(fatal), 1);
        return fatal;
      }
      await Promise.race([over, this.#arrival.promise]);
    }
    return undefined;
  }
}
