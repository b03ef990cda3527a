import { assertEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../../lib/posix/errno.ts";
import { lookAtDescriptor } from "../../../lib/posix/files.ts";
import { readSealedFile, sealedFile } from "../../../lib/posix/memory_file.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";
import { OpenFile } from "./descriptors.ts";

const MEGABYTE = 1024 * 1024;

Deno.test("a sealed file holds what was written, whatever its size", () => {
  for (const size of [0, 1, 3 * MEGABYTE + 1]) {
    const bytes = new Uint8Array(size).map((_, at) => at * 31);
    const fd = sealedFile(libc, bytes);
    assertEquals(readSealedFile(libc, fd), bytes);
    libc.c.close(fd);
  }
});

Deno.test("a sealed file cannot be changed any more, by nobody who has it", () => {
  const fd = sealedFile(libc, new Uint8Array([1, 2, 3]));
  assertEquals(libc.c.pwrite(fd, new Uint8Array([9]), 1n, 0n), -1n);
  assertEquals(libc.c.pwrite(fd, new Uint8Array([9]), 1n, 3n), -1n);
  assertEquals(readSealedFile(libc, fd), new Uint8Array([1, 2, 3]));
  assertEquals(lookAtDescriptor(libc, fd)?.links, 0);
  libc.c.close(fd);
});

Deno.test("readSealedFile() refuses what is not sealed", () => {
  using scratch = new Scratch();
  using file = new OpenFile(scratch.file("plain", "{}"));
  // Other file systems know no seals at all.
  assertThrows(() => readSealedFile(libc, file.fd), Error);
  assertThrows(() => readSealedFile(libc, 1_000_000), SystemError);
  const MFD_ALLOW_SEALING = 2;
  const name = new Uint8Array([0x78, 0]);
  const fd = libc.c.memfd_create(name, MFD_ALLOW_SEALING);
  assertThrows(
    () => readSealedFile(libc, fd),
    Error,
    `descriptor ${fd} is not sealed`,
  );
  libc.c.close(fd);
});
