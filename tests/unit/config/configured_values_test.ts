import { assertEquals } from "@std/assert";
import {
  parseBoolean,
  parseConfiguredTime,
  parseInteger,
} from "../../../lib/config/values.ts";

Deno.test("parseInteger() takes digits with a sign and white space before them", () => {
  assertEquals(parseInteger("05"), 5);
  assertEquals(parseInteger(" \t+5"), 5);
  assertEquals(parseInteger("-5"), -5);
  assertEquals(Object.is(parseInteger("-0"), 0), true);
  assertEquals(parseInteger("2147483647"), 2147483647);
  assertEquals(parseInteger("-2147483648"), -2147483648);
});

Deno.test("parseInteger() takes nothing else", () => {
  for (const text of ["", " ", "5 ", "5x", "0x5", "- 5", "2147483648"]) {
    assertEquals(parseInteger(text), undefined, JSON.stringify(text));
  }
});

Deno.test("parseConfiguredTime() takes what Postfix takes for a time", () => {
  const seconds = (text: string): number | undefined =>
    parseConfiguredTime(text, "m")?.seconds;
  assertEquals(seconds("5"), 300);
  assertEquals(seconds("5s"), 5);
  assertEquals(seconds(" +2h"), 7200);
  assertEquals(seconds("1d"), 86400);
  assertEquals(seconds("s"), 0);
  assertEquals(seconds("2147483647s"), 2147483647);
  assertEquals(seconds("3549w"), 3549 * 604800);
});

Deno.test("parseConfiguredTime() tells what Postfix passes over", () => {
  assertEquals(parseConfiguredTime("1h30m", "s"), {
    seconds: 3600,
    passedOver: "30m",
  });
});

Deno.test("parseConfiguredTime() refuses what Postfix refuses", () => {
  const texts = [
    "",
    " ",
    "5M",
    "5 s",
    "-5",
    "5x",
    " s",
    "0x5",
    "3550w",
    "2147483648",
    "2147483648s",
  ];
  for (const text of texts) {
    assertEquals(parseConfiguredTime(text, "s"), undefined, text);
  }
});

Deno.test("parseBoolean() takes yes and no in letters of any size", () => {
  assertEquals(parseBoolean("yEs"), true);
  assertEquals(parseBoolean("NO"), false);
  for (const text of ["", "1", "y", "true", "yes "]) {
    assertEquals(parseBoolean(text), undefined, JSON.stringify(text));
  }
});
