/**
 * What counts as one client: the addresses of one network, of a length that
 * the administrator sets; and on unix sockets, which have no addresses, a user.
 *
 * @module
 */

import type { Client } from "../posix/client.ts";
import { networkOf } from "../posix/ip_address.ts";

/** Tells one client from another, and is cheap to compare. */
export type ClientKey = number | string;

/** How many bits of an address tell one client from another. */
export interface PrefixLengths {
  readonly inet4: number;
  readonly inet6: number;
}

/**
 * Makes the key of a client.
 *
 * @param client The client.
 * @param lengths What counts as one client.
 * @returns The key; that of all who are not known is one.
 */
export function clientKey(client: Client, lengths: PrefixLengths): ClientKey {
  if (client.kind === "unknown") return "unknown";
  if (client.kind === "unix") return `uid ${client.uid}`;
  const { address } = client;
  if (address.length > 1) return networkOf(address, lengths.inet6).join();
  // As a number, which costs nothing to make.
  return networkOf(address, lengths.inet4)[0] ?? 0;
}
