import { assertEquals } from "@std/assert";
import {
  type EnvironmentEntry,
  parseEnvironmentList,
} from "../../../lib/config/environment_list.ts";

/** A list's entries: `NAME` or `NAME=VALUE`. */
function entries(list: string): string[] {
  const parsed = parseEnvironmentList(list);
  if (!parsed.ok) throw new Error(parsed.wrong);
  return parsed.entries.map(shown);
}

function shown({ name, value }: EnvironmentEntry): string {
  return value === undefined ? name : `${name}=${value}`;
}

function wrong(list: string): string {
  const parsed = parseEnvironmentList(list);
  return parsed.ok ? "" : parsed.wrong;
}

Deno.test("parseEnvironmentList() takes commas and white space between entries", () => {
  const expected = ["LANG", "TZ", "A=1"];
  for (
    const list of ["LANG TZ A=1", "LANG,TZ,A=1", " , LANG ,\t,TZ\r\n  A=1,, "]
  ) {
    assertEquals(entries(list), expected, JSON.stringify(list));
  }
  assertEquals(entries(""), []);
});

Deno.test("parseEnvironmentList() takes nothing else between entries", () => {
  for (const byte of ["\v", "\f", "\x85", "\xa0", "\xc2\xa0", ";"]) {
    const [entry = "", ...others] = entries(`A=b${byte}c`);
    assertEquals(others, [], JSON.stringify(byte));
    assertEquals(entry.length, byte === "\xc2\xa0" ? 5 : 4 + byte.length);
  }
});

Deno.test("parseEnvironmentList() keeps braces in a value, which protect what is in them", () => {
  assertEquals(entries("FOO={a b}"), ["FOO={a b}"]);
  assertEquals(entries("FOO={a {b, c} d}x TZ"), ["FOO={a {b, c} d}x", "TZ"]);
  assertEquals(entries("A=x{y}"), ["A=x{y}"]);
  assertEquals(entries("A=}"), ["A=}"]);
});

Deno.test("parseEnvironmentList() takes the braces off a whole entry", () => {
  assertEquals(entries("{ A = hello, world }"), ["A=hello, world"]);
  assertEquals(entries("{A=1}"), ["A=1"]);
  assertEquals(entries("X={ c }"), ["X={ c }"]);
  assertEquals(entries("{ Y = {z w} }"), ["Y={z w}"]);
  assertEquals(entries("{ A = b = c }"), ["A=b = c"]);
  assertEquals(entries("{ A = }"), ["A="]);
  assertEquals(entries("{ {A=1} }"), ["{A=1}"]);
});

Deno.test("parseEnvironmentList() takes a group without = for a name, and passes over an empty one", () => {
  assertEquals(entries("{ TZ }"), ["TZ"]);
  assertEquals(entries("{ two words }"), ["two words"]);
  assertEquals(entries("{ }, {}"), []);
});

Deno.test("parseEnvironmentList() keeps bytes that are no UTF-8", () => {
  assertEquals(entries("A=\xc3\xa9 B=\xe9"), ["A=é", "B=\udce9"]);
});

Deno.test("parseEnvironmentList() says in Postfix's words what it cannot read", () => {
  assertEquals(wrong("{ A = 1"), `missing '}' in "{ A = 1"`);
  assertEquals(wrong("{A=1}{B=2}"), `syntax error after '}' in "{A=1}{B=2}"`);
  assertEquals(wrong("A = 1"), "missing attribute name in: =");
  assertEquals(wrong("=1"), "missing attribute name in: =1");
  assertEquals(wrong("{ = 1 }"), "missing attribute name in: = 1");
  assertEquals(
    wrong("{ a b = 1 }"),
    "missing '=' after attribute name in: a b = 1",
  );
});
