/**
 * How long things took, in a memory that does not grow: counts by the size of
 * the duration, from a tenth of a millisecond to eleven days, twenty to a
 * power of ten. What is read out of it is so right to an eighth.
 *
 * @module
 */

/** The preferred numbers of ISO 3, R20, that the bounds are made of. */
const STEPS = [
  ...[1, 1.12, 1.25, 1.4, 1.6, 1.8, 2, 2.24, 2.5, 2.8],
  ...[3.15, 3.55, 4, 4.5, 5, 5.6, 6.3, 7.1, 8, 9],
];

const SMALLEST_POWER = -1;
const LARGEST_POWER = 8;

/** The upper bounds, in milliseconds; what is above the last counts apart. */
const BOUNDS_MS: readonly number[] = Array.from(
  { length: LARGEST_POWER - SMALLEST_POWER + 1 },
  (_, index) => {
    const power = SMALLEST_POWER + index;
    // Written as a text, so that 2.24e-1 is the number that one would write.
    return STEPS.map((step) => Number(`${step}e${power}`));
  },
).flat();

/** What a histogram holds, as plain data. */
export interface HistogramRecord {
  readonly sumMs: number;
  /** Pairs of a bound's index and how many there are; none where there are 0. */
  readonly counts: readonly (readonly [index: number, count: number])[];
}

/** Durations. */
export class Histogram {
  readonly #counts = new Float64Array(BOUNDS_MS.length + 1);
  #count = 0;
  #sumMs = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** How long they took together. */
  get sumMs(): number {
    return this.#sumMs;
  }

  /**
   * Takes a duration in.
   *
   * @param durationMs The duration.
   */
  add(durationMs: number): void {
    const index = indexOf(durationMs);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count++;
    // One that is no duration would be in the sum for ever.
    if (Number.isFinite(durationMs)) this.#sumMs += Math.max(0, durationMs);
  }

  /**
   * Tells which duration a part of all do not exceed.
   *
   * @param part The part: 0.5 for the median.
   * @returns Milliseconds; `undefined` where there is none.
   */
  quantileMs(part: number): number | undefined {
    if (this.#count === 0) return undefined;
    const wanted = Math.max(1, Math.ceil(part * this.#count));
    let seen = 0;
    const index = this.#counts.findIndex((count) => (seen += count) >= wanted);
    return BOUNDS_MS[index] ?? Infinity;
  }

  /**
   * Tells how many did not take longer than a bound.
   *
   * @param boundMs The bound: 1, 2, 2.5 or 5 of a power of ten is one of the
   * histogram's own, for which this is exact.
   * @returns How many.
   */
  countUpTo(boundMs: number): number {
    let count = 0;
    for (const [index, bound] of BOUNDS_MS.entries()) {
      if (bound > boundMs) break;
      count += this.#counts[index] ?? 0;
    }
    return count;
  }

  /** What it holds. */
  get record(): HistogramRecord {
    const counts: [number, number][] = [];
    for (const [index, count] of this.#counts.entries()) {
      if (count > 0) counts.push([index, count]);
    }
    return { sumMs: this.#sumMs, counts };
  }

  /**
   * Takes in what another has held.
   *
   * @param record What that was.
   */
  resume({ sumMs, counts }: HistogramRecord): void {
    this.#sumMs += sumMs;
    for (const [index, count] of counts) {
      const at = Math.min(index, BOUNDS_MS.length);
      this.#counts[at] = (this.#counts[at] ?? 0) + count;
      this.#count += count;
    }
  }
}

/** The first bound that is not below it: as good as computed, then put right. */
function indexOf(durationMs: number): number {
  if (!(durationMs > 0)) return 0;
  const guess = Math.ceil(
    (Math.log10(durationMs) - SMALLEST_POWER) * STEPS.length,
  );
  let index = Math.min(Math.max(guess, 0), BOUNDS_MS.length);
  while (index > 0 && (BOUNDS_MS[index - 1] ?? 0) >= durationMs) index--;
  while ((BOUNDS_MS[index] ?? Infinity) < durationMs) index++;
  return index;
}
