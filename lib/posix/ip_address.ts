/**
 * IP addresses as numbers, for whatever compares them: in words of 32 bits, so
 * that no comparison needs more than a machine's own numbers. An IPv4 address
 * is one word. What IPv6 writes as an IPv4 address (`::ffff:192.0.2.1`) is that
 * IPv4 address.
 *
 * @module
 */

/** One word or four, the highest first. */
export type IpAddress = readonly number[];

/** How many bits a word has. */
export const WORD_BITS = 32;

const INET4_WORDS = 1;
const INET6_WORDS = 4;
const GROUPS = 8;

/** The third word of an IPv4 address in IPv6's form. */
const MAPPED_WORD = 0xffff;

/**
 * Reads an address from a `struct sockaddr`'s bytes, which are in the order of
 * the network.
 *
 * @param view The bytes.
 * @param offset Where the address begins.
 * @param isInet6 Whether it has 16 bytes, and not 4.
 * @returns The address.
 */
export function ipAddressOf(
  view: DataView,
  { offset, isInet6 }: { offset: number; isInet6: boolean },
): IpAddress {
  if (!isInet6) return [view.getUint32(offset)];
  return unmapped([
    view.getUint32(offset),
    view.getUint32(offset + 4),
    view.getUint32(offset + 8),
    view.getUint32(offset + 12),
  ]);
}

function unmapped(words: IpAddress): IpAddress {
  const [first, second, third, last = 0] = words;
  return first === 0 && second === 0 && third === MAPPED_WORD ? [last] : words;
}

/**
 * Reads an address as it is written. A leading zero means octal to some and
 * nothing to others, so there is none.
 *
 * @param text The text, without brackets and scope.
 * @returns The address; `undefined` if the text is none.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  return text.includes(":") ? parseInet6(text) : parseInet4(text);
}

const OCTET = /^(?:0|[1-9]\d{0,2})$/;
const OCTET_MAX = 255;
const OCTETS = 4;

function parseInet4(text: string): IpAddress | undefined {
  const octets = text.split(".");
  if (octets.length !== OCTETS) return undefined;
  let word = 0;
  for (const octet of octets) {
    if (!OCTET.test(octet) || Number(octet) > OCTET_MAX) return undefined;
    word = word * (OCTET_MAX + 1) + Number(octet);
  }
  return [word];
}

/** The URL parser knows every form, and writes the shortest. */
function parseInet6(text: string): IpAddress | undefined {
  if (!/^[\da-f:.]+$/i.test(text)) return undefined;
  const shortest = URL.parse(`http://[${text}]`)?.hostname.slice(1, -1);
  if (shortest === undefined) return undefined;
  const [head = [], tail = []] = shortest.split("::").map(groupsOf);
  const zeros = new Array<number>(GROUPS - head.length - tail.length).fill(0);
  const groups = [...head, ...zeros, ...tail];
  return unmapped(
    Array.from({ length: INET6_WORDS }, (_, word) => {
      const [high = 0, low = 0] = groups.slice(2 * word, 2 * word + 2);
      return high * 2 ** 16 + low;
    }),
  );
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
}

/**
 * Writes an address as a user would.
 *
 * @param address The address.
 * @returns `192.0.2.1` or `2001:db8::1`.
 */
export function formatIpAddress(address: IpAddress): string {
  const groups = address.flatMap((word) => [word >>> 16, word & 0xffff]);
  if (address.length === INET4_WORDS) {
    return groups.flatMap((group) => [group >>> 8, group & 0xff]).join(".");
  }
  const written = groups.map((group) => group.toString(16)).join(":");
  return new URL(`http://[${written}]`).hostname.slice(1, -1);
}

/**
 * Gives the network that an address is in.
 *
 * @param address The address.
 * @param prefixLength How many of its bits are the network's.
 * @returns The network's first address.
 */
export function networkOf(
  address: IpAddress,
  prefixLength: number,
): IpAddress {
  return address.map((word, index) =>
    (word & wordMask(prefixLength - index * WORD_BITS)) >>> 0
  );
}

/**
 * Gives the last address of a network.
 *
 * @param address An address of it.
 * @param prefixLength How many of its bits are the network's.
 * @returns The address.
 */
export function lastOf(address: IpAddress, prefixLength: number): IpAddress {
  return address.map((word, index) =>
    (word | ~wordMask(prefixLength - index * WORD_BITS)) >>> 0
  );
}

/** A word whose first bits are ones. */
function wordMask(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= WORD_BITS ? -1 : -1 << (WORD_BITS - bits);
}

/**
 * Tells which of two addresses of one kind is the higher one.
 *
 * @param a One.
 * @param b The other.
 * @returns Less than 0, 0, or more, as sorting has it.
 */
export function compareIpAddresses(a: IpAddress, b: IpAddress): number {
  for (let index = 0; index < a.length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
