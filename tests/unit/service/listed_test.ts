import { assertEquals } from "@std/assert";
import { listed } from "../../../lib/service/listed.ts";

Deno.test("listed() lists ten words, and counts the rest", () => {
  const words = Array.from({ length: 13 }, (_, index) => `${index + 1}`);
  assertEquals(listed(words.slice(0, 1)), "1");
  assertEquals(listed(words.slice(0, 10)), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10");
  assertEquals(listed(words), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 3 more");
});
