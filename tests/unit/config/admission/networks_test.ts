import { assertEquals } from "@std/assert";
import {
  type AddressRange,
  inBoth,
  othersThan,
  parseNetwork,
} from "../../../../lib/config/admission/networks.ts";
import { formatIpAddress } from "../../../../lib/posix/ip_address.ts";

function network(text: string): AddressRange {
  const read = parseNetwork(text);
  if (!read.ok) throw new Error(read.wrong);
  return read.value;
}

function shown({ first, last }: AddressRange): string {
  return `${formatIpAddress(first)}-${formatIpAddress(last)}`;
}

Deno.test("parseNetwork() takes every form that Postfix takes", () => {
  const rows = {
    "192.0.2.1": "192.0.2.1-192.0.2.1",
    "192.0.2.0/24": "192.0.2.0-192.0.2.255",
    "0.0.0.0/0": "0.0.0.0-255.255.255.255",
    "[192.0.2.0]/24": "192.0.2.0-192.0.2.255",
    "[::1]": "::1-::1",
    "::1": "::1-::1",
    "[2001:db8::]/32": "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "[2001:db8::/32]": "2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "::/0": "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  };
  for (const [text, expected] of Object.entries(rows)) {
    assertEquals(shown(network(text)), expected, text);
  }
});

Deno.test("parseNetwork() says what is wrong and how to mend it", () => {
  const rows: Record<string, readonly [string, string]> = {
    "192.0.2.1/24": [
      "not the first address of its network: 192.0.2.1/24",
      "write 192.0.2.0/24",
    ],
    "[2001:db8::1]/64": [
      "not the first address of its network: [2001:db8::1]/64",
      "write 2001:db8::/64",
    ],
    "192.0.2.0/33": [
      "bad network length: 192.0.2.0/33",
      "write a number from 0 to 32 after the slash",
    ],
    "::/129": [
      "bad network length: ::/129",
      "write a number from 0 to 128 after the slash",
    ],
    "192.0.2.0/8/8": [
      "bad network length: 192.0.2.0/8/8",
      "write a number from 0 to 32 after the slash",
    ],
    "192.0.2.0/": [
      "bad network length: 192.0.2.0/",
      "write a number from 0 to 32 after the slash",
    ],
    "::ffff:192.0.2.0/120": [
      "an IPv4 address in IPv6's form: ::ffff:192.0.2.0/120",
      "write 192.0.2.0/24",
    ],
    "[::ffff:192.0.2.1]": [
      "an IPv4 address in IPv6's form: [::ffff:192.0.2.1]",
      "write 192.0.2.1",
    ],
  };
  for (const [text, [wrong, mend]] of Object.entries(rows)) {
    assertEquals(parseNetwork(text), { ok: false, wrong, mend }, text);
  }
  for (
    const text of ["", "10", "[::1", "::1]", "[::/0]/0", "a.b"]
  ) {
    const read = parseNetwork(text);
    assertEquals(read.ok ? "" : read.wrong, `bad network: ${text}`);
  }
});

Deno.test("othersThan() gives all of the same kind that are not in a network", () => {
  const others = (text: string): string[] =>
    othersThan(network(text)).map(shown);
  assertEquals(others("10.0.0.0/8"), [
    "0.0.0.0-9.255.255.255",
    "11.0.0.0-255.255.255.255",
  ]);
  assertEquals(others("0.0.0.0/1"), ["128.0.0.0-255.255.255.255"]);
  assertEquals(others("255.255.255.255"), ["0.0.0.0-255.255.255.254"]);
  assertEquals(others("0.0.0.0/0"), []);
  assertEquals(others("0:0:1::/96"), [
    "::-::ffff:ffff:ffff:ffff:ffff",
    "::1:0:0:1:0:0-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  ]);
});

Deno.test("inBoth() gives what two sets share, of each kind by itself", () => {
  const some = ["10.0.0.0/8", "2001:db8::/32"].map(network);
  const shared = (...texts: string[]): string[] =>
    inBoth(some, texts.map(network)).map(shown);
  assertEquals(shared("10.1.0.0/16", "11.0.0.0/8"), ["10.1.0.0-10.1.255.255"]);
  assertEquals(shared("0.0.0.0/0"), ["10.0.0.0-10.255.255.255"]);
  assertEquals(shared("2001:db8::1", "::/128"), ["2001:db8::1-2001:db8::1"]);
  assertEquals(shared("::/0").length, 1);
});
