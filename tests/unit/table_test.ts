import { assertEquals } from "@std/assert";
import { formatTable } from "../../lib/table.ts";

const ROWS = [["NAME", "COUNT", "TEXT"], ["a", "7", "one"], ["bbbbb", "1000"]];

Deno.test("formatTable() aligns columns on the left, and leaves no blanks at the ends", () => {
  assertEquals(
    formatTable(ROWS, "left"),
    "NAME   COUNT  TEXT\n" +
      "a      7      one\n" +
      "bbbbb  1000",
  );
});

Deno.test("formatTable() aligns numbers on the right, but not the first column", () => {
  assertEquals(
    formatTable(ROWS),
    "NAME   COUNT  TEXT\n" +
      "a          7   one\n" +
      "bbbbb   1000",
  );
});
