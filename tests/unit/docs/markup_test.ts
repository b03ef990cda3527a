import { assertEquals } from "@std/assert";
import { item, plain, wrapped } from "../../../docs/manual/markup.ts";

Deno.test("plain() leaves scdoc nothing to take for markup", () => {
  assertEquals(plain("_x_ *y* \\z `w`"), "\\_x\\_ \\*y\\* \\\\z \\`w\\`");
});

Deno.test("wrapped() breaks lines at blanks, and long words nowhere", () => {
  const long = "x".repeat(100);
  assertEquals(wrapped(`${"ab ".repeat(30)}${long}`), [
    "ab ".repeat(26).trimEnd(),
    "ab ".repeat(4).trimEnd(),
    long,
  ]);
});

Deno.test("item() has no line that begins a list, a table or a heading", () => {
  const word = "x".repeat(77);
  for (const special of ["-", ".", "#", "|", "[", "]", "!", ";", ":"]) {
    assertEquals(item("*term*", `${word} ${special}o`), [
      "*term*",
      `\t${word}`,
      `\t\\${special}o`,
      "",
    ]);
  }
});
