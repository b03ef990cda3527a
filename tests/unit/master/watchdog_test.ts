import { assertEquals } from "@std/assert";
import { runFixture } from "../fixture.ts";

/** As a shell numbers the end by SIGALRM. */
const ALARM_CODE = 128 + 14;

Deno.test("the watchdog kills a process whose loop does not come round", async () => {
  const { code } = await runFixture("watchdog.ts", { args: ["hangs"] });
  assertEquals(code, ALARM_CODE);
});

Deno.test("the watchdog leaves a process alone whose loop does", async () => {
  const { code, stdout } = await runFixture("watchdog.ts", { args: ["runs"] });
  assertEquals([code, stdout], [0, "through\n"]);
});
