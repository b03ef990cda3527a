/**
 * How many there were in each of the last sixty seconds.
 *
 * @module
 */

/** How far back it goes. */
export const RECENT_SECONDS = 60;

const MS_PER_SECOND = 1000;

/** Counts by the second. */
export class Recent {
  readonly #counts = new Uint32Array(RECENT_SECONDS);
  /** The second that was counted in last. */
  #second = -Infinity;

  /**
   * Counts one.
   *
   * @param nowMs When it was.
   */
  add(nowMs: number): void {
    this.#goTo(nowMs);
    const slot = this.#second % RECENT_SECONDS;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
  }

  /**
   * Gives the counts.
   *
   * @param nowMs When it is.
   * @returns One count a second, the one that is not over yet last.
   */
  counts(nowMs: number): number[] {
    this.#goTo(nowMs);
    return Array.from(
      { length: RECENT_SECONDS },
      (_, index) =>
        this.#counts[(this.#second + 1 + index) % RECENT_SECONDS] ??
          0,
    );
  }

  /**
   * Takes in what another has counted just before.
   *
   * @param counts One count a second, the last one last.
   * @param nowMs When it is.
   */
  resume(counts: readonly number[], nowMs: number): void {
    this.#goTo(nowMs);
    for (const [ago, count] of counts.toReversed().entries()) {
      if (ago >= RECENT_SECONDS) return;
      const slot = (this.#second + RECENT_SECONDS - ago) % RECENT_SECONDS;
      this.#counts[slot] = (this.#counts[slot] ?? 0) + count;
    }
  }

  /** Empties the slots of the seconds in between. */
  #goTo(nowMs: number): void {
    const second = Math.floor(nowMs / MS_PER_SECOND);
    if (second <= this.#second) return;
    const first = Math.max(this.#second + 1, second - RECENT_SECONDS + 1);
    for (let empty = first; empty <= second; empty++) {
      this.#counts[empty % RECENT_SECONDS] = 0;
    }
    this.#second = second;
  }
}
