import { assertEquals } from "@std/assert";
import { ALLOW_AS_DAEMON, reportOf } from "../fixture.ts";

interface Refused {
  readonly before: string[];
  readonly after: string[];
}

async function refused(engine: string): Promise<Refused> {
  return await reportOf<Refused>("lock_down.ts", {
    args: [engine],
    allow: [...ALLOW_AS_DAEMON, "--allow-import=localhost:1"],
  });
}

Deno.test("lockDown() leaves the direct engine no permission at all", async () => {
  const { before, after } = await refused("direct");
  assertEquals(before, []);
  assertEquals(after, [
    "env",
    "ffi",
    "import",
    "net",
    "read",
    "run",
    "sys",
    "write",
  ]);
});

Deno.test("lockDown() leaves the relay engine the starting of programs alone", async () => {
  const { before, after } = await refused("relay");
  assertEquals(before, []);
  assertEquals(after, ["env", "ffi", "import", "net", "read", "sys", "write"]);
});
