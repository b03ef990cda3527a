/**
 * Names of inet services at random: good ones, slips, and noise; and the hosts
 * and ports that they may name.
 *
 * @module
 */

import type { Random } from "./random.ts";

/** The hosts there are, with their addresses in the order of the resolver. */
export const HOSTS: Readonly<Record<string, readonly string[]>> = {
  "localhost": ["127.0.0.1"],
  "127.1": ["127.0.0.1"],
  "two.example": ["127.0.0.2"],
  "both": ["::1", "127.0.0.3"],
  "six_6": ["::1"],
  "a-b.c--d.example": ["127.0.0.4"],
  "1a": ["127.0.0.5"],
};

/** What a name that services(5) has for a port begins with. */
export const SERVICE_PREFIX = "svc";

/** What a name that known_tcp_ports has for a port begins with. */
export const KNOWN_PREFIX = "known-";

const GOOD_HOSTS = [
  "LOCALHOST",
  "Two.Example",
  "127.0.0.1",
  "127.0.0.2",
  "127.000.0.1",
  "127.010.00.0001",
  "0.0.0.0",
  "00.0.0.0",
  "::1",
  "::",
  "0:0:0:0:0:0:0:1",
  "0::1",
  "::0001",
  "0:0::0:1",
] as const;

const BAD_HOSTS = [
  "0",
  "127.1",
  "1.2.3",
  "0.1.2.3",
  "127.0.0.08",
  "127.0.0.256",
  "127.0.0.1.",
  ".127.0.0.1",
  "127..0.1",
  "1.2.3.4.5",
  "-a",
  "a-",
  "a-.b",
  "a..b",
  ".a",
  "a.",
  "1-2",
  "12",
  "no.example",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::1%",
  ":1",
  "1:",
  "::1::",
  ":::1",
  "::00001",
  "1:2:3:4:5:6:7:8:9",
  "::g",
  "\u00c3\u00a9",
  "a/b",
  "a@b",
  "*",
  "%",
] as const;

const PIECES = [
  "[",
  "]",
  ":",
  "::",
  ".",
  "-",
  "a",
  "_",
  "0x7f",
  "ipv6:",
] as const;

/**
 * Makes a name.
 *
 * @param random What it follows from.
 * @param port A port that no other has.
 * @param hosts Those of {@linkcode HOSTS} that it may have.
 */
export function randomName(
  random: Random,
  port: number,
  hosts: readonly string[],
): string {
  if (random.chance(8)) return noise(random);
  const text = portText(random, port);
  if (random.chance(15)) return random.chance(50) ? text : `:${text}`;
  const host = random.chance(85)
    ? random.of<string>([...GOOD_HOSTS, ...hosts])
    : random.of(BAD_HOSTS);
  const shown = random.chance(55)
    ? host
    : random.chance(80)
    ? `[${host}]`
    : `[${random.of(["ipv6:", "IPv6:", "IPV6:", "ipv4:"])}${host}]`;
  // Without any, the port would be another where a host ends as ports do: some
  // other case's, or above 65535.
  const slips = ["::", ";", "]:"] as const;
  const missing = /:.*[^\]]$|^\d+$/.test(shown) ? [] : [""];
  const colon = random.chance(97) ? ":" : random.of([...slips, ...missing]);
  return `${shown}${colon}${text}`;
}

function portText(random: Random, port: number): string {
  if (random.chance(60)) return `${port}`;
  if (random.chance(10)) {
    return random.of([
      `${port}x`,
      `-${port}`,
      "",
      "no-such",
      `${port}:`,
      "++1",
    ]);
  }
  return random.of([
    `0${port}`,
    `000${port}`,
    `+${port}`,
    `${SERVICE_PREFIX}${port}`,
    `${KNOWN_PREFIX}${port}`,
  ]);
}

function noise(random: Random): string {
  return random.some(1 + random.below(6), () => random.of(PIECES)).join("");
}
