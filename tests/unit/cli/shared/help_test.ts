import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mainHelp } from "../../../../lib/cli/shared/help.ts";
import { PROGRAM } from "../../../../lib/cli/subcommands.ts";
import { runRequest } from "../../../../lib/cli/run/request.ts";
import { RUN } from "../../../../lib/cli/run/subcommand.ts";
import { asked } from "../asked.ts";

const SCREEN_COLUMNS = 80;

const MAIN_HELP = mainHelp(PROGRAM);

Deno.test("the help of spawnd fits a screen's width, and names every subcommand", () => {
  for (const line of MAIN_HELP.split("\n")) {
    assert(line.length <= SCREEN_COLUMNS, line);
  }
  for (const { name } of PROGRAM.subcommands) {
    assertStringIncludes(MAIN_HELP, `  spawnd ${name} `);
  }
});

Deno.test("the help of spawnd has examples before all else, and they are right", () => {
  const [before = ""] = MAIN_HELP.split("Usage:");
  assertEquals([...before.matchAll(/^ {2}spawnd /gm)].length, 2);
  const [[, words = ""] = []] = before.matchAll(/^ {2}spawnd run (.*)$/gm);
  const request = asked(RUN, runRequest)(words.split(" "));
  assert(request.ok, `${words}: ${JSON.stringify(request)}`);
});
