import { assertEquals } from "@std/assert";
import { parseMainCf } from "../../../lib/config/main_cf.ts";
import { PlacedText } from "../../../lib/config/logical_lines.ts";
import { told } from "./configuration.ts";

function settings(text: string): [string, string][] {
  return [...parseMainCf("main.cf", text).settings]
    .map(([name, { value }]) => [name, value.text]);
}

Deno.test("parseMainCf() stops after a thousand errors", () => {
  const { problems } = parseMainCf("f", "a\n".repeat(5000));
  assertEquals(problems.length, 1001);
  assertEquals(
    told(problems).at(-1),
    "f:1001:1: error: more than 1000 errors: the rest is not looked at " +
      "(mend the first ones)",
  );
});

Deno.test("parseMainCf() takes white space around names and values away", () => {
  assertEquals(settings("a=1\nb \t=\v 2 \r\nc\n = \n  x  y\n"), [
    ["a", "1"],
    ["b", "2"],
    ["c", "x  y"],
  ]);
});

Deno.test("parseMainCf() takes values that are empty or have an =", () => {
  assertEquals(settings("a=\nb = = x = y\n"), [["a", ""], ["b", "= x = y"]]);
});

Deno.test("parseMainCf() takes any name without white space and =", () => {
  assertEquals(settings("127.0.0.1:10023_time_limit = 5\n__proto__ = x\n"), [
    ["127.0.0.1:10023_time_limit", "5"],
    ["__proto__", "x"],
  ]);
});

Deno.test("parseMainCf() keeps the last of two settings, and says so where they differ", () => {
  const { settings, problems } = parseMainCf(
    "main.cf",
    "a = 1\na = 1\na = 2\n",
  );
  assertEquals(settings.get("a")?.value.text, "2");
  assertEquals(told(problems), [
    "main.cf:3:1: warning: overriding earlier entry: a=1 " +
    "(leave one of them out: the other is in line 2)",
  ]);
});

Deno.test("parseMainCf() begins with the settings that stand before the file", () => {
  const earlier = { name: new PlacedText("a"), value: new PlacedText("0") };
  const { settings, problems } = parseMainCf("main.cf", "a = 1\n", [earlier]);
  assertEquals(settings.get("a")?.value.text, "1");
  assertEquals(told(problems), [
    "main.cf:1:1: warning: overriding earlier entry: a=0 " +
    "(leave one of them out)",
  ]);
});

Deno.test("parseMainCf() tells every line that is no setting, and goes on", () => {
  const { settings, problems } = parseMainCf(
    "main.cf",
    "a = 1\nnothing\n= x\nb c = 2\n\0\nd = 4\n",
  );
  assertEquals([...settings.keys()], ["a", "d"]);
  assertEquals(
    told(problems).filter((problem) => problem.includes("error")),
    [
      `main.cf:2:1: error: missing '=' after attribute name: "nothing" ` +
      "(write name = value)",
      `main.cf:3:1: error: missing attribute name: "= x" (write name = value)`,
      `main.cf:4:1: error: missing '=' after attribute name: "b c = 2" ` +
      "(write name = value)",
      `main.cf:5:1: error: missing attribute name: "" (write name = value)`,
    ],
  );
});
