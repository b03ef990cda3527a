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

  /** Gives a client's number. */
  of(client: ClientKey): number {
    return this.#counts.get(client) ?? 0;
  }

  /** Counts a connection of a client's. */
  add(client: ClientKey): void {
    this.#counts.set(client, this.of(client) + 1);
  }

  /** Gives back what was counted once. */
  giveBack(client: ClientKey): void {
    const count = this.of(client) - 1;
    if (count > 0) this.#counts.set(client, count);
    else this.#counts.delete(client);
  }
}
