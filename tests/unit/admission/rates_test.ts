import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ClientRates, Rate } from "../../../lib/admission/rates.ts";

const UNIT_MS = 60_000;
const STEP_MS = UNIT_MS / 30;

Deno.test("Rate counts what happened within the last unit of time", () => {
  const rate = new Rate(UNIT_MS);
  const startMs = 1_000_000;
  assertEquals(rate.countAt(startMs), 0);
  rate.add(startMs);
  rate.add(startMs + 1);
  rate.add(startMs + UNIT_MS / 2);
  assertEquals(rate.countAt(startMs + UNIT_MS / 2), 3);
  assertEquals(rate.countAt(startMs + UNIT_MS), 3);
  assertEquals(rate.countAt(startMs + UNIT_MS + 2 * STEP_MS), 1);
  assertEquals(rate.countAt(startMs + 2 * UNIT_MS), 0);
});

Deno.test("Rate never lets more through in any unit of time than a limit says, and stops nobody for longer", () => {
  const pauses = fc.array(fc.nat(4_000), { maxLength: 500, size: "max" });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), pauses, (limit, pauses) => {
      const rate = new Rate(UNIT_MS);
      const taken: number[] = [];
      let nowMs = 12_345;
      for (const pauseMs of pauses) {
        nowMs += pauseMs;
        if (rate.countAt(nowMs) < limit) {
          rate.add(nowMs);
          taken.push(nowMs);
          continue;
        }
        // Then the limit was reached within a unit of time and a step.
        const oldest = taken.at(-limit) ?? 0;
        assert(nowMs - oldest <= UNIT_MS + 2 * STEP_MS);
        assert(rate.nextMs > nowMs);
        assert(rate.nextMs <= nowMs + UNIT_MS + STEP_MS);
      }
      for (let index = limit; index < taken.length; index++) {
        const before = taken[index - limit] ?? 0;
        assert((taken[index] ?? 0) - before > UNIT_MS);
      }
    }),
  );
});

Deno.test("Rate has room again at the moment that it names", () => {
  const rate = new Rate(UNIT_MS);
  rate.add(777);
  const { nextMs } = rate;
  assertEquals(rate.countAt(nextMs - 1), 1);
  assertEquals(rate.countAt(nextMs), 0);
});

Deno.test("ClientRates keeps clients apart", () => {
  const rates = new ClientRates({ unitMs: UNIT_MS, clientsMax: 10 });
  const add = (client: number | string, nowMs = 0): boolean =>
    rates.add(client, { nowMs, limit: 2 });
  assertEquals([add(1), add(1), add(1)], [true, true, false]);
  assertEquals([add("2001"), add(1), add("2001")], [true, false, true]);
  assertEquals(add(1, 2 * UNIT_MS), true);
});

Deno.test("a flood from a million addresses is remembered up to the bound, the latest ones first", () => {
  const clientsMax = 1_000;
  const rates = new ClientRates({ unitMs: UNIT_MS, clientsMax });
  const busy = -1;
  const add = (client: number, limit: number, nowMs: number): boolean =>
    rates.add(client, { nowMs, limit });
  let most = 0;
  let served = 0;
  for (let client = 0; client < 1_000_000; client++) {
    const nowMs = client / 100;
    add(client, 1, nowMs);
    if (client % 500 === 0 && add(busy, 100, nowMs)) served++;
    most = Math.max(most, rates.size);
  }
  assertEquals(most, clientsMax);
  // It comes again and again, and is never idle: it was not forgotten.
  assertEquals(served, 100);
  assertEquals(add(999_999, 1, 10_000), false);
  assertEquals(add(990_000, 1, 10_000), true);
});

Deno.test("ClientRates forgets clients that were idle for a unit of time", () => {
  const rates = new ClientRates({ unitMs: UNIT_MS, clientsMax: 1_000 });
  for (let client = 0; client < 100; client++) {
    rates.add(client, { nowMs: 0, limit: 1 });
  }
  rates.add("new", { nowMs: 3 * UNIT_MS, limit: 1 });
  assertEquals(rates.size, 1);
});
