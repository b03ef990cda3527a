import { assert } from "@std/assert";
import { monotonicMs, monotonicOffsetMs } from "../../../lib/posix/clock.ts";
import { output } from "../../e2e/machine.ts";
import { libc } from "../real_libc.ts";

Deno.test("monotonicMs() is the clock that other processes have", async () => {
  const before = monotonicMs(libc);
  const script = "use Time::HiRes; " +
    "print 1000 * Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC())";
  const theirs = Number(await output("/usr/bin/perl", "-e", script));
  const after = monotonicMs(libc);
  assert(before <= theirs && theirs <= after, `${before} ${theirs} ${after}`);
});

Deno.test("monotonicOffsetMs() leads from the runtime's clock to the machine's", () => {
  const offset = monotonicOffsetMs(libc);
  const before = performance.now() + offset;
  const now = monotonicMs(libc);
  const after = performance.now() + offset;
  // Either clock is read to the microsecond at best.
  assert(before - 1 <= now && now <= after + 1, `${before} ${now} ${after}`);
});
