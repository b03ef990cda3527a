import { assertEquals } from "@std/assert";
import { Histogram } from "../../../lib/observe/histogram.ts";
import { metricsText } from "../../../lib/observe/prometheus.ts";

Deno.test("metricsText() writes a family with its samples", () => {
  const text = [...metricsText([{
    name: "spawnd_commands",
    type: "gauge",
    help: "Commands that run.",
    samples: [
      { labels: { service: "a" }, value: 3 },
      { labels: { service: "b" }, value: undefined },
      { value: Infinity },
    ],
  }])].join("");
  assertEquals(
    text,
    "# HELP spawnd_commands Commands that run.\n" +
      "# TYPE spawnd_commands gauge\n" +
      'spawnd_commands{service="a"} 3\n' +
      "spawnd_commands +Inf\n",
  );
});

Deno.test("metricsText() lets no name of a service end its label", () => {
  const [, sample] = metricsText([{
    name: "n",
    type: "counter",
    help: "h",
    samples: [{ labels: { service: 'a"} 9\n#\\é' }, value: 1 }],
  }]);
  assertEquals(sample, 'n{service="a\\"} 9\\\\x0a#\\\\é"} 1\n');
});

Deno.test("metricsText() writes a histogram whose buckets add up", () => {
  const histogram = new Histogram();
  for (const durationMs of [0.5, 1, 20, 3000, 1e9]) histogram.add(durationMs);
  const lines = [...metricsText([{
    name: "d_seconds",
    type: "histogram",
    help: "h",
    samples: [{ labels: { service: "a" }, histogram }],
  }])].map((line) => line.trim());
  const counts = lines.flatMap((line) => {
    const [, le, count] = /le="(.*)"} (\d+)$/.exec(line) ?? [];
    return le === undefined ? [] : [[le, Number(count)]];
  });
  assertEquals(Object.fromEntries(counts), {
    ...{ "0.001": 2, "0.0025": 2, "0.005": 2, "0.01": 2, "0.025": 3 },
    ...{ "0.05": 3, "0.1": 3, "0.25": 3, "0.5": 3, "1": 3, "2.5": 3 },
    ...{ "5": 4, "10": 4, "25": 4, "50": 4, "100": 4, "250": 4, "500": 4 },
    ...{ "1000": 4, "+Inf": 5 },
  });
  assertEquals(lines.slice(-2), [
    'd_seconds_sum{service="a"} 1000003.0215',
    'd_seconds_count{service="a"} 5',
  ]);
});
