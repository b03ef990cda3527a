import { assertEquals } from "@std/assert";
import {
  fromText,
  toBinary,
  toText,
  toWord,
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

Deno.test("toText() keeps a byte order mark", () => {
  assertEquals(toText("\xef\xbb\xbfa"), "\ufeffa");
});

Deno.test("toWord() loses nothing, and fromText() takes it back", () => {
  assertEquals(toWord("caf\xc3\xa9 caf\xe9"), "café caf\udce9");
  assertEquals(fromText(toWord("\xc3\xa9\xe9\x80")), "\xc3\xa9\xe9\x80");
});
