import { assertEquals } from "@std/assert";
import { quoted } from "../../../lib/log/quoted.ts";

Deno.test("quoted() leaves plain words as they are", () => {
  for (const word of ["/bin/cat", "-u", "--mode=0660", "user@[::1]", "größe"]) {
    const isPlain = !word.includes("[");
    assertEquals(quoted(word), isPlain ? word : `'${word}'`);
  }
});

Deno.test("quoted() shows where a word begins and ends", () => {
  assertEquals(quoted("/bin/cat -u"), "'/bin/cat -u'");
  assertEquals(quoted(""), "''");
  assertEquals(quoted("$HOME"), "'$HOME'");
  assertEquals(quoted("it's"), `'it'\\''s'`);
  assertEquals(quoted("a\nb"), "'a\nb'");
});
