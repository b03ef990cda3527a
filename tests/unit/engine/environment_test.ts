import { assertEquals } from "@std/assert";
import {
  cleanEnvironment,
  commandEnvironment,
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
function environment(...words: string[]): string[] {
  const entries = words.map((word) => {
    const [name = "", value] = word.split("=");
    return value === undefined ? { name } : { name, value };
  });
  return commandEnvironment(entries, (name) => OURS.get(name)).sort();
}

Deno.test("commandEnvironment() passes on what is listed and nothing else", () => {
  assertEquals(environment("LANG"), ["LANG=C.UTF-8", PATH]);
  assertEquals(environment(), [PATH]);
  assertEquals(environment("EMPTY", "A=1"), ["A=1", "EMPTY=", PATH]);
});

Deno.test("commandEnvironment() leaves out a name that the daemon does not have", () => {
  assertEquals(environment("NO_SUCH_NAME", "LANG"), ["LANG=C.UTF-8", PATH]);
});

Deno.test("commandEnvironment() has the last entry for a name count", () => {
  assertEquals(environment("A=1", "A=2"), ["A=2", PATH]);
  assertEquals(environment("LANG", "LANG=de"), ["LANG=de", PATH]);
  assertEquals(environment("LANG=de", "LANG"), ["LANG=C.UTF-8", PATH]);
});

Deno.test("commandEnvironment() keeps an entry when the daemon lacks the name that is listed after it", () => {
  assertEquals(environment("MAIL_CONFIG=/etc/mail", "MAIL_CONFIG"), [
    "MAIL_CONFIG=/etc/mail",
    PATH,
  ]);
});

Deno.test("commandEnvironment() lets nobody change PATH", () => {
  for (const words of [["PATH"], ["PATH=/tmp"], ["PATH=/a", "PATH"]]) {
    assertEquals(environment(...words), [PATH]);
  }
});

Deno.test("cleanEnvironment() has what is listed, PATH like any other", () => {
  const entries = [{ name: "PATH" }, { name: "TZ", value: "x" }];
  assertEquals([...cleanEnvironment(entries, (name) => OURS.get(name))], [
    ["PATH", "/root/bin:/usr/bin"],
    ["TZ", "x"],
  ]);
});
