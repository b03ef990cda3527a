import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { SystemError } from "../../../lib/posix/errno.ts";
import { KeptFile } from "../../../lib/posix/kept_file.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";

Deno.test("KeptFile reads what a file says by then", () => {
  using scratch = new Scratch();
  const path = scratch.file("said");
  Deno.writeTextFileSync(path, "first");
  const file = new KeptFile(libc, path);
  assertEquals([file.read(), file.read()], ["first", "first"]);
  Deno.writeTextFileSync(path, "second");
  assertEquals(file.read(), "second");
  // Its name may be gone, or mean another file.
  Deno.removeSync(path);
  assertEquals(file.read(), "second");
  file.close();
  assertThrows(() => file.read(), SystemError, "Bad file descriptor");
});

Deno.test("KeptFile reads the kernel's files", () => {
  const file = new KeptFile(libc, "/proc/loadavg");
  for (let count = 0; count < 2; count++) {
    assertMatch(file.read(), /^\d+\.\d+ \d+\.\d+ \d+\.\d+ \d+\/\d+ \d+\n$/);
  }
  file.close();
});

Deno.test("KeptFile says what cannot be opened", () => {
  assertThrows(
    () => new KeptFile(libc, "/nowhere/at/all"),
    SystemError,
    "open /nowhere/at/all: No such file or directory",
  );
});
