import { assertEquals } from "@std/assert";
import { Recent, RECENT_SECONDS } from "../../../lib/observe/recent.ts";

/** The counts that are not zero, by how many seconds ago. */
function counted(recent: Recent, nowMs: number): Record<number, number> {
  return Object.fromEntries(
    recent.counts(nowMs).reverse()
      .map((count, ago) => [ago, count] as const)
      .filter(([, count]) => count > 0),
  );
}

Deno.test("Recent counts by the second", () => {
  const recent = new Recent();
  for (const atMs of [0, 10, 999, 1000, 3500]) recent.add(atMs);
  assertEquals(counted(recent, 3999), { 0: 1, 2: 1, 3: 3 });
  assertEquals(counted(recent, 4000), { 1: 1, 3: 1, 4: 3 });
});

Deno.test("Recent forgets what is longer ago", () => {
  const recent = new Recent();
  recent.add(0);
  assertEquals(counted(recent, 1000 * (RECENT_SECONDS - 1)), {
    [RECENT_SECONDS - 1]: 1,
  });
  assertEquals(counted(recent, 1000 * RECENT_SECONDS), {});
  recent.add(1e9);
  assertEquals(counted(recent, 1e9), { 0: 1 });
});

Deno.test("Recent goes on where another was", () => {
  const before = new Recent();
  for (const atMs of [0, 5000, 5999]) before.add(atMs);
  const after = new Recent();
  // Another clock, and a count of its own already.
  after.add(700);
  after.resume(before.counts(5999), 700);
  assertEquals(counted(after, 700), { 0: 3, 5: 1 });
  after.resume(Array.from({ length: 2 * RECENT_SECONDS }, () => 1), 700);
  assertEquals(after.counts(700).reduce((sum, count) => sum + count), 64);
});
