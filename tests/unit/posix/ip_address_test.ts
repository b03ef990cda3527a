import { assertEquals } from "@std/assert";
import {
  compareIpAddresses,
  formatIpAddress,
  type IpAddress,
  ipAddressOf,
  lastOf,
  networkOf,
  parseIpAddress,
} from "../../../lib/posix/ip_address.ts";

function parsed(text: string): IpAddress {
  const address = parseIpAddress(text);
  if (address === undefined) throw new Error(text);
  return address;
}

Deno.test("parseIpAddress() takes an address for its words", () => {
  assertEquals(parseIpAddress("192.0.2.255"), [0xc00002ff]);
  assertEquals(parseIpAddress("255.255.255.255"), [0xffffffff]);
  assertEquals(parseIpAddress("2001:db8::1:ff"), [0x20010db8, 0, 0, 0x100ff]);
  assertEquals(parseIpAddress("::"), [0, 0, 0, 0]);
  assertEquals(parseIpAddress("1::"), [0x10000, 0, 0, 0]);
  assertEquals(parseIpAddress("::1.2.3.4"), [0, 0, 0, 0x01020304]);
});

Deno.test("parseIpAddress() takes IPv4 in IPv6's form for the IPv4 that it is", () => {
  assertEquals(parseIpAddress("::ffff:192.0.2.1"), [0xc0000201]);
  assertEquals(parseIpAddress("::FFFF:c000:201"), [0xc0000201]);
});

Deno.test("parseIpAddress() takes nothing else", () => {
  for (
    const text of [
      "",
      "1.2.3",
      "1.2.3.4.5",
      "256.0.0.1",
      "01.2.3.4",
      "1.2.3.4 ",
      "0x1.2.3.4",
      ":::",
      "1:2",
      "1::2::3",
      "fe80::1%eth0",
      "[::1]",
      "::g",
      "::1]/[",
      "localhost",
    ]
  ) assertEquals(parseIpAddress(text), undefined, text);
});

Deno.test("formatIpAddress() writes what parseIpAddress() reads, in its shortest form", () => {
  const texts = ["0.0.0.0", "192.0.2.1", "::", "::1", "2001:db8:0:1::f"];
  for (const text of texts) {
    assertEquals(formatIpAddress(parsed(text)), text);
  }
});

Deno.test("ipAddressOf() reads an address in the order of the network", () => {
  const bytes = new Uint8Array([9, 192, 0, 2, 1, ...new Array(15).fill(7)]);
  const view = new DataView(bytes.buffer);
  assertEquals(ipAddressOf(view, { offset: 1, isInet6: false }), [0xc0000201]);
  const inet6 = ipAddressOf(view, { offset: 4, isInet6: true });
  assertEquals(inet6, [0x01070707, 0x07070707, 0x07070707, 0x07070707]);
});

Deno.test("networkOf() and lastOf() give the ends of a network of any length", () => {
  const ends = (text: string, length: number): string[] => [
    formatIpAddress(networkOf(parsed(text), length)),
    formatIpAddress(lastOf(parsed(text), length)),
  ];
  assertEquals(ends("192.0.2.77", 24), ["192.0.2.0", "192.0.2.255"]);
  assertEquals(ends("192.0.2.77", 0), ["0.0.0.0", "255.255.255.255"]);
  assertEquals(ends("192.0.2.77", 32), ["192.0.2.77", "192.0.2.77"]);
  assertEquals(ends("192.0.2.77", 31), ["192.0.2.76", "192.0.2.77"]);
  assertEquals(ends("2001:db8:1::5", 33), [
    "2001:db8::",
    "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff",
  ]);
  assertEquals(ends("2001:db8::5", 128), ["2001:db8::5", "2001:db8::5"]);
});

Deno.test("compareIpAddresses() knows that no word is negative", () => {
  const order = ["0.0.0.1", "127.255.255.255", "128.0.0.0", "255.0.0.0"];
  const shuffled = [...order].reverse().map(parsed).sort(compareIpAddresses);
  assertEquals(shuffled.map(formatIpAddress), order);
  const six = ["::1", "::8000:0", "1::", "8000::", "ffff::"];
  assertEquals(
    [...six].reverse().map(parsed).sort(compareIpAddresses)
      .map(formatIpAddress),
    six,
  );
});
