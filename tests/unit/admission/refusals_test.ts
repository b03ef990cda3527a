import { assertEquals } from "@std/assert";
import {
  type RefusalReason,
  type RefusalReport,
  Refusals,
} from "../../../lib/admission/refusals.ts";

const MINUTE_MS = 60_000;

function add(
  refusals: Refusals,
  key: number,
  { nowMs = 0, reason = "not-allowed" }: {
    nowMs?: number;
    reason?: RefusalReason;
  } = {},
): RefusalReport | undefined {
  return refusals.add(reason, { key, name: () => `host ${key}`, nowMs });
}

Deno.test("Refusals says once a minute of a client and a reason that it was refused", () => {
  const refusals = new Refusals();
  const report = { reason: "not-allowed", client: "host 1", count: 1 };
  assertEquals(add(refusals, 1), report);
  assertEquals(add(refusals, 1, { nowMs: 10 }), undefined);
  assertEquals(add(refusals, 1, { nowMs: 20 }), undefined);
  assertEquals(add(refusals, 2, { nowMs: 20 })?.client, "host 2");
  const reason = "connections";
  assertEquals(add(refusals, 1, { nowMs: 20, reason })?.reason, reason);
  assertEquals(refusals.nextMs, MINUTE_MS);
  assertEquals(refusals.due(MINUTE_MS - 1), []);
  assertEquals(refusals.due(MINUTE_MS), [{ ...report, count: 2 }]);
});

Deno.test("Refusals leaves nothing out of a client that goes on being refused", () => {
  const refusals = new Refusals();
  let said = 0;
  let reports = 0;
  const take = (some: readonly (RefusalReport | undefined)[]): void => {
    for (const report of some) {
      if (report === undefined) continue;
      said += report.count;
      reports++;
    }
  };
  for (let nowMs = 0; nowMs < 10 * MINUTE_MS; nowMs += 100) {
    take([add(refusals, 1, { nowMs })]);
    take(refusals.due(nowMs));
  }
  take(refusals.due(11 * MINUTE_MS));
  assertEquals([said, reports], [6_000, 11]);
});

Deno.test("Refusals forgets a client of which nothing is left to say", () => {
  const refusals = new Refusals();
  add(refusals, 1);
  assertEquals(refusals.due(MINUTE_MS), []);
  assertEquals(refusals.nextMs, undefined);
  assertEquals(add(refusals, 1, { nowMs: MINUTE_MS })?.count, 1);
});

Deno.test("Refusals says a hundred things a minute about a million clients", () => {
  const refusals = new Refusals();
  let said = 0;
  for (let key = 0; key < 1_000_000; key++) {
    const nowMs = key / 100;
    if (add(refusals, key, { nowMs }) !== undefined) said++;
    said += refusals.due(nowMs).length;
  }
  assertEquals(said, 100);
  const others = refusals.due(2 * MINUTE_MS);
  assertEquals(others, [
    { reason: "not-allowed", client: undefined, count: 999_900 },
  ]);
  assertEquals(refusals.nextMs, undefined);
});
