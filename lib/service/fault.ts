/**
 * A fault that may last, such as a command that is missing or a process that
 * has no descriptors left: told when it begins, once a minute while it lasts or
 * comes and goes, and when it is over. Never for each connection that meets it.
 *
 * @module
 */

import type { Log } from "../log/log.ts";

/** How often a fault that lasts, or comes and goes, is told again. */
const REMIND_MS = 60_000;

/** More reasons than the system has for one kind of fault. */
const REASONS_MAX = 32;

/** What a fault is called. */
export interface FaultOptions {
  readonly log: Log;
  readonly event: "accept-failed" | "resting" | "restarts" | "start-failed";
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
  /** When each reason was told last. */
  readonly #toldMs = new Map<string, number>();
  #count = 0;
  /** Whether it was told, and its end was not. */
  #told = false;

  /** @param options What it is called. */
  constructor(options: FaultOptions) {
    this.#options = options;
  }

  /**
   * The fault was met.
   *
   * @param reason Why, in the system's words.
   */
  met(reason: string): void {
    const { log, event, text, now } = this.#options;
    this.#count++;
    const toldMs = this.#toldMs.get(reason);
    const nowMs = now();
    if (toldMs !== undefined && nowMs - toldMs < REMIND_MS) return;
    if (this.#toldMs.size >= REASONS_MAX) this.#toldMs.clear();
    this.#toldMs.set(reason, nowMs);
    this.#told = true;
    log.warning(event, text(reason), { reason, count: this.#count });
  }

  /** How often it was met, where that was told and its end was not. */
  get count(): number {
    return this.#told ? this.#count : 0;
  }

  /**
   * Goes on where a former image of this process was: its end is still to be
   * told. What the fault's reason is by now will be told anew.
   *
   * @param count How often it was met; 0 for none.
   */
  resume(count: number): void {
    this.#count = count;
    this.#told = count > 0;
  }

  /** What the fault prevented has gone well. */
  over(): void {
    if (!this.#told) return;
    const { log, event, over } = this.#options;
    log.info(`${event}-over`, over(this.#count), { count: this.#count });
    this.#count = 0;
    this.#told = false;
  }
}
