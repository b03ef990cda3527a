import { assertEquals } from "@std/assert";
import { ClientCounts } from "../../../lib/engine/client_counts.ts";

Deno.test("connections are counted by client, and forgotten with the last", () => {
  const counts = new ClientCounts();
  assertEquals([counts.came(1), counts.came(1), counts.came("a")], [1, 2, 1]);
  counts.left(1);
  assertEquals(counts.came(1), 2);
  counts.left(1);
  counts.left(1);
  // One too many is no debt.
  counts.left(1);
  assertEquals(counts.came(1), 1);
});

Deno.test("who cannot be told from others is always alone", () => {
  const counts = new ClientCounts();
  assertEquals([counts.came(undefined), counts.came(undefined)], [1, 1]);
});
