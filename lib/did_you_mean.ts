/**
 * What was probably meant by a word that is none of those known: the one that
 * is nearest to it, as a question.
 *
 * @module
 */

import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** A word within this many changes of a known one is taken for a slip. */
const WORD_DISTANCE_MAX = 3;

/** The same of a name of a configuration, of which there are many. */
const NAME_DISTANCE_MAX = 2;

/** After as many there are no more guesses: with many names each takes long. */
const COMPARISONS_MAX = 20_000;

/**
 * Finds the word that was probably meant.
 *
 * @param word The word given.
 * @param known The words there are.
 * @returns The nearest, or `undefined` if none is near.
 */
export function nearestWord(
  word: string,
  known: readonly string[],
): string | undefined {
  const begins = known.find((name) => word.length > 2 && name.startsWith(word));
  const allowed = Math.min(WORD_DISTANCE_MAX, Math.floor(word.length / 2));
  return begins ?? nearestWithin(allowed, word, known);
}

/**
 * Asks whether a word was meant.
 *
 * @param word The word given.
 * @param known The words there are.
 * @param dashes What stands before each of them.
 * @returns The question, as a mend; `undefined` if none is near.
 */
export function didYouMean(
  word: string,
  known: readonly string[],
  dashes = "",
): string | undefined {
  const nearest = nearestWord(word, known);
  return nearest === undefined ? undefined : asked(dashes + nearest);
}

function asked(word: string): string {
  return `did you mean ${word}?`;
}

function nearestWithin(
  allowed: number,
  word: string,
  known: readonly string[],
): string | undefined {
  if (known.length === 0) return undefined;
  const nearest = closestString(word, [...known]);
  return levenshteinDistance(word, nearest) <= allowed ? nearest : undefined;
}

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
    for (let off = -NAME_DISTANCE_MAX; off <= NAME_DISTANCE_MAX; off++) {
      for (const known of this.#byLength.get(name.length + off) ?? []) {
        alike.push(known);
      }
    }
    this.#comparisons += alike.length;
    if (alike.length === 0 || this.#comparisons > COMPARISONS_MAX) {
      return undefined;
    }
    const nearest = nearestWithin(NAME_DISTANCE_MAX, name, alike);
    return nearest === undefined || nearest === name
      ? undefined
      : asked(nearest);
  }
}
