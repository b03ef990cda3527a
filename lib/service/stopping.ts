/**
 * How a daemon comes to its end: by which signals, and what they see of it.
 *
 * @module
 */

import type { Log } from "../log/log.ts";
import type { Service } from "./service.ts";

/** How often a terminal is told how many commands are left. */
const TELL_LEFT_MS = 1000;

/** What is served, and what becomes of it. */
export interface StoppingOptions {
  readonly services: readonly Service[];
  readonly log: Log;
  readonly signals: SignalQueue;
  /**
   * What SIGHUP does: it starts a successor, and tells whether that serves
   * now. Without, there is nothing to reload.
   */
  readonly handOver: (() => Promise<boolean>) | undefined;
}

/**
 * Serves until a signal ends it. SIGTERM lets commands finish; a second one,
 * or SIGINT or SIGQUIT, ends them. SIGHUP hands over to a successor, and lets
 * commands finish as well.
 *
 * @param options What is served.
 * @returns When the last command has ended after a signal.
 */
export async function untilStopped(
  { services, log, signals, handOver }: StoppingOptions,
): Promise<void> {
  let first = await signals.next();
  let heir = false;
  while (first === "SIGHUP" && !heir) {
    if (handOver === undefined) {
      log.info("hangup", "SIGHUP ignored: there is no configuration to reload");
    } else heir = await handOver();
    if (!heir) first = await signals.next();
  }
  const left = () => services.reduce((sum, { count }) => sum + count, 0);
  const drained = Promise.all(services.map((service) => service.drain(heir)));
  log.info(
    "stopping",
    `${first}: no more connections are accepted${heir ? " here" : ""}, ` +
      `${commands(left())} left`,
    { signal: first, left: left() },
  );
  const teller = Deno.stderr.isTerminal()
    ? setInterval(() => {
      log.info("waiting", `${commands(left())} left`, { left: left() });
    }, TELL_LEFT_MS)
    : undefined;
  if (first === "SIGTERM" || heir) {
    await Promise.race([drained, signals.nextFatal()]);
  }
  await Promise.all(services.map((service) => service.terminate()));
  clearInterval(teller);
  log.info("stopped", "stopped");
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
  #waiting: ((signal: Deno.Signal) => void) | undefined;

  constructor() {
    for (const signal of SIGNALS) {
      Deno.addSignalListener(signal, () => {
        if (this.#waiting === undefined) this.#came.push(signal);
        else {
          this.#waiting(signal);
          this.#waiting = undefined;
        }
      });
    }
  }

  next(): Promise<Deno.Signal> {
    const signal = this.#came.shift();
    if (signal !== undefined) return Promise.resolve(signal);
    return new Promise((resolve) => this.#waiting = resolve);
  }

  /** The next signal that is not SIGHUP. */
  async nextFatal(): Promise<Deno.Signal> {
    for (;;) {
      const signal = await this.next();
      if (signal !== "SIGHUP") return signal;
    }
  }
}
