import { assertEquals } from "@std/assert";
import { Deadlines } from "../../../lib/service/deadlines.ts";
import { FakeClock } from "./fake_clock.ts";

/** Deadlines of names, and the names whose time was up. */
function testDeadlines(): { deadlines: Deadlines<string>; expired: string[] } {
  const expired: string[] = [];
  const deadlines = new Deadlines<string>((name) => expired.push(name));
  return { deadlines, expired };
}

Deno.test("Deadlines keeps each limit apart, with one timer for all", () => {
  using clock = new FakeClock();
  const { deadlines, expired } = testDeadlines();
  const startedMs = clock.nowMs;
  deadlines.add("long", { startedMs, limitMs: 1000 });
  deadlines.add("short", { startedMs, limitMs: 100 });
  deadlines.add("long too", { startedMs, limitMs: 1000 });
  assertEquals(clock.timers, 1);
  assertEquals(deadlines.size, 3);
  clock.advance(99);
  assertEquals(expired, []);
  clock.advance(1);
  assertEquals(expired, ["short"]);
  assertEquals(clock.timers, 1);
  clock.advance(900);
  assertEquals(expired, ["short", "long", "long too"]);
  assertEquals([deadlines.size, clock.timers], [0, 0]);
});

Deno.test("Deadlines lets a member go whose time has begun long ago", () => {
  using clock = new FakeClock();
  const { deadlines, expired } = testDeadlines();
  deadlines.add("old", { startedMs: -1_000_000, limitMs: 1000 });
  assertEquals(expired, []);
  clock.advance(0);
  assertEquals(expired, ["old"]);
});

Deno.test("Deadlines forgets who is taken out", () => {
  using clock = new FakeClock();
  const { deadlines, expired } = testDeadlines();
  deadlines.add("one", { startedMs: clock.nowMs, limitMs: 100 });
  deadlines.add("two", { startedMs: clock.nowMs + 50, limitMs: 100 });
  assertEquals(deadlines.delete("one"), true);
  assertEquals(deadlines.delete("one"), false);
  assertEquals([...deadlines.entries()], [["two", 100]]);
  clock.advance(149);
  assertEquals(expired, []);
  clock.advance(1);
  assertEquals(expired, ["two"]);
});

Deno.test("Deadlines takes a member in while another's time is up", () => {
  using clock = new FakeClock();
  const expired: string[] = [];
  const deadlines: Deadlines<string> = new Deadlines((name) => {
    expired.push(name);
    if (name === "first") {
      deadlines.add("second", { startedMs: clock.nowMs, limitMs: 10 });
    }
  });
  deadlines.add("first", { startedMs: clock.nowMs, limitMs: 100 });
  clock.advance(109);
  assertEquals(expired, ["first"]);
  clock.advance(1);
  assertEquals(expired, ["first", "second"]);
});
