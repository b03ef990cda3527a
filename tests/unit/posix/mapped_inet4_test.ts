import { assertEquals } from "@std/assert";
import {
  mapInet4,
  mappedInet4,
  mappedInet4Of,
} from "../../../lib/posix/mapped_inet4.ts";

Deno.test("mappedInet4() finds what IPv6 only wraps, in either notation", () => {
  const rows: Record<string, string | undefined> = {
    "::ffff:127.0.0.1": "127.0.0.1",
    "::ffff:7f00:1": "127.0.0.1",
    "::ffff:0:0": "0.0.0.0",
    "::1": undefined,
    "::ffff:1": undefined,
    "::ffff:1:2:3": undefined,
    "64:ff9b::7f00:1": undefined,
    "127.0.0.1": undefined,
  };
  for (const [address, expected] of Object.entries(rows)) {
    assertEquals(mappedInet4(address), expected, address);
  }
});

Deno.test("mappedInet4Of() finds the same in an address's bytes", () => {
  const wrapped = new Uint8Array(16);
  wrapped.set([0xff, 0xff, 192, 0, 2, 1], 10);
  assertEquals(mappedInet4Of(wrapped), "192.0.2.1");
  for (const index of [0, 9, 10, 11]) {
    const other = wrapped.slice();
    other[index] = 1;
    assertEquals(mappedInet4Of(other), undefined, `byte ${index}`);
  }
});

Deno.test("mapInet4() is undone by mappedInet4()", () => {
  assertEquals(mappedInet4(mapInet4("192.0.2.1")), "192.0.2.1");
});
