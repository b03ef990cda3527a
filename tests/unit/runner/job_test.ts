import { assertEquals, assertStringIncludes } from "@std/assert";
import { until } from "../../e2e/machine.ts";
import { Runner } from "../../runner/job.ts";
import type { Job } from "../../runner/plan.ts";
import { Scratch } from "../scratch.ts";

const TESTS = `
Deno.test("is good", () => {});
Deno.test("hangs", () => new Promise(() => setInterval(() => {}, 1000)));
`;

const WORDS = [Deno.execPath(), "test", "--no-check", "--no-config"];

function jobIn(scratch: Scratch): Job {
  const path = scratch.file("hanging_test.ts", TESTS);
  return { name: "hanging", files: [path] };
}

Deno.test("a Runner that is stopped tells which test had not ended", async () => {
  using scratch = new Scratch();
  const runner = new Runner({ words: WORDS, folder: scratch.folder });
  const running = runner.run(jobIn(scratch));
  const said = async (): Promise<string> =>
    await Deno.readTextFile(scratch.path("0")).catch(() => "");
  await until("it hangs", async () => (await said()).includes("hangs ..."));
  runner.stop();
  const { output, isGood, times } = await running;
  assertEquals([isGood, runner.isStopped], [false, true]);
  assertStringIncludes(output, "The following tests were pending:");
  assertEquals(
    times.map(({ name, hasFailed }) => [name, hasFailed]),
    [["is good", false], ["hangs", true]],
  );
});

Deno.test("a Runner ends what takes longer than it may", async () => {
  using scratch = new Scratch();
  const runner = new Runner({
    words: WORDS,
    folder: scratch.folder,
    limitMs: 1,
  });
  const { output, isGood, summary } = await runner.run(jobIn(scratch));
  assertEquals([isGood, summary], [false, undefined]);
  assertStringIncludes(output, "hanging: ended after 0.001 s");
});
