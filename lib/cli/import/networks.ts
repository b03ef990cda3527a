/**
 * Networks of foreign configurations, as mynetworks and cidr_table(5) write
 * them.
 *
 * @module
 */

import { parseHost } from "../../config/inet_name.ts";
import { parseCount } from "../../config/values.ts";

/** A network, or a single address. */
export interface Network {
  readonly address: string;
  readonly prefixBits: number;
  readonly isInet6: boolean;
}

/** Everybody. */
export const ALL_NETWORKS: readonly Network[] = [
  { address: "0.0.0.0", prefixBits: 0, isInet6: false },
  { address: "::", prefixBits: 0, isInet6: true },
];

const INET4_BITS = 32;
const INET6_BITS = 128;

/**
 * Makes a network of the leading numbers of an IPv4 address.
 *
 * @param numbers One to four of them.
 * @returns The network.
 */
export function networkOfNumbers(numbers: readonly number[]): Network {
  const padded = [...numbers, 0, 0, 0, 0].slice(0, 4);
  return {
    address: padded.join("."),
    prefixBits: 8 * numbers.length,
    isInet6: false,
  };
}

/**
 * Reads the numbers of an IPv4 address or of its beginning.
 *
 * @param text Numbers with dots between them.
 * @returns The numbers; `undefined` if one is none.
 */
export function readNumbers(text: string): number[] | undefined {
  const numbers = text.split(".").map((part) =>
    /^(?:0|[1-9]\d{0,2})$/.test(part) ? parseCount(part, 255) : undefined
  );
  const known = numbers.filter((number) => number !== undefined);
  return known.length === numbers.length && known.length <= 4
    ? known
    : undefined;
}

/**
 * Reads an address with the length of its network, or alone.
 *
 * @param text As `1.2.3.4/24` or `2001:db8::/32`.
 * @returns The network, of which the address is the first; `undefined` if it is
 * none.
 */
export function readNetwork(text: string): Network | undefined {
  const [written = "", length, ...more] = text.split("/");
  if (more.length > 0) return undefined;
  const host = parseHost(written);
  if (host?.kind !== "address" || host.address.includes("%")) return undefined;
  const isInet6 = host.address.includes(":");
  const bits = isInet6 ? INET6_BITS : INET4_BITS;
  const prefixBits = length === undefined ? bits : parseCount(length, bits);
  if (prefixBits === undefined) return undefined;
  const address = isInet6
    ? firstOfInet6(host.address, prefixBits)
    : firstOfInet4(host.address, prefixBits);
  return { address, prefixBits, isInet6 };
}

function firstOfInet4(address: string, prefixBits: number): string {
  return address.split(".").map((part, at) =>
    Number(part) & mask(prefixBits - 8 * at, 8)
  ).join(".");
}

function firstOfInet6(address: string, prefixBits: number): string {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (high = "", low = ""): string =>
    ((Number(high) << 8) | Number(low)).toString(16);
  const text = dotted === null
    ? address
    : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`;
  const [before = "", after] = text.split("::");
  const left = before === "" ? [] : before.split(":");
  const right = after === undefined || after === "" ? [] : after.split(":");
  const zeros = Array(8 - left.length - right.length).fill("0");
  const words = [...left, ...after === undefined ? [] : zeros, ...right];
  const first = words.map((word, at) =>
    (parseInt(word, 16) & mask(prefixBits - 16 * at, 16)).toString(16)
  ).join(":");
  const shortest = parseHost(first);
  return shortest?.kind === "address" ? shortest.address : first;
}

/** The leading bits of a part of an address. */
function mask(leading: number, width: number): number {
  const kept = Math.max(0, Math.min(width, leading));
  const all = (1 << width) - 1;
  return all & ~(all >> kept);
}

/**
 * Writes a network as cidr_table(5) has it.
 *
 * @param network The network.
 * @returns The address, with the length where it is not a single one.
 */
export function writeCidr({ address, prefixBits, isInet6 }: Network): string {
  const isSingle = prefixBits === (isInet6 ? INET6_BITS : INET4_BITS);
  return isSingle ? address : `${address}/${prefixBits}`;
}

/**
 * Writes a network as mynetworks has it.
 *
 * @param network The network.
 * @returns The same, with IPv6 in brackets.
 */
export function writeListed(network: Network): string {
  const { address, prefixBits, isInet6 } = network;
  return isInet6 ? `[${address}]/${prefixBits}` : writeCidr(network);
}
