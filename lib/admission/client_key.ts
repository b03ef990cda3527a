/**
 * What counts as one client: the addresses of one network, of a length that
 * the administrator sets; and on unix sockets, which have no addresses, a user.
 *
 * @module
 */

import type { Client } from "../posix/client.ts";
import { lastOf, networkOf } from "../posix/ip_address.ts";

/** Tells one client from another, and is cheap to compare. */
export type ClientKey = number | string;

/** How many bits of an address tell one client from another. */
export interface PrefixLengths {
  readonly inet4: number;
  readonly inet6: number;
}

/** Makes keys of clients. */
export class ClientKeys {
  readonly #inet4Mask: number;
  readonly #inet6: number;

  /** @param lengths What counts as one client. */
  constructor({ inet4, inet6 }: PrefixLengths) {
    const [hostBits = 0] = lastOf([0], inet4);
    this.#inet4Mask = ~hostBits;
    this.#inet6 = inet6;
  }

  /**
   * Makes the key of a client. That of most is a number, which costs nothing to
   * make.
   *
   * @param client The client.
   * @returns The key; that of all who are not known is one.
   */
  of(client: Client): ClientKey {
    if (client.kind === "inet") {
      const { address } = client;
      return address.length === 1
        ? ((address[0] ?? 0) & this.#inet4Mask) >>> 0
        : networkOf(address, this.#inet6).join();
    }
    return client.kind === "unix" ? `uid ${client.uid}` : "unknown";
  }
}
