/**
 * Rules about clients, compiled: the addresses from the lowest to the highest
 * in ranges with one verdict each, so that what a rule says of an address is
 * found by halving, however many rules there are. A table is plain data, which
 * a reload hands on.
 *
 * @module
 */

import type {
  ClientRule,
  ClientVerdict,
} from "../config/admission/client_rules.ts";
import type { AddressRange } from "../config/admission/networks.ts";
import { type IpAddress, WORD_BITS } from "../posix/ip_address.ts";

/** What no rule says anything of. */
const NONE = -1;

/** The addresses of one kind. */
export interface RangeTable {
  /** The words of the first address of each range, in their order. */
  readonly starts: readonly number[];
  /** Which verdict each range has; -1 for none. */
  readonly verdicts: readonly number[];
}

/** The addresses of both kinds. */
export interface ClientTable {
  readonly inet4: RangeTable;
  readonly inet6: RangeTable;
  readonly verdicts: readonly ClientVerdict[];
}

/**
 * Compiles rules.
 *
 * @param rules The rules, of which the first one counts that an address
 * matches.
 * @returns The table.
 */
export function compileClientTable(
  rules: readonly ClientRule[],
): ClientTable {
  const verdicts = new Map<string, ClientVerdict>();
  const indexes = rules.map(({ verdict }) => {
    const key = JSON.stringify(verdict);
    if (!verdicts.has(key)) verdicts.set(key, verdict);
    return key;
  });
  const order = [...verdicts.keys()];
  const places = new Map(order.map((key, index) => [key, index]));
  const painted = rules.flatMap(({ ranges }, rule) =>
    ranges.map((range) => ({
      range,
      verdict: places.get(indexes[rule] ?? "") ?? NONE,
    }))
  );
  return {
    inet4: compileRanges(painted, 1),
    inet6: compileRanges(painted, 4),
    verdicts: [...verdicts.values()],
  };
}

/** A range with the verdict of its rule. */
interface Painted {
  readonly range: AddressRange;
  readonly verdict: number;
}

/**
 * The bounds of all ranges cut the addresses into pieces. Rule after rule gives
 * its verdict to those of its pieces that have none yet; those that have one
 * are gone past in one step.
 */
function compileRanges(
  all: readonly Painted[],
  words: 1 | 4,
): RangeTable {
  const painted = all
    .filter(({ range }) => range.first.length === words)
    .map(({ range, verdict }) => ({
      start: numberOf(range.first),
      end: numberOf(range.last) + 1n,
      verdict,
    }));
  const bounds = [
    ...new Set(painted.flatMap(({ start, end }) => [start, end])),
  ].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const places = new Map(bounds.map((bound, index) => [bound, index]));
  const verdicts = new Int32Array(bounds.length).fill(NONE);
  /** From each piece, one that is not before the next one without a verdict. */
  const next = Int32Array.from({ length: bounds.length + 1 }, (_, at) => at);
  for (const { start, end, verdict } of painted) {
    const last = places.get(end) ?? 0;
    let at = free(next, places.get(start) ?? 0);
    while (at < last) {
      verdicts[at] = verdict;
      next[at] = at + 1;
      at = free(next, at);
    }
  }
  return merged(bounds, verdicts, words);
}

function free(next: Int32Array, from: number): number {
  let at = from;
  for (;;) {
    const step = next[at] ?? at;
    if (step === at) return at;
    // Halves the way for whoever comes next.
    next[at] = next[step] ?? step;
    at = step;
  }
}

/** Neighbours with the same verdict are one. */
function merged(
  bounds: readonly bigint[],
  verdicts: Int32Array,
  words: 1 | 4,
): RangeTable {
  const starts: number[] = [];
  const kept: number[] = [];
  bounds.forEach((bound, index) => {
    const verdict = verdicts[index] ?? NONE;
    if (verdict === (kept.at(-1) ?? NONE)) return;
    // The bound past the highest address begins nothing.
    if (bound >> BigInt(words * WORD_BITS) > 0n) return;
    kept.push(verdict);
    for (let word = words - 1; word >= 0; word--) {
      starts.push(
        Number(BigInt.asUintN(WORD_BITS, bound >> BigInt(word * WORD_BITS))),
      );
    }
  });
  return { starts, verdicts: kept };
}

function numberOf(address: IpAddress): bigint {
  return address.reduce(
    (number, word) => (number << BigInt(WORD_BITS)) | BigInt(word),
    0n,
  );
}

/** Finds what a table says. */
export class ClientVerdicts {
  readonly #inet4: Uint32Array;
  readonly #inet6: Uint32Array;
  readonly #table: ClientTable;
  /** The IPv4 address that was asked for last: many clients come again at once. */
  #last = NONE;
  #lastVerdict: ClientVerdict | undefined;

  /** @param table The table. */
  constructor(table: ClientTable) {
    this.#table = table;
    this.#inet4 = Uint32Array.from(table.inet4.starts);
    this.#inet6 = Uint32Array.from(table.inet6.starts);
  }

  /**
   * Finds the verdict on an address.
   *
   * @param address The address.
   * @returns The verdict; `undefined` where no rule is about it.
   */
  find(address: IpAddress): ClientVerdict | undefined {
    const { inet4, inet6 } = this.#table;
    const [first = NONE] = address;
    if (address.length > 1) {
      return this.#verdict(inet6.verdicts[lastStart6(this.#inet6, address)]);
    }
    if (first === this.#last) return this.#lastVerdict;
    const range = lastStart4(this.#inet4, first);
    this.#last = first;
    this.#lastVerdict = this.#verdict(inet4.verdicts[range]);
    return this.#lastVerdict;
  }

  #verdict(index = NONE): ClientVerdict | undefined {
    return index === NONE ? undefined : this.#table.verdicts[index];
  }
}

/** The last range that begins at an address or before it; -1 for none. */
function lastStart4(starts: Uint32Array, address: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function lastStart6(starts: Uint32Array, address: IpAddress): number {
  let low = 0;
  let high = starts.length >> 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isAtOrBefore(starts, middle << 2, address)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function isAtOrBefore(
  starts: Uint32Array,
  at: number,
  address: IpAddress,
): boolean {
  for (let word = 0; word < address.length; word++) {
    const difference = (starts[at + word] ?? 0) - (address[word] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return true;
}
