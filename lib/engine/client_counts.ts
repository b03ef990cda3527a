/**
 * How many connections each client has, for commands that are told so.
 *
 * @module
 */

/** What tells a client from others; `undefined` where nothing does. */
export type ClientKey = number | string | undefined;

/** The connections of clients. */
export class ClientCounts {
  readonly #counts = new Map<ClientKey, number>();

  /**
   * Counts a connection.
   *
   * @param client Whose it is.
   * @returns How many the client has with it.
   */
  came(client: ClientKey): number {
    if (client === undefined) return 1;
    const count = (this.#counts.get(client) ?? 0) + 1;
    this.#counts.set(client, count);
    return count;
  }

  /**
   * Counts a connection no more.
   *
   * @param client Whose it was.
   */
  left(client: ClientKey): void {
    const count = this.#counts.get(client);
    if (count === undefined) return;
    if (count > 1) this.#counts.set(client, count - 1);
    else this.#counts.delete(client);
  }
}
