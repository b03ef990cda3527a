/**
 * How often something happened within the last unit of time, in a window that
 * slides in steps of a thirtieth of it. What has begun a step counts for the
 * whole of it, so that there are never more events in any unit of time than the
 * limit says, and the last ones are given back a step late at the most.
 *
 * @module
 */

import type { ClientKey } from "./client_key.ts";

/** Steps of a window. */
const STEPS = 30;

/** One sequence of events. */
export class Rate {
  readonly #stepMs: number;
  /** The steps in which there were events, the oldest first, and how many. */
  readonly #steps: number[] = [];
  readonly #counts: number[] = [];
  #count = 0;

  /** @param unitMs The unit of time. */
  constructor(unitMs: number) {
    this.#stepMs = unitMs / STEPS;
  }

  /** How many events there were in the unit of time before a moment. */
  countAt(nowMs: number): number {
    const oldest = Math.floor(nowMs / this.#stepMs) - STEPS;
    while (this.#steps.length > 0 && (this.#steps[0] ?? 0) < oldest) {
      this.#steps.shift();
      this.#count -= this.#counts.shift() ?? 0;
    }
    return this.#count;
  }

  /** An event has happened. */
  add(nowMs: number): void {
    const step = Math.floor(nowMs / this.#stepMs);
    const last = this.#steps.length - 1;
    if (last >= 0 && (this.#steps[last] ?? 0) >= step) {
      this.#counts[last] = (this.#counts[last] ?? 0) + 1;
    } else {
      this.#steps.push(step);
      this.#counts.push(1);
    }
    this.#count++;
  }

  /** When the oldest events of the window will be out of it. */
  get nextMs(): number {
    const [oldest] = this.#steps;
    return oldest === undefined ? 0 : (oldest + STEPS + 1) * this.#stepMs;
  }
}

/** What bounds the rates of clients. */
export interface ClientRatesOptions {
  readonly unitMs: number;
  /** How many clients are remembered at the most. */
  readonly clientsMax: number;
}

/**
 * The rates of clients. Where there are too many, those are forgotten that were
 * idle for the longest time.
 */
export class ClientRates {
  readonly #options: ClientRatesOptions;
  /** In the order in which they came the last time. */
  readonly #rates = new Map<ClientKey, Rate>();
  /** The last one of them. */
  #last: ClientKey | undefined;

  /** @param options What bounds them. */
  constructor(options: ClientRatesOptions) {
    this.#options = options;
  }

  /** How many clients are remembered. */
  get size(): number {
    return this.#rates.size;
  }

  /**
   * Takes note of an event of a client, unless it had as many as it may have.
   *
   * @param client The client.
   * @param event When it is, and how many there may be.
   * @returns Whether it is one of those.
   */
  add(
    client: ClientKey,
    { nowMs, limit }: { readonly nowMs: number; readonly limit: number },
  ): boolean {
    const known = this.#rates.get(client);
    if (known === undefined) {
      const rate = new Rate(this.#options.unitMs);
      rate.add(nowMs);
      this.#rates.set(client, rate);
      this.#last = client;
      this.#forget(nowMs);
      return true;
    }
    // One that is refused is not idle: else it would have to be forgotten.
    if (this.#last !== client) {
      this.#rates.delete(client);
      this.#rates.set(client, known);
      this.#last = client;
    }
    if (known.countAt(nowMs) >= limit) return false;
    known.add(nowMs);
    return true;
  }

  /** The idle ones, and then as many more as are too many. */
  #forget(nowMs: number): void {
    for (const [client, rate] of this.#rates) {
      const isTooMany = this.#rates.size > this.#options.clientsMax;
      if (!isTooMany && rate.countAt(nowMs) > 0) return;
      this.#rates.delete(client);
    }
  }
}
