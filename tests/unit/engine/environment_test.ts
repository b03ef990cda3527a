import { assertEquals, assertThrows } from "@std/assert";
import {
  commandEnvironment,
  DEFAULT_EXPORT_ENVIRONMENT,
} from "../../../lib/engine/environment.ts";

const OURS = new Map([
  ["LANG", "C.UTF-8"],
  ["TZ", "UTC"],
  ["EMPTY", ""],
  ["PATH", "/root/bin:/usr/bin"],
  ["SECRET", "s3cret"],
]);

const PATH = "PATH=/usr/bin:/bin";

/** What a command gets from a daemon with the variables above. */
function environment(list: string): string[] {
  return commandEnvironment(list, (name) => OURS.get(name)).sort();
}

Deno.test("commandEnvironment() passes on what is listed and nothing else", () => {
  assertEquals(environment("LANG"), ["LANG=C.UTF-8", PATH]);
  assertEquals(environment(""), [PATH]);
  assertEquals(environment("EMPTY"), ["EMPTY=", PATH]);
});

Deno.test("commandEnvironment() leaves out a name that the daemon does not have", () => {
  assertEquals(environment("NO_SUCH_NAME LANG"), ["LANG=C.UTF-8", PATH]);
});

Deno.test("commandEnvironment() passes TZ, MAIL_CONFIG and LANG on by default", () => {
  assertEquals(
    commandEnvironment(DEFAULT_EXPORT_ENVIRONMENT, (name) => `my ${name}`)
      .sort(),
    ["LANG=my LANG", "MAIL_CONFIG=my MAIL_CONFIG", PATH, "TZ=my TZ"],
  );
});

Deno.test("commandEnvironment() takes commas and white space between entries", () => {
  const expected = ["A=1", "LANG=C.UTF-8", PATH, "TZ=UTC"];
  for (
    const list of [
      "LANG TZ A=1",
      "LANG,TZ,A=1",
      " , LANG ,\t,TZ\n  A=1,, ",
    ]
  ) {
    assertEquals(environment(list), expected, JSON.stringify(list));
  }
});

Deno.test("commandEnvironment() takes name=value words", () => {
  assertEquals(environment("A=1"), ["A=1", PATH]);
  assertEquals(environment("A="), ["A=", PATH]);
  assertEquals(environment("A=b=c"), ["A=b=c", PATH]);
  assertEquals(environment("A=x{y}"), ["A=x{y}", PATH]);
});

Deno.test("commandEnvironment() takes { name = value } groups with spaces and commas in them", () => {
  assertEquals(environment("{ A = hello, world }"), ["A=hello, world", PATH]);
  assertEquals(environment("{A=1}"), ["A=1", PATH]);
  assertEquals(environment("{ A = }"), ["A=", PATH]);
  assertEquals(environment("{ A = b = c }"), ["A=b = c", PATH]);
  assertEquals(
    environment("TZ,{ A = 1 2 },{ B = 3 } LANG"),
    ["A=1 2", "B=3", "LANG=C.UTF-8", PATH, "TZ=UTC"],
  );
});

Deno.test("commandEnvironment() has the last entry for a name count", () => {
  assertEquals(environment("A=1 A=2"), ["A=2", PATH]);
  assertEquals(environment("LANG { LANG = de }"), ["LANG=de", PATH]);
  assertEquals(environment("LANG=de LANG"), ["LANG=C.UTF-8", PATH]);
});

Deno.test("commandEnvironment() keeps an entry when the daemon lacks the name that is listed after it", () => {
  assertEquals(environment("MAIL_CONFIG=/etc/mail MAIL_CONFIG"), [
    "MAIL_CONFIG=/etc/mail",
    PATH,
  ]);
});

Deno.test("commandEnvironment() lets nobody change PATH", () => {
  for (const list of ["PATH", "PATH=/tmp", "{ PATH = /tmp }", "PATH=/a PATH"]) {
    assertEquals(environment(list), [PATH], list);
  }
});

Deno.test("commandEnvironment() refuses entries that it cannot read", () => {
  const refused: [string, string][] = [
    ["{ A = 1", 'bad entry at "{ A = 1"'],
    ["LANG { A = 1", 'bad entry at "{ A = 1"'],
    ["A = 1", 'expected "name = value" in "="'],
    ["=1", 'expected "name = value" in "=1"'],
    ["{}", 'expected "name = value" in ""'],
    ["{ A }", 'expected "name = value" in "A"'],
    ["{ = 1 }", 'expected "name = value" in "= 1"'],
    ["}", 'bad entry at "}"'],
    ["{A=1}{B=2}", 'bad entry at "{A=1}{B=2}"'],
  ];
  for (const [list, text] of refused) {
    assertThrows(() => environment(list), SyntaxError, text);
  }
});
