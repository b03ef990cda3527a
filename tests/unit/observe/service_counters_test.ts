import { assertEquals } from "@std/assert";
import { ServiceCounters } from "../../../lib/observe/service_counters.ts";

Deno.test("ServiceCounters counts what it is told", () => {
  const counters = new ServiceCounters();
  for (let count = 0; count < 3; count++) counters.connected(1000);
  counters.notStarted();
  counters.ended("well", { durationMs: 4, used: { processorMs: 1.5 } });
  counters.ended("failed", { durationMs: 8 });
  counters.timedOut();
  counters.endedByHand();
  counters.refused("clients");
  counters.refused("clients");
  counters.refused("address");
  const { sinceMs: _, ...counted } = counters.totals;
  assertEquals(counted, {
    connections: 3,
    refused: { clients: 2, address: 1 },
    notStarted: 1,
    failed: 1,
    timedOut: 1,
    endedByHand: 1,
    processorMs: 1.5,
  });
  assertEquals(counters.durations.count, 2);
  assertEquals(counters.recent(1999).at(-1), 3);
});

Deno.test("ServiceCounters keeps no more reasons than it has room for", () => {
  const counters = new ServiceCounters();
  for (let count = 0; count < 1000; count++) counters.refused(`r${count}`);
  const { refused } = counters.record;
  assertEquals(Object.keys(refused).length, 33);
  assertEquals(refused["other"], 968);
});

Deno.test("ServiceCounters goes on from what another has counted", () => {
  const before = new ServiceCounters();
  before.connected(0);
  before.ended("failed", { durationMs: 3, used: { processorMs: 2 } });
  before.refused("clients");
  const record = JSON.parse(JSON.stringify(before.record));
  const after = new ServiceCounters();
  after.resume(record);
  assertEquals(after.record, before.record);
  after.connected(0);
  assertEquals(after.record.connections, 2);
});
