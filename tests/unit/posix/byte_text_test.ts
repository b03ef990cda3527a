import { assertEquals } from "@std/assert";
import { bytesOf, isUtf8, textOf } from "../../../lib/posix/byte_text.ts";

Deno.test("textOf() reads UTF-8, a byte order mark among it", () => {
  const text = "\ufeffplain été 漢字 😀";
  assertEquals(textOf(new TextEncoder().encode(text)), text);
  assertEquals(isUtf8(text), true);
});

Deno.test("textOf() escapes what is no UTF-8, byte by byte", () => {
  const text = textOf(Uint8Array.of(0x61, 0xff, 0xc3, 0xa9, 0xe2, 0x82, 0x62));
  assertEquals(text, "a\udcffé\udce2\udc82b");
  assertEquals(isUtf8(text), false);
});

Deno.test("bytesOf() gives back every sequence of bytes", () => {
  const pieces = [
    ...Array.from({ length: 256 }, (_, byte) => [byte]),
    [0xed, 0xb2, 0x80],
    [0xf0, 0x9f, 0x98, 0x80],
    [0xf0, 0x9f, 0x98],
    [0xc0, 0x80],
    [0xef, 0xbb, 0xbf],
  ];
  for (const before of [[], [0xf0, 0x9f], [0xc3, 0xa9]]) {
    for (const piece of pieces) {
      const bytes = Uint8Array.from([...before, ...piece, 0x7a]);
      assertEquals(bytesOf(textOf(bytes)), bytes, String(bytes));
    }
  }
});

Deno.test("bytesOf() leaves a character alone whose second half looks like an escape", () => {
  const text = "\u{1f480}\udcff";
  assertEquals([...bytesOf(text)], [0xf0, 0x9f, 0x92, 0x80, 0xff]);
});
