/**
 * The text format of Prometheus, 0.0.4: families of samples, made one by one.
 *
 * @module
 */

import { printable } from "../log/printable.ts";
import type { Histogram } from "./histogram.ts";

/** What the format is called in HTTP. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Labels of a sample. */
export type Labels = Readonly<Record<string, string>>;

/** A value with its labels. */
export interface Sample {
  readonly labels?: Labels;
  /** Not there where it is not known. */
  readonly value: number | undefined;
}

/** Samples of one name. */
export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly samples: Iterable<Sample>;
}

/** Durations of one name. */
export interface HistogramFamily {
  readonly name: string;
  readonly type: "histogram";
  readonly help: string;
  readonly samples: Iterable<{ labels: Labels; histogram: Histogram }>;
}

/** The bounds that are told, each one of the histogram's own. */
const BUCKETS_MS = [
  ...[1, 2.5, 5, 10, 25, 50, 100, 250, 500],
  ...[1e3, 2.5e3, 5e3, 1e4, 2.5e4, 5e4, 1e5, 2.5e5, 5e5, 1e6],
];

const MS_PER_SECOND = 1000;

/**
 * Writes families.
 *
 * @param families The families.
 * @returns Their lines, with no more in memory than one.
 */
export function* metricsText(
  families: Iterable<Family | HistogramFamily>,
): Generator<string> {
  for (const family of families) {
    const { name, type, help } = family;
    yield `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    if (family.type === "histogram") {
      for (const { labels, histogram } of family.samples) {
        yield* histogramLines(name, labels, histogram);
      }
      continue;
    }
    for (const { labels = {}, value } of family.samples) {
      if (value !== undefined) yield line(name, labels, value);
    }
  }
}

function* histogramLines(
  name: string,
  labels: Labels,
  histogram: Histogram,
): Generator<string> {
  const { count, sumMs } = histogram;
  for (const boundMs of BUCKETS_MS) {
    const le = String(boundMs / MS_PER_SECOND);
    const upTo = histogram.countUpTo(boundMs);
    yield line(`${name}_bucket`, { ...labels, le }, upTo);
  }
  yield line(`${name}_bucket`, { ...labels, le: "+Inf" }, count);
  yield line(`${name}_sum`, labels, sumMs / MS_PER_SECOND);
  yield line(`${name}_count`, labels, count);
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels)
    .map(([label, text]) => `${label}="${escaped(text)}"`);
  const all = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
  return `${name}${all} ${value === Infinity ? "+Inf" : value}\n`;
}

function escaped(text: string): string {
  return printable(text).replaceAll(/[\\"]/g, (character) => `\\${character}`);
}
