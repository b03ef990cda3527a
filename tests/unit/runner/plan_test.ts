import { assertEquals } from "@std/assert";
import { ALONE, planOf } from "../../runner/plan.ts";

const ROOT = new URL("../../../", import.meta.url);

function names(jobs: readonly { readonly name: string }[]): string[] {
  return jobs.map(({ name }) => name);
}

Deno.test("planOf() has a process for each file, and for each folder of unit tests", () => {
  const { sideBySide, alone } = planOf([
    "tests/unit/net/b_test.ts",
    "tests/e2e/run_test.ts",
    "tests/unit/net/a_test.ts",
    "tests/unit/result_test.ts",
    "tests/peers/rsync_test.ts",
  ]);
  assertEquals(sideBySide, [
    { name: "tests/peers/rsync_test.ts", files: ["tests/peers/rsync_test.ts"] },
    { name: "tests/e2e/run_test.ts", files: ["tests/e2e/run_test.ts"] },
    { name: "tests/unit", files: ["tests/unit/result_test.ts"] },
    {
      name: "tests/unit/net",
      files: ["tests/unit/net/a_test.ts", "tests/unit/net/b_test.ts"],
    },
  ]);
  assertEquals(alone, []);
});

Deno.test("planOf() keeps apart what has to be alone, and loses nothing", () => {
  const [file = ""] = Object.keys(ALONE);
  const { sideBySide, alone } = planOf([file, "tests/e2e/run_test.ts"]);
  assertEquals(names(sideBySide), ["tests/e2e/run_test.ts"]);
  assertEquals(names(alone), [file]);
});

Deno.test("what has to be alone is there", async () => {
  for (const file of Object.keys(ALONE)) {
    assertEquals((await Deno.stat(new URL(file, ROOT))).isFile, true, file);
  }
});
