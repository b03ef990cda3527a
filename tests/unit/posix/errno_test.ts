import { assertEquals, assertThrows } from "@std/assert";
import * as errnoModule from "../../../lib/posix/errno.ts";
import {
  checked,
  ENOENT,
  errno,
  errorText,
  lastError,
  SystemError,
} from "../../../lib/posix/errno.ts";
import { cString } from "../../../lib/posix/libc.ts";
import { libc } from "../real_libc.ts";
import { compilerTest, definitions } from "./header.ts";

compilerTest(
  "/usr/include/asm-generic",
  "the error numbers are those of the system's headers",
  () => {
    const numbers = definitions(
      "asm-generic/errno-base.h",
      "asm-generic/errno.h",
    );
    const ours = Object.entries(errnoModule)
      .filter(([, value]) => typeof value === "number");
    assertEquals(
      ours,
      ours.map(([name]) => [name, numbers.get(name)]),
    );
  },
);

Deno.test("errno() tells why the last call failed", () => {
  assertEquals(libc.c.unlinkat(-1, cString("/nonexistent/file"), 0), -1);
  assertEquals(errno(libc), ENOENT);
  assertEquals(libc.c.close(-1), -1);
  assertEquals(errorText(libc, errno(libc)), "Bad file descriptor");
});

Deno.test("errorText() gives the system's words, also for a number it does not know", () => {
  assertEquals(errorText(libc, ENOENT), "No such file or directory");
  assertEquals(errorText(libc, 99_999), "Unknown error 99999");
});

Deno.test("lastError() names what was tried, the number and the system's text", () => {
  libc.c.unlinkat(-1, cString("/nonexistent/file"), 0);
  const error = lastError(libc, "unlink /nonexistent/file");
  assertEquals(error.name, "SystemError");
  assertEquals(error.code, ENOENT);
  assertEquals(
    error.message,
    "unlink /nonexistent/file: No such file or directory",
  );
});

Deno.test("checked() passes on what did not fail and throws what did", () => {
  assertEquals(checked(libc, "close", 0), 0);
  assertEquals(checked(libc, "open", 7), 7);
  assertThrows(
    () => checked(libc, "close", libc.c.close(-1)),
    SystemError,
    "close: Bad file descriptor",
  );
});
