import { assert, assertEquals, assertMatch } from "@std/assert";
import { Fixture, runFixture } from "../fixture.ts";

async function logged(...args: string[]): Promise<string[]> {
  const { code, stderr } = await runFixture("log.ts", { args, allow: [] });
  assertEquals(code, 0, stderr);
  return stderr.split("\n").slice(0, -1);
}

Deno.test("openLog() writes text to standard error", async () => {
  const [first = "", second = "", ...others] = await logged("text");
  assertEquals(others, []);
  assertMatch(
    first,
    /^\d{4}-\d\d-\d\dT[\d:.]{12}Z spawnd\[\d+\]: warning: for the daemon$/,
  );
  assertMatch(
    second,
    /^\d\S+Z spawnd\/\/run\/sock\[\d+\]: fatal: for \{braces\} 100% \\x1b$/,
  );
});

Deno.test("openLog() writes priorities for journald", async () => {
  const [first = "", second = ""] = await logged("text", "journal");
  assertMatch(first, /^<4>spawnd\[\d+\]: warning: for the daemon$/);
  assertMatch(second, /^<2>spawnd\/\/run\/sock\[\d+\]: fatal: for /);
});

Deno.test("openLog() writes JSON, for journald as well", async () => {
  for (const journal of ["", "journal"]) {
    const [first = "", second = ""] = await logged("json", journal);
    const { level, service, event, text, fields } = JSON.parse(first);
    assertEquals(
      { level, service, event, text, fields },
      {
        level: "warning",
        service: "",
        event: "configuration",
        text: "for the daemon",
        fields: {},
      },
    );
    const { time, pid, ...rest } = JSON.parse(second);
    assert(Math.abs(Date.parse(time) - Date.now()) < 60_000, time);
    assert(pid > 0 && pid !== Deno.pid);
    assertEquals(rest, {
      level: "fatal",
      service: "/run/sock",
      event: "cannot-go-on",
      text: "for {braces} 100% \x1b",
      fields: { count: 1 },
    });
  }
});

Deno.test("nothing that logs waits for a reader that does not read", async () => {
  const count = 10_000;
  await using fixture = new Fixture("log.ts", {
    args: ["text", "", String(count)],
    allow: [],
  });
  // It has gone past its records although nobody has read one of them.
  assertEquals(await fixture.line(), "logged");
  const { code, stderr } = await fixture.ended();
  assertEquals(code, 0);
  const lines = stderr.split("\n").slice(0, -1);
  const told = lines
    .map((line) =>
      / warning: (\d+) log records were dropped: the reader of standard error does not keep up$/
        .exec(line)?.[1]
    )
    .filter((number) => number !== undefined)
    .map(Number);
  assert(told.length > 0, "no drop was told");
  const dropped = told.reduce((sum, number) => sum + number, 0);
  // Each record is either there or counted, the last two included.
  assertEquals(lines.length - told.length + dropped, count + 2);
});
