import { assertEquals } from "@std/assert";
import {
  fromText,
  isUtf8,
  toBinary,
  toText,
} from "../../../lib/config/bytes.ts";

Deno.test("toBinary() has one unit for every byte, whatever the size", () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 256);
  const binary = toBinary(bytes);
  assertEquals(binary.length, bytes.length);
  assertEquals(Uint8Array.from(binary, (unit) => unit.charCodeAt(0)), bytes);
});

Deno.test("toText() reads UTF-8, and marks what is none", () => {
  assertEquals(toText("\xc3\xa9t\xc3\xa9"), "été");
  assertEquals(toText("caf\xe9"), "caf\ufffd");
  assertEquals(toText("plain"), "plain");
});

Deno.test("fromText() is what toText() reads", () => {
  assertEquals(fromText("été"), "\xc3\xa9t\xc3\xa9");
  assertEquals(toText(fromText("plain 😀")), "plain 😀");
});

Deno.test("isUtf8() tells whether text stands for the same bytes", () => {
  assertEquals(isUtf8("\xc3\xa9"), true);
  assertEquals(isUtf8(""), true);
  assertEquals(isUtf8("\xe9"), false);
});
