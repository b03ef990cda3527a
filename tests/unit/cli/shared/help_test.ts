import { assert, assertEquals } from "@std/assert";
import { MAIN_HELP, runHelp } from "../../../../lib/cli/shared/help.ts";
import {
  parseRunRequest,
  RUN_OPTIONS,
} from "../../../../lib/cli/run/request.ts";

const SCREEN_LINES = 24;
const SCREEN_COLUMNS = 80;

const HELPS = { "spawnd": MAIN_HELP, "spawnd run": runHelp(RUN_OPTIONS) };

for (const [program, help] of Object.entries(HELPS)) {
  Deno.test(`the help of ${program} is as wide as a screen`, () => {
    for (const line of help.split("\n")) {
      assert(line.length <= SCREEN_COLUMNS, line);
    }
  });

  Deno.test(`the examples in the help of ${program} are right`, () => {
    const [before = ""] = help.split("Usage:");
    assert([...before.matchAll(/^ {2}spawnd /gm)].length >= 2, "no examples");
    const examples = [...before.matchAll(/^ {2}spawnd run (.*)$/gm)];
    assert(examples.length >= 1, "no example of run");
    for (const [, words = ""] of examples) {
      const result = parseRunRequest(words.split(" "));
      assert(result.ok, `${words}: ${JSON.stringify(result)}`);
    }
  });
}

Deno.test("the help of spawnd fits one screen", () => {
  // As console.log() prints it, with a newline more.
  const { length } = MAIN_HELP.split("\n");
  assert(length <= SCREEN_LINES, `${length} lines`);
});

Deno.test("the help of spawnd run begins with examples", () => {
  assertEquals(runHelp(RUN_OPTIONS).indexOf("  spawnd run inet "), 0);
});

Deno.test("the help of spawnd run names every option", () => {
  const help = runHelp(RUN_OPTIONS);
  for (const { name } of RUN_OPTIONS) {
    assert(help.includes(`--${name} `), name);
  }
});
