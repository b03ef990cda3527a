/**
 * IPv4 addresses in IPv6's form, ::ffff:0:0/96: how an IPv6 socket shows the
 * clients of an IPv4 address. RFC 4291, 2.5.5.2.
 *
 * @module
 */

const PREFIX = "::ffff:";

/** The same, as the first bytes of an address. */
const PREFIX_BYTES: readonly number[] = [
  ...Array.from({ length: 10 }, () => 0),
  ...[0xff, 0xff],
];

/**
 * Finds the IPv4 address that an IPv6 one only wraps.
 *
 * @param address An IPv6 address in its shortest form, its last 32 bits in
 * either notation.
 * @returns The IPv4 address, or `undefined` if it is none.
 */
export function mappedInet4(address: string): string | undefined {
  if (!address.startsWith(PREFIX)) return undefined;
  const rest = address.slice(PREFIX.length);
  if (rest.includes(".")) return rest;
  const words = rest.split(":").map((group) => parseInt(group, 16));
  return words.length === 2
    ? words.flatMap((word) => [word >> 8, word & 0xff]).join(".")
    : undefined;
}

/**
 * The same for an address as the kernel has it.
 *
 * @param address The 16 bytes of an IPv6 address.
 * @returns The IPv4 address, or `undefined` if it is none.
 */
export function mappedInet4Of(
  address: Uint8Array<ArrayBuffer>,
): string | undefined {
  return PREFIX_BYTES.every((byte, index) => address[index] === byte)
    ? address.subarray(PREFIX_BYTES.length).join(".")
    : undefined;
}

/**
 * Writes an IPv4 address in IPv6's form.
 *
 * @param inet4 The IPv4 address.
 * @returns The IPv6 address, with the IPv4 one to be read in it.
 */
export function mapInet4(inet4: string): string {
  return PREFIX + inet4;
}
