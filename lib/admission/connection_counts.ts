/**
 * How many connections each client has. Only clients that have one are kept, so
 * that there are never more of them than connections.
 *
 * @module
 */

import type { ClientKey } from "./client_key.ts";

/** The numbers. */
export class ConnectionCounts {
  readonly #counts = new Map<ClientKey, number>();

  /** How many clients have connections. */
  get size(): number {
    return this.#counts.size;
  }

  /**
   * Counts a connection of a client's, unless it has as many as it may.
   *
   * @param client The client.
   * @param limit How many it may have.
   * @returns Whether it was counted.
   */
  add(client: ClientKey, limit: number): boolean {
    const count = this.#counts.get(client) ?? 0;
    if (count >= limit) return false;
    this.#counts.set(client, count + 1);
    return true;
  }

  /** Gives back what was counted once. */
  giveBack(client: ClientKey): void {
    const count = this.#counts.get(client) ?? 0;
    if (count > 1) this.#counts.set(client, count - 1);
    else this.#counts.delete(client);
  }
}
