import { assertEquals } from "@std/assert";
import {
  parseCount,
  parseMode,
  parseTime,
} from "../../../lib/config/values.ts";

Deno.test("parseTime() takes seconds, minutes, hours, days and weeks", () => {
  assertEquals(parseTime("90s", "s"), 90);
  assertEquals(parseTime("5m", "s"), 300);
  assertEquals(parseTime("2h", "s"), 7200);
  assertEquals(parseTime("1d", "s"), 86400);
  assertEquals(parseTime("2w", "s"), 1209600);
  assertEquals(parseTime("2W", "s"), 1209600);
  assertEquals(parseTime("0s", "s"), 0);
});

Deno.test("parseTime() takes a number without a unit by the default unit", () => {
  assertEquals(parseTime("10", "s"), 10);
  assertEquals(parseTime("10", "m"), 600);
  assertEquals(parseTime("10s", "m"), 10);
  assertEquals(parseTime("007", "s"), 7);
});

Deno.test("parseTime() takes nothing that is no time", () => {
  for (
    const text of [
      "",
      "s",
      "5x",
      "5 m",
      " 5",
      "-5",
      "1.5h",
      "1h30m",
      "0x10",
      "５",
    ]
  ) {
    assertEquals(parseTime(text, "s"), undefined, JSON.stringify(text));
  }
});

Deno.test("parseTime() takes 2^31 - 1 seconds at the most", () => {
  assertEquals(parseTime("2147483647", "s"), 2147483647);
  assertEquals(parseTime("2147483648", "s"), undefined);
  assertEquals(parseTime("3550w", "s"), 2147040000);
  assertEquals(parseTime("3551w", "s"), undefined);
  assertEquals(parseTime("9".repeat(400), "s"), undefined);
});

Deno.test("parseCount() takes whole numbers up to the largest allowed", () => {
  assertEquals(parseCount("0", 10), 0);
  assertEquals(parseCount("10", 10), 10);
  assertEquals(parseCount("11", 10), undefined);
  for (const text of ["", "-1", "+1", "1.0", "1e3", " 1", "0x1", "one"]) {
    assertEquals(parseCount(text, 10_000), undefined, JSON.stringify(text));
  }
});

Deno.test("parseMode() takes three octal digits, with a leading zero or without", () => {
  assertEquals(parseMode("660"), 0o660);
  assertEquals(parseMode("0660"), 0o660);
  assertEquals(parseMode("000"), 0);
  assertEquals(parseMode("777"), 0o777);
  for (
    const text of ["", "66", "0o660", "1777", "04755", "888", "rw-", "-660"]
  ) {
    assertEquals(parseMode(text), undefined, JSON.stringify(text));
  }
});
