import { assertEquals } from "@std/assert";
import { printable } from "../../../lib/log/printable.ts";

Deno.test("printable() leaves readable text of every script as it is", () => {
  for (
    const text of [
      "",
      "connect from [2001:db8::1]:25",
      "é 漢字 עברית 😀 \u00a0",
      "a\\x0ab",
    ]
  ) {
    assertEquals(printable(text), text);
  }
});

Deno.test("printable() lets nothing end the line", () => {
  assertEquals(
    printable("a\nb\rc\u0085d\u2028e\u2029f\vg"),
    "a\\x0ab\\x0dc\\x85d\\u{2028}e\\u{2029}f\\x0bg",
  );
});

Deno.test("printable() lets nothing move the cursor or change colours", () => {
  assertEquals(
    printable("\x1b[2J\x07\b\t\x7f\x9b31m\0"),
    "\\x1b[2J\\x07\\x08\\x09\\x7f\\x9b31m\\x00",
  );
});

Deno.test("printable() lets nothing turn the direction of reading", () => {
  assertEquals(
    printable("\u061c\u200e\u200f\u202a\u202e\u2066\u2069"),
    "\\u{61c}\\u{200e}\\u{200f}\\u{202a}\\u{202e}\\u{2066}\\u{2069}",
  );
});

Deno.test("printable() shows bytes that are no UTF-8 by their number", () => {
  assertEquals(printable("caf\udce9 \ud83d"), "caf\\xe9 \\u{d83d}");
});
