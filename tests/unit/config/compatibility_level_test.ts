import { assertEquals } from "@std/assert";
import { compareLevels } from "../../../lib/config/compatibility_level.ts";

Deno.test("compareLevels() compares number by number, missing ones being 0", () => {
  const sign = (left: string, right: string): number =>
    Math.sign(Number(compareLevels(left, right)));
  assertEquals(sign("3.10", "3.9"), 1);
  assertEquals(sign("2", "3.0.1"), -1);
  assertEquals(sign("3", "3.0.0"), 0);
  assertEquals(sign(" +03", "3"), 0);
  assertEquals(sign("9999", "10000.1"), -1);
});

Deno.test("compareLevels() tells the first that is no level", () => {
  for (const text of ["", "x", "3.", "-1", "1.2.3.4", "1.1024", "1.1.1024"]) {
    assertEquals(compareLevels(text, "3"), { malformed: text });
    assertEquals(compareLevels("3", text), { malformed: text });
  }
});
