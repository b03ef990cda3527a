import { assertEquals } from "@std/assert";
import * as headers from "../../../lib/posix/headers.ts";
import { output } from "../../e2e/machine.ts";
import { Scratch } from "../scratch.ts";
import { compilerTest } from "./header.ts";

const INCLUDED = [
  ...["fcntl.h", "linux/limits.h", "signal.h", "stdio.h"],
  ...["sys/prctl.h", "sys/resource.h", "sys/socket.h"],
  ...["sys/stat.h"],
];

compilerTest(
  "/usr/bin/gcc",
  "the constants are those of the system's headers",
  async () => {
    const names = Object.keys(headers);
    using scratch = new Scratch();
    const source = scratch.file(
      "constants.c",
      "#define _GNU_SOURCE\n" +
        INCLUDED.map((header) => `#include <${header}>\n`).join("") +
        "int main(void) {\n" +
        names.map((name) => `printf("%ld\\n", (long) ${name});\n`).join("") +
        "}\n",
    );
    const program = scratch.path("constants");
    await output("gcc", "-o", program, source);
    const numbers = (await output(program)).trim().split("\n").map(Number);
    assertEquals(
      Object.entries(headers),
      names.map((name, index) => [name, numbers[index]]),
    );
  },
);
