/**
 * Until when each of many may run, with one timer for all of them.
 *
 * Those with the same limit come to their ends in the order of their starts,
 * so that there is a queue for each limit and nothing to sort. As a rule there
 * is one; a reload that changes a limit makes it two for a time.
 *
 * @module
 */

import { type Timer, TIMER_MAX_MS } from "../timer.ts";

/** A queue by its limit. */
type Queue<T> = Map<T, { readonly deadlineMs: number }>;

/** From when on, and for how long. */
export interface Limited {
  /** In milliseconds of `performance.now()`. */
  readonly startedMs: number;
  readonly limitMs: number;
}

/** A set whose members have their time. */
export class Deadlines<T> {
  readonly #expired: (item: T) => void;
  readonly #queues = new Map<number, Queue<T>>();
  #timer: Timer | undefined;
  /** When the timer fires. */
  #timerMs = Infinity;

  /**
   * @param expired Called when the time of a member is up; by then it is none
   * any more.
   */
  constructor(expired: (item: T) => void) {
    this.#expired = expired;
  }

  /** How many members there are. */
  get size(): number {
    let size = 0;
    for (const queue of this.#queues.values()) size += queue.size;
    return size;
  }

  /** The members with their limits. */
  *entries(): Generator<readonly [item: T, limitMs: number]> {
    for (const [limitMs, queue] of this.#queues) {
      for (const item of queue.keys()) yield [item, limitMs];
    }
  }

  /**
   * Takes a member in; of the same limit in the order of their starts.
   *
   * @param item The member.
   * @param limited Its time.
   */
  add(item: T, { startedMs, limitMs }: Limited): void {
    let queue = this.#queues.get(limitMs);
    if (queue === undefined) this.#queues.set(limitMs, queue = new Map());
    const deadlineMs = startedMs + limitMs;
    queue.set(item, { deadlineMs });
    // One that was removed keeps its timer, for this costs every connection.
    if (deadlineMs < this.#timerMs) this.#arm(deadlineMs);
  }

  /**
   * Takes a member out.
   *
   * @param item The member.
   * @returns Whether it was one.
   */
  delete(item: T): boolean {
    for (const queue of this.#queues.values()) {
      if (queue.delete(item)) return true;
    }
    return false;
  }

  /** Stops the timer, where there is no member any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerMs = Infinity;
  }

  #arm(deadlineMs: number): void {
    clearTimeout(this.#timer);
    const leftMs = deadlineMs - performance.now();
    const delayMs = Math.min(Math.max(0, Math.ceil(leftMs)), TIMER_MAX_MS);
    this.#timer = setTimeout(() => this.#look(), delayMs);
    this.#timerMs = deadlineMs;
  }

  #look(): void {
    this.stop();
    const nowMs = performance.now();
    let nextMs = Infinity;
    for (const [limitMs, queue] of this.#queues) {
      for (const [item, { deadlineMs }] of queue) {
        if (deadlineMs > nowMs) {
          nextMs = Math.min(nextMs, deadlineMs);
          break;
        }
        queue.delete(item);
        this.#expired(item);
      }
      if (queue.size === 0) this.#queues.delete(limitMs);
    }
    if (nextMs < Infinity) this.#arm(nextMs);
  }
}
