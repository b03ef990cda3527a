import { assertEquals } from "@std/assert";
import {
  closingLine,
  noTests,
  parseSummary,
  parseTimes,
  sumOf,
} from "../../runner/report.ts";

const FULL =
  "FAILED | 9 passed (4 steps) | 2 failed (1 step) | 3 ignored (1 step) | " +
  "1 measured | 5 filtered out (1s)";

const COUNTS = {
  "passed": { tests: 9, steps: 4 },
  "failed": { tests: 2, steps: 1 },
  "ignored": { tests: 3, steps: 1 },
  "filtered out": { tests: 5, steps: 0 },
};

Deno.test("parseSummary() reads every count of a closing line", () => {
  assertEquals(parseSummary(`x\n\n${FULL}\n\nerror: Test failed\n`), COUNTS);
});

Deno.test("parseSummary() reads the closing line alone, in colours as well", () => {
  const said = "ok | 7 passed | of what a test has printed\n" +
    "\x1b[0m\x1b[32mok\x1b[0m | 1 passed | 0 failed \x1b[0m(5ms)\x1b[0m\n";
  assertEquals(parseSummary(said)?.passed, { tests: 1, steps: 0 });
});

Deno.test("parseSummary() finds none where a process came to no end", () => {
  assertEquals(
    parseSummary("running 2 tests from x\nfine ... ok (0ms)\n"),
    undefined,
  );
});

Deno.test("closingLine() is what parseSummary() reads, of a sum as well", () => {
  const sum = sumOf([COUNTS, noTests(), COUNTS]);
  const line = closingLine(sum, { isGood: false, tookMs: 125_400 });
  assertEquals(
    line,
    "FAILED | 18 passed (8 steps) | 4 failed (2 steps) | " +
      "6 ignored (2 steps) | 10 filtered out (2m5s)",
  );
  assertEquals(parseSummary(line), sum);
  assertEquals(
    closingLine(noTests(), { isGood: true, tookMs: 900 }),
    "ok | 0 passed | 0 failed | 0 ignored (1s)",
  );
});

Deno.test("parseTimes() reads each test with its file, and whether it failed", () => {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="3" failures="1" errors="0" time="0.011">
    <testsuite name="./tests/a_test.ts" tests="2" disabled="0" errors="0" failures="1">
        <testcase name="is &lt;fine&gt; &amp; &quot;quoted&quot;" classname="./tests/helper.ts" time="0.010" line="1" col="6">
        </testcase>
        <testcase name="is bad" classname="./tests/a_test.ts" time="1.500" line="4" col="6">
            <failure message="Uncaught Error: a">Error: a</failure>
        </testcase>
    </testsuite>
    <testsuite name="./tests/b_test.ts" tests="1" disabled="1" errors="0" failures="0">
        <testcase name="is ignored" classname="./tests/b_test.ts" time="0.000" line="2" col="11">
            <skipped/>
        </testcase>
    </testsuite>
</testsuites>
`;
  assertEquals(parseTimes(xml), [
    {
      file: "tests/a_test.ts",
      name: 'is <fine> & "quoted"',
      seconds: 0.01,
      hasFailed: false,
    },
    {
      file: "tests/a_test.ts",
      name: "is bad",
      seconds: 1.5,
      hasFailed: true,
    },
    {
      file: "tests/b_test.ts",
      name: "is ignored",
      seconds: 0,
      hasFailed: false,
    },
  ]);
  assertEquals(parseTimes(""), []);
});
