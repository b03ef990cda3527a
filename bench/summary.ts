/**
 * What many measurements come to: medians over the rounds, and ratios that are
 * taken within each round first, where both sides had the same machine.
 *
 * @module
 */

import type { Workload } from "./commands.ts";
import type { Measurement } from "./load.ts";
import type { TargetName } from "./servers.ts";

/** What one line of figures is about. */
export interface Subject<Name extends string = TargetName> {
  workload: Workload;
  server: Name;
  clients: number;
}

/** One server's medians over the rounds at one number of clients. */
export interface Summary<Name extends string = TargetName>
  extends Subject<Name> {
  rate: number;
  p50Us: number;
  p99Us: number;
  clientCpuShare: number;
  machineUsEach: number;
  /** Null where the server is not one process, this and the next. */
  daemonUsEach: number | null;
  childrenUsEach: number | null;
  /** Not a median: the errors of all rounds. */
  errors: number;
}

/**
 * Takes the medians over the rounds.
 *
 * @param measurements All measurements of a run.
 * @returns One summary for each server and workload at each number of clients.
 */
export function summarize<Name extends string>(
  measurements: readonly Measurement<Name>[],
): Summary<Name>[] {
  const groups = Map.groupBy(
    measurements,
    ({ workload, clients, server }) => `${workload} ${clients} ${server}`,
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { workload, server, clients } = first;
    const middle = (figure: (one: Measurement<Name>) => number): number =>
      median(group.map(figure));
    return [{
      ...{ workload, server, clients },
      rate: middle((one) => one.rate),
      p50Us: middle((one) => one.p50Us),
      p99Us: middle((one) => one.p99Us),
      clientCpuShare: middle((one) => one.clientCpuShare),
      machineUsEach: middle((one) => one.machineUsEach),
      daemonUsEach: medianOfKnown(group.map((one) => one.daemonUsEach)),
      childrenUsEach: medianOfKnown(group.map((one) => one.childrenUsEach)),
      errors: group.reduce((sum, one) => sum + one.errors, 0),
    }];
  });
}

/**
 * Finds the figures of one subject.
 *
 * @param figures Summaries or measurements.
 * @param subject The workload, the server and the number of clients.
 * @returns Those about it.
 */
export function select<Figure extends Subject<string>>(
  figures: readonly Figure[],
  { workload, server, clients }: NoInfer<Pick<Figure, keyof Subject>>,
): Figure[] {
  return figures.filter((one) =>
    one.workload === workload && one.server === server &&
    one.clients === clients
  );
}

/** Figures on both sides of a ratio. */
export interface Pairs<Figure extends { round: number }> {
  above: readonly Figure[];
  below: readonly Figure[];
}

/**
 * Compares two subjects: the ratio within each round, and the median of that.
 *
 * @param pairs Both sides' measurements, a round's once on each side.
 * @param figure What to compare.
 * @returns The ratio; NaN where no round has both.
 */
export function medianRatio<Figure extends { round: number }>(
  { above, below }: Pairs<Figure>,
  figure: (one: Figure) => number,
): number {
  return median(above.flatMap((one) => {
    const other = below.find(({ round }) => round === one.round);
    return other === undefined ? [] : [figure(one) / figure(other)];
  }));
}

/**
 * The value in the middle, or the mean of the two that are.
 *
 * @param values At least one number.
 * @returns Their median; NaN of none.
 */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN;
  return (lower + upper) / 2;
}

function medianOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}
