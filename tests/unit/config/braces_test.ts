import { assertEquals } from "@std/assert";
import { splitWords, withoutBraces } from "../../../lib/config/braces.ts";
import { PlacedText } from "../../../lib/config/logical_lines.ts";

Deno.test("splitWords() splits at white space that is not in braces", () => {
  const words = (text: string, separators?: string): string[] =>
    splitWords(new PlacedText(text), separators).map((word) => word.text);
  assertEquals(words(" a\t{b c}d \r{ {e f} } g} {h i"), [
    "a",
    "{b c}d",
    "{ {e f} }",
    "g}",
    "{h i",
  ]);
  assertEquals(words("a,{b, c},,d", ", "), ["a", "{b, c}", "d"]);
  assertEquals(words(" "), []);
});

Deno.test("withoutBraces() takes the braces around a whole word away", () => {
  const inner = (text: string): string =>
    withoutBraces(new PlacedText(text)).inner.text;
  assertEquals(inner("{ a {b}  }"), "a {b}");
  assertEquals(inner("{}"), "");
  assertEquals(inner("a{b}"), "a{b}");
});

Deno.test("withoutBraces() tells what is wrong in Postfix's words", () => {
  const wrong = (text: string): string | undefined =>
    withoutBraces(new PlacedText(text)).wrong;
  assertEquals(wrong("{a"), `missing '}' in "{a"`);
  assertEquals(wrong("{a}b"), `syntax error after '}' in "{a}b"`);
  assertEquals(wrong("{a}"), undefined);
});
