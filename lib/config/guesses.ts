/**
 * What was probably meant by a name that is none: the known one that is
 * nearest to it.
 *
 * @module
 */

import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** A name within this many changes of a known one is taken for a slip. */
const SLIP_DISTANCE_MAX = 2;

/** After as many there are no more guesses: with many names each takes long. */
const COMPARISONS_MAX = 20_000;

/** Names, of which one may have been meant. */
export class Guesses {
  readonly #byLength = new Map<number, string[]>();
  #comparisons = 0;

  /** @param known The names that there are. */
  constructor(known: Iterable<string>) {
    for (const name of new Set(known)) {
      const alike = this.#byLength.get(name.length);
      if (alike === undefined) this.#byLength.set(name.length, [name]);
      else alike.push(name);
    }
  }

  /**
   * Guesses what was meant.
   *
   * @param name What was written.
   * @returns The guess as a question, if there is one.
   */
  didYouMean(name: string): string | undefined {
    const alike: string[] = [];
    for (let off = -SLIP_DISTANCE_MAX; off <= SLIP_DISTANCE_MAX; off++) {
      for (const known of this.#byLength.get(name.length + off) ?? []) {
        alike.push(known);
      }
    }
    this.#comparisons += alike.length;
    if (alike.length === 0 || this.#comparisons > COMPARISONS_MAX) {
      return undefined;
    }
    const nearest = closestString(name, alike);
    const distance = levenshteinDistance(name, nearest);
    return distance > 0 && distance <= SLIP_DISTANCE_MAX
      ? `did you mean ${nearest}?`
      : undefined;
  }
}
