import { assertEquals } from "@std/assert";
import { type Abi, abiOf } from "../../../lib/posix/abi.ts";
import { compilerTest, definitions } from "./header.ts";

function assertNumbered(abi: Abi, header: string): void {
  const numbers = definitions(header);
  for (const [name, number] of Object.entries(abi.systemCalls)) {
    // The generic header has another name where an older call has 32 bits.
    const expected = numbers.get(`__NR_${name}`) ??
      numbers.get(`__NR3264_${name}`);
    assertEquals(Number(number), expected, name);
  }
}

compilerTest(
  "/usr/include/asm-generic",
  "abiOf() numbers the system calls of aarch64 as the generic header does",
  () => {
    assertNumbered(abiOf("aarch64"), "asm-generic/unistd.h");
  },
);

// The header of x86_64 is only on a machine of that kind.
if (Deno.build.arch === "x86_64") {
  compilerTest(
    "/usr/include/asm-generic",
    "abiOf() numbers the system calls of x86_64 as that header does",
    () => {
      assertNumbered(abiOf("x86_64"), "x86_64-linux-gnu/asm/unistd_64.h");
    },
  );
}

function assertOpens(abi: Abi, header: string): void {
  const flags = definitions(header);
  for (const [name, flag] of Object.entries(abi.openFlags)) {
    assertEquals(flag, flags.get(name), name);
  }
}

compilerTest(
  "/usr/aarch64-linux-gnu/include/asm",
  "abiOf() has the flags of open(2) that the header of aarch64 has",
  () => {
    const header = "/usr/aarch64-linux-gnu/include/asm/fcntl.h";
    assertOpens(abiOf("aarch64"), header);
  },
);

compilerTest(
  "/usr/include/asm-generic",
  "abiOf() has the flags of open(2) that the generic header has, for x86_64",
  () => {
    assertOpens(abiOf("x86_64"), "asm-generic/fcntl.h");
  },
);

Deno.test("abiOf() aligns the data of an epoll event where it is not packed", () => {
  const { sizeBytes, dataOffset } = abiOf("aarch64").epollEvent;
  assertEquals([sizeBytes % 8, dataOffset % 8], [0, 0]);
});

Deno.test("abiOf() leaves no gap in the packed epoll event of x86_64", () => {
  const { sizeBytes, dataOffset } = abiOf("x86_64").epollEvent;
  assertEquals(
    [dataOffset, sizeBytes],
    [Uint32Array.BYTES_PER_ELEMENT, 4 + BigUint64Array.BYTES_PER_ELEMENT],
  );
});
