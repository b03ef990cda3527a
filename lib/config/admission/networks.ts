/**
 * Networks as mynetworks and cidr_table(5) write them, and sets of addresses
 * made of them.
 *
 * @module
 */

import {
  compareIpAddresses,
  formatIpAddress,
  type IpAddress,
  lastOf,
  networkOf,
  parseIpAddress,
  WORD_BITS,
} from "../../posix/ip_address.ts";
import type { Parsed } from "../values.ts";

/** Addresses of one kind, from one to another, both included. */
export interface AddressRange {
  readonly first: IpAddress;
  readonly last: IpAddress;
}

const EXAMPLES = "write 192.0.2.1, 192.0.2.0/24 or [2001:db8::]/32";

/** A network, or one address: in brackets with or without its length. */
const NETWORK = /^(?:\[([^\]/]*)(?:\/([^\]]*))?\]|([^[\]/]*))(?:\/(.*))?$/;

/**
 * Reads a network.
 *
 * @param text `ADDRESS` or `ADDRESS/LENGTH`, an address of IPv6 with brackets
 * around it or without.
 * @returns Its addresses; or what is wrong.
 *
 * @example
 * ```ts
 * parseNetwork("192.0.2.0/24");
 * // { ok: true, value: { first: [0xc0000200], last: [0xc00002ff] } }
 * ```
 */
export function parseNetwork(text: string): Parsed<AddressRange> {
  const match = NETWORK.exec(text);
  const [, bracketed, inner, plain, outer] = match ?? [];
  if (match === null || inner !== undefined && outer !== undefined) {
    return { ok: false, wrong: `bad network: ${text}`, mend: EXAMPLES };
  }
  const written = bracketed ?? plain ?? "";
  const address = parseIpAddress(written);
  if (address === undefined) {
    return { ok: false, wrong: `bad network: ${text}`, mend: EXAMPLES };
  }
  const bits = address.length * WORD_BITS;
  const lengthText = inner ?? outer;
  if (written.includes(":") && address.length === 1) {
    return mappedNetwork(text, address, lengthText);
  }
  if (lengthText === undefined) {
    return { ok: true, value: { first: address, last: address } };
  }
  if (!/^\d{1,3}$/.test(lengthText) || Number(lengthText) > bits) {
    return {
      ok: false,
      wrong: `bad network length: ${text}`,
      mend: `write a number from 0 to ${bits} after the slash`,
    };
  }
  const length = Number(lengthText);
  const first = networkOf(address, length);
  if (compareIpAddresses(first, address) !== 0) {
    return {
      ok: false,
      wrong: `not the first address of its network: ${text}`,
      mend: `write ${formatIpAddress(first)}/${length}`,
    };
  }
  return { ok: true, value: { first, last: lastOf(address, length) } };
}

const MAPPED_PREFIX_BITS = 96;

/** Clients over IPv4 have their IPv4 addresses, on whatever socket they come. */
function mappedNetwork(
  text: string,
  address: IpAddress,
  lengthText: string | undefined,
): Parsed<AddressRange> {
  const length = Number(lengthText) - MAPPED_PREFIX_BITS;
  const network = length >= 0
    ? `${formatIpAddress(address)}/${length}`
    : formatIpAddress(address);
  return {
    ok: false,
    wrong: `an IPv4 address in IPv6's form: ${text}`,
    mend: `write ${network}`,
  };
}

/**
 * Gives all addresses of the same kind that are not in a range.
 *
 * @param range The range.
 * @returns What is before it and what is behind it, if there is any.
 */
export function othersThan({ first, last }: AddressRange): AddressRange[] {
  const lowest = networkOf(first, 0);
  const highest = lastOf(first, 0);
  return [
    ...compareIpAddresses(first, lowest) > 0
      ? [{ first: lowest, last: neighbour(first, -1) }]
      : [],
    ...compareIpAddresses(last, highest) < 0
      ? [{ first: neighbour(last, 1), last: highest }]
      : [],
  ];
}

/** The address before another, or behind it, which must not be the last one. */
function neighbour(address: IpAddress, step: 1 | -1): IpAddress {
  const words = [...address];
  for (let index = words.length - 1; index >= 0; index--) {
    const word = (words[index] ?? 0) + step;
    words[index] = word >>> 0;
    if (word >= 0 && word < 2 ** WORD_BITS) break;
  }
  return words;
}

/**
 * Gives the addresses that are in two sets.
 *
 * @param some The ranges of the one.
 * @param others The ranges of the other; those of another kind count for none.
 * @returns The ranges of what they share.
 */
export function inBoth(
  some: readonly AddressRange[],
  others: readonly AddressRange[],
): AddressRange[] {
  return some.flatMap((one) =>
    others.flatMap((other) => {
      if (one.first.length !== other.first.length) return [];
      const first = compareIpAddresses(one.first, other.first) > 0
        ? one.first
        : other.first;
      const last = compareIpAddresses(one.last, other.last) < 0
        ? one.last
        : other.last;
      return compareIpAddresses(first, last) <= 0 ? [{ first, last }] : [];
    })
  );
}
