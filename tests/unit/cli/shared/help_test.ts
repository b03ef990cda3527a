import { assert, assertEquals } from "@std/assert";
import { mainHelp } from "../../../../lib/cli/shared/help.ts";
import { PROGRAM } from "../../../../lib/cli/subcommands.ts";
import { runRequest } from "../../../../lib/cli/run/request.ts";
import { RUN } from "../../../../lib/cli/run/subcommand.ts";
import { asked } from "../asked.ts";

const SCREEN = { lines: 24, columns: 80 };

const MAIN_HELP = mainHelp(PROGRAM);

Deno.test("the help of spawnd fits one screen", () => {
  // As console.log() prints it, with a newline more.
  const lines = MAIN_HELP.split("\n");
  assert(lines.length <= SCREEN.lines, `${lines.length} lines`);
  for (const line of lines) assert(line.length <= SCREEN.columns, line);
});

Deno.test("the help of spawnd has examples before all else, and they are right", () => {
  const [before = ""] = MAIN_HELP.split("Usage:");
  assertEquals([...before.matchAll(/^ {2}spawnd /gm)].length, 2);
  const [[, words = ""] = []] = before.matchAll(/^ {2}spawnd run (.*)$/gm);
  const request = asked(RUN, runRequest)(words.split(" "));
  assert(request.ok, `${words}: ${JSON.stringify(request)}`);
});
