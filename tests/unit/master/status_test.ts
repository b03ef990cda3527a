import { assertEquals } from "@std/assert";
import { parseGeneration, statusMessage } from "../../../lib/master/status.ts";

Deno.test("parseGeneration() reads an octal number of 32 bits", () => {
  assertEquals(parseGeneration("17"), 15);
  assertEquals(parseGeneration("37777777777"), 0xffffffff);
  assertEquals(parseGeneration(undefined), 0);
  for (const text of ["", "8", "-1", "0x1", "40000000000", "377777777777"]) {
    assertEquals(parseGeneration(text), undefined, text);
  }
});

Deno.test("statusMessage() is process, generation and availability, 32 bits each", () => {
  const message = statusMessage(0x01020304, 0xfffffffe, "available");
  // Every machine that the engine knows has the lowest byte first.
  assertEquals([...message], [4, 3, 2, 1, 254, 255, 255, 255, 1, 0, 0, 0]);
  assertEquals(statusMessage(1, 0, "taken")[8], 0);
});
