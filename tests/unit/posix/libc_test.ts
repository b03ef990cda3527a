import { assertEquals, assertThrows } from "@std/assert";
import { cString, cVector } from "../../../lib/posix/libc.ts";
import { ALLOW_LIBC, reportOf } from "../fixture.ts";
import { libc } from "../real_libc.ts";

Deno.test("cString() ends UTF-8 with a zero byte", () => {
  assertEquals([...cString("a/é")], [0x61, 0x2f, 0xc3, 0xa9, 0]);
  assertEquals([...cString("")], [0]);
});

Deno.test("cString() refuses text that C would cut off", () => {
  assertThrows(
    () => cString("/bin/sh\0.txt"),
    RangeError,
    'a zero byte in "/bin/sh\\u0000.txt"',
  );
});

/** The string at an address in C memory. */
function stringAt(address: bigint, bytes: number): string {
  const copy = new Uint8Array(bytes);
  libc.c.memcpy(copy, address, BigInt(bytes));
  return new TextDecoder().decode(copy);
}

Deno.test("cVector() lays out pointers to the strings, and a null pointer", () => {
  const words = ["/bin/écho", "", "-n"];
  const pointers = new BigUint64Array(cVector(libc, words).buffer);
  assertEquals(pointers.length, 4);
  assertEquals(pointers[3], 0n);
  for (const [index, word] of words.entries()) {
    const bytes = new TextEncoder().encode(word).length + 1;
    assertEquals(stringAt(pointers[index] ?? 0n, bytes), `${word}\0`);
  }
});

Deno.test("cVector() of no words is a null pointer alone", () => {
  assertEquals([...new BigUint64Array(cVector(libc, []).buffer)], [0n]);
});

Deno.test("openLibc() binds the library with the grant that the daemon has", async () => {
  assertEquals(
    await reportOf("open_libc.ts", { allow: ALLOW_LIBC }),
    "bound",
  );
});

Deno.test("openLibc() tells that FFI was not granted", async () => {
  assertEquals(
    await reportOf("open_libc.ts", { allow: [] }),
    "no permission for FFI on the C library's path",
  );
});

Deno.test("openLibc() tells that FFI was granted for another library", async () => {
  assertEquals(
    await reportOf("open_libc.ts", { allow: ["--allow-ffi=/lib/other.so"] }),
    "no permission for FFI on the C library's path",
  );
});
