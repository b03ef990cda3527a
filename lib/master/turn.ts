/**
 * How long a process below master(8) serves: a number of connections, or a
 * time without one. Then it ends, and master starts another when there is a
 * client; so changes of the configuration are taken up without a signal.
 *
 * @module
 */

import { TIMER_MAX_MS } from "../timer.ts";

/** Why a turn is over. */
export type TurnEnd = "idle" | "served" | "overdue" | "retired" | "disconnect";

/** What bounds a turn. */
export interface TurnOptions {
  /**
   * Connections after which the process ends at the first moment without a
   * running command; at twice as many it accepts no more. 0 for no limit.
   */
  readonly connections: number;
  /** Time without a connection; 0 for no limit. */
  readonly idleMs: number;
  /** Time in all, after which it ends at the first moment without a command. */
  readonly retireMs: number | undefined;
  /** Called once. */
  readonly over: (why: TurnEnd) => void;
  /** The clock, in milliseconds. */
  readonly now: () => number;
}

/** A turn, from the moment when the process begins to accept. */
export class Turn {
  readonly #options: TurnOptions;
  readonly #begunMs: number;
  #served = 0;
  #running = 0;
  #idleSinceMs: number;
  #isLeaving = false;
  #isOver = false;

  /** @param options What bounds it. */
  constructor(options: TurnOptions) {
    this.#options = options;
    this.#begunMs = this.#idleSinceMs = options.now();
    this.#wait();
  }

  /** How many more connections may be accepted until it is over at once. */
  get room(): number {
    const { connections } = this.#options;
    // One that leaves cannot ask master for another in its place.
    if (this.#isLeaving || connections === 0) return Infinity;
    return 2 * connections - this.#served;
  }

  /** A connection was accepted and its command runs. */
  started(): void {
    this.#running++;
    this.#served++;
    if (this.room <= 0) this.#end("overdue");
  }

  /**
   * Goes on with commands that a former image of this process has started.
   *
   * @param commands How many.
   */
  resume(commands: number): void {
    this.#running += commands;
  }

  /**
   * Master begins anew, with a new configuration: the turn is over at the first
   * moment without a running command. Until then this process is the only one
   * that takes connections, for master counts on it while it is there.
   */
  leave(): void {
    this.#isLeaving = true;
    if (this.#running === 0) this.#end("disconnect");
  }

  /** A command has ended. */
  ended(): void {
    this.#running--;
    if (this.#running > 0) return;
    this.#idleSinceMs = this.#options.now();
    const { connections } = this.#options;
    if (this.#isLeaving) this.#end("disconnect");
    else if (connections > 0 && this.#served >= connections) {
      this.#end("served");
    } else if (this.#isRetired()) this.#end("retired");
  }

  /**
   * One timer, for the earliest moment at which time could be up: one that was
   * set anew for each connection would cost every connection.
   */
  #wait(): void {
    const { idleMs, retireMs, now } = this.#options;
    const ends = [
      ...idleMs > 0 ? [this.#idleSinceMs + idleMs] : [],
      // Once that is past, the end of the last command is what is awaited.
      ...retireMs !== undefined && !this.#isRetired()
        ? [this.#begunMs + retireMs]
        : [],
    ];
    if (ends.length === 0) return;
    const leftMs = Math.min(...ends) - now();
    // A command that runs keeps the process from being idle for a while yet.
    const delayMs = leftMs > 0 ? Math.ceil(leftMs) : Math.max(idleMs, 1);
    setTimeout(() => this.#look(), Math.min(delayMs, TIMER_MAX_MS));
  }

  #look(): void {
    if (this.#isOver) return;
    const { idleMs, now } = this.#options;
    if (this.#running === 0) {
      if (this.#isRetired()) return this.#end("retired");
      if (idleMs > 0 && now() - this.#idleSinceMs >= idleMs) {
        return this.#end("idle");
      }
    }
    this.#wait();
  }

  #isRetired(): boolean {
    const { retireMs, now } = this.#options;
    return retireMs !== undefined && now() - this.#begunMs >= retireMs;
  }

  #end(why: TurnEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.over(why);
  }
}
