import { assert, assertEquals } from "@std/assert";
import { Histogram } from "../../../lib/observe/histogram.ts";

const EIGHTH = 1 / 8;

function of(...durationsMs: number[]): Histogram {
  const histogram = new Histogram();
  for (const durationMs of durationsMs) histogram.add(durationMs);
  return histogram;
}

Deno.test("Histogram gives every quantile to an eighth, whatever the size", () => {
  for (let power = -1; power < 8; power++) {
    for (let digit = 1; digit < 10; digit += 0.37) {
      const durationMs = digit * 10 ** power;
      const told = of(durationMs).quantileMs(0.5) ?? NaN;
      assert(
        durationMs <= told && told <= durationMs * (1 + EIGHTH) + 1e-9,
        `${durationMs} is told as ${told}`,
      );
    }
  }
});

Deno.test("Histogram tells the median and the 99th percentile apart", () => {
  const histogram = of(
    ...Array.from({ length: 985 }, () => 2),
    ...Array.from({ length: 15 }, () => 500),
  );
  assertEquals(histogram.quantileMs(0.5), 2);
  assertEquals(histogram.quantileMs(0.98), 2);
  assertEquals(histogram.quantileMs(0.99), 500);
});

Deno.test("Histogram counts exactly up to the bounds that are told", () => {
  const histogram = of(0, 0.1, 1, 1.01, 2.5, 2.6, 5, 10, 100_000, 1e12);
  assertEquals(
    [0.1, 1, 2.5, 5, 10, 1000, 100_000, 1e8].map((boundMs) =>
      histogram.countUpTo(boundMs)
    ),
    [2, 3, 5, 7, 8, 8, 9, 9],
  );
  assertEquals(histogram.count, 10);
});

Deno.test("Histogram has no quantile of nothing", () => {
  const histogram = of();
  assertEquals(histogram.quantileMs(0.5), undefined);
  assertEquals([histogram.count, histogram.sumMs], [0, 0]);
});

Deno.test("Histogram takes what is beyond every bound, and no number, without an error", () => {
  const histogram = of(1e300, Infinity, -1, NaN);
  assertEquals(histogram.count, 4);
  assertEquals(histogram.quantileMs(1), Infinity);
  assertEquals(histogram.sumMs, 1e300);
});

Deno.test("Histogram goes on where another was", () => {
  const before = of(1, 2, 3, 1e12);
  const after = of(4);
  after.resume(JSON.parse(JSON.stringify(before.record)));
  assertEquals(after.record, of(1, 2, 3, 1e12, 4).record);
  assertEquals(after.count, 5);
});
