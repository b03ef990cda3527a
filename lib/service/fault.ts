/**
 * A fault that may last, such as a command that is missing or a process that
 * has no descriptors left: told when it begins, once a minute while it lasts,
 * and when it is over. Never once for each connection that meets it.
 *
 * @module
 */

import type { EventName } from "../log/formats.ts";
import type { Log } from "../log/log.ts";

/** How often a fault that lasts is told again. */
const REMIND_MS = 60_000;

/** What a fault is called. */
export interface FaultOptions {
  readonly log: Log;
  readonly event: EventName;
  /** The text while it lasts, from the reason. */
  readonly text: (reason: string) => string;
  /** The text when it is over, from the number of times that it was met. */
  readonly over: (count: number) => string;
  /** The clock, in milliseconds. */
  readonly now: () => number;
}

/** One kind of fault of one service. */
export class Fault {
  readonly #options: FaultOptions;
  #count = 0;
  #reason = "";
  #toldMs = 0;

  /** @param options What it is called. */
  constructor(options: FaultOptions) {
    this.#options = options;
  }

  /**
   * The fault was met.
   *
   * @param reason Why, in the system's words. A new reason is told at once.
   */
  met(reason: string): void {
    const { log, event, text, now } = this.#options;
    this.#count++;
    const known = reason === this.#reason;
    if (known && now() - this.#toldMs < REMIND_MS) return;
    this.#reason = reason;
    this.#toldMs = now();
    log.warning(event, text(reason), { reason, count: this.#count });
  }

  /** What the fault prevented has gone well. */
  over(): void {
    if (this.#count === 0) return;
    const { log, event, over } = this.#options;
    log.info(`${event}-over`, over(this.#count), { count: this.#count });
    this.#count = 0;
    this.#reason = "";
  }
}
