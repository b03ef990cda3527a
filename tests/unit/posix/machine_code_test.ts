import { assertEquals } from "@std/assert";
import type { Architecture } from "../../../lib/posix/abi.ts";
import { machineCode } from "../../../lib/posix/machine_code.ts";
import { output } from "../../e2e/machine.ts";
import { Scratch } from "../scratch.ts";
import { programTest } from "./header.ts";

const SOURCES = new URL("../../../lib/posix/", import.meta.url).pathname;

/** The programs of binutils that speak an architecture's language. */
const BINUTILS: Readonly<Record<Architecture, string>> = {
  x86_64: "x86_64-linux-gnu-",
  aarch64: "aarch64-linux-gnu-",
};

for (const [architecture, prefix] of Object.entries(BINUTILS)) {
  programTest(
    [`/usr/bin/${prefix}as`, `/usr/bin/${prefix}objcopy`],
    `machineCode() is what the assembly of ${architecture} says`,
    async () => {
      using scratch = new Scratch();
      const [object, code] = [scratch.path("object"), scratch.path("code")];
      const source = `${SOURCES}call_list_${architecture}.S`;
      await output(`/usr/bin/${prefix}as`, "-o", object, source);
      await output(
        `/usr/bin/${prefix}objcopy`,
        ...["--output-target=binary", "--only-section=.text", object, code],
      );
      const name = architecture as Architecture; // the table's own keys
      assertEquals(
        machineCode(name).toHex(),
        Deno.readFileSync(code).toHex(),
      );
    },
  );
}

/**
 * A program that runs a list of getpid(2), write(2) and a call that fails, as
 * a function, and prints what it returned and the header's words.
 */
const CALLER = `
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static const unsigned char code[] = {CODE};
static uint64_t list[2 + 4 * 7];

int main(void) {
  void *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(page, code, sizeof code);
  mprotect(page, 4096, PROT_READ | PROT_EXEC);
  __builtin___clear_cache(page, (char *)page + sizeof code);
  uint64_t *row = list + 2;
  row[0] = SYS_getpid;
  row += 7;
  row[0] = SYS_write, row[1] = 1, row[2] = (uint64_t)"six arguments: ", row[3] = 15;
  row += 7;
  row[0] = SYS_mmap, row[1] = 0, row[2] = 4096, row[3] = PROT_READ;
  row[4] = MAP_PRIVATE | MAP_ANONYMOUS, row[5] = -1, row[6] = 0;
  row += 7;
  row[0] = SYS_close, row[1] = 12345;
  int (*run)(void *) = (int (*)(void *))page;
  int end = run(list);
  printf("%d %ld %ld\\n", end, (long)list[0],
         (long)((list[1] - (uint64_t)(list + 2)) / 56));
  return 0;
}
`;

programTest(
  [
    "/usr/bin/aarch64-linux-gnu-gcc",
    "/usr/bin/qemu-aarch64",
    "/usr/aarch64-linux-gnu/lib/libc.so.6",
  ],
  "the machine code of aarch64 runs a list up to the call that fails",
  async () => {
    using scratch = new Scratch();
    const program = compiled(scratch, "aarch64");
    await output("/usr/bin/aarch64-linux-gnu-gcc", ...program.words);
    const printed = await output(
      "/usr/bin/qemu-aarch64",
      ...["-L", "/usr/aarch64-linux-gnu", program.path],
    );
    assertEquals(printed, "six arguments: 127 -9 3\n");
  },
);

if (Deno.build.arch === "x86_64") {
  programTest(
    ["/usr/bin/gcc"],
    "the machine code of x86_64 runs a list up to the call that fails",
    async () => {
      using scratch = new Scratch();
      const program = compiled(scratch, "x86_64");
      await output("/usr/bin/gcc", ...program.words);
      assertEquals(
        await output(program.path),
        "six arguments: 127 -9 3\n",
      );
    },
  );
}

/** The caller of an architecture's code, to be compiled. */
function compiled(
  scratch: Scratch,
  architecture: Architecture,
): { path: string; words: string[] } {
  const code = [...machineCode(architecture)].join(",");
  const source = scratch.file("caller.c", CALLER.replace("CODE", code));
  const path = scratch.path("caller");
  return { path, words: ["-static", "-o", path, source] };
}
