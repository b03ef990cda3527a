/**
 * What is said of clients that were refused: of each, once a minute for each
 * reason, with the number left out; and of all that there is no room to keep
 * apart, as one. Whoever refuses a million clients a minute says a hundred
 * things a minute about it.
 *
 * @module
 */

import type { ClientKey } from "./client_key.ts";

/** Why clients are refused; each is a label where refusals are counted. */
export type RefusalReason =
  | "not-allowed"
  | "user"
  | "connections"
  | "rate"
  | "proxy"
  | "header";

/** A client that was refused. */
export interface RefusedClient {
  readonly key: ClientKey;
  /** Writes it; called only where something is said of it. */
  readonly name: () => string;
}

/** What is to be said. */
export interface RefusalReport {
  readonly reason: RefusalReason;
  /** Who was refused; `undefined` for those that are not kept apart. */
  readonly client: string | undefined;
  /** How many refusals it stands for. */
  readonly count: number;
}

/** How long nothing is said of what something was said of. */
const QUIET_MS = 60_000;

/** How many are kept apart. */
const KEPT_MAX = 100;

interface Kept {
  readonly reason: RefusalReason;
  readonly client: string;
  readonly toldMs: number;
  leftOut: number;
}

/** Refusals of one service. */
export class Refusals {
  /** In the order in which something was said of them. */
  readonly #kept = new Map<string, Kept>();
  /** Those that are not kept apart, since the last time. */
  readonly #others = new Map<RefusalReason, number>();
  #othersSinceMs = 0;

  /**
   * A client was refused.
   *
   * @param reason Why.
   * @param refused Who, and when.
   * @returns What to say at once; `undefined` for nothing.
   */
  add(
    reason: RefusalReason,
    refused: RefusedClient & { readonly nowMs: number },
  ): RefusalReport | undefined {
    const { key: client, name, nowMs } = refused;
    const key = `${reason} ${client}`;
    const known = this.#kept.get(key);
    if (known !== undefined) {
      known.leftOut++;
      return undefined;
    }
    if (this.#kept.size >= KEPT_MAX) {
      if (this.#others.size === 0) this.#othersSinceMs = nowMs;
      this.#others.set(reason, (this.#others.get(reason) ?? 0) + 1);
      return undefined;
    }
    const kept = { reason, client: name(), toldMs: nowMs, leftOut: 0 };
    this.#kept.set(key, kept);
    return { reason, client: kept.client, count: 1 };
  }

  /**
   * Gives what is to be said by now of what was left out.
   *
   * @param nowMs The time.
   * @returns What to say.
   */
  due(nowMs: number): RefusalReport[] {
    const reports: RefusalReport[] = [];
    let left = this.#kept.size;
    for (const [key, kept] of this.#kept) {
      // What is told again goes to the end, and is not told twice.
      if (left-- === 0 || nowMs - kept.toldMs < QUIET_MS) break;
      this.#kept.delete(key);
      const { reason, client, leftOut: count } = kept;
      if (count === 0) continue;
      reports.push({ reason, client, count });
      this.#kept.set(key, { ...kept, toldMs: nowMs, leftOut: 0 });
    }
    if (this.#others.size > 0 && nowMs - this.#othersSinceMs >= QUIET_MS) {
      for (const [reason, count] of this.#others) {
        reports.push({ reason, client: undefined, count });
      }
      this.#others.clear();
    }
    return reports;
  }

  /** When to ask again for what is due; `undefined` if nothing will be. */
  get nextMs(): number | undefined {
    const [first] = this.#kept.values();
    const oldestMs = Math.min(
      first?.toldMs ?? Infinity,
      this.#others.size > 0 ? this.#othersSinceMs : Infinity,
    );
    return oldestMs === Infinity ? undefined : oldestMs + QUIET_MS;
  }
}
