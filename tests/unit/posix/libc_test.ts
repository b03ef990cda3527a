import { assertEquals, assertThrows } from "@std/assert";
import { cString } from "../../../lib/posix/libc.ts";
import { ALLOW_LIBC, reportOf } from "../fixture.ts";

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
