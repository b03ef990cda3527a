/**
 * What there is to count of a service. Counting costs a connection some
 * additions; nothing here grows with the number of connections.
 *
 * @module
 */

import type { ResourceUsage } from "../posix/resource_usage.ts";
import { Histogram, type HistogramRecord } from "./histogram.ts";
import { Recent } from "./recent.ts";

/** Reasons beyond that many are counted together. */
const REASONS_MAX = 32;

/** What is counted where there is no room for another reason. */
const OTHER_REASON = "other";

/** How a command ended, for as much as is counted. */
export type CountedEnd = "well" | "failed";

/** What has been counted, but for durations. */
export interface CountedTotals {
  /** When counting began, in milliseconds of the calendar. */
  readonly sinceMs: number;
  readonly connections: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly notStarted: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly endedByHand: number;
  readonly processorMs: number;
}

/** All that has been counted, as plain data. */
export interface CountersRecord extends CountedTotals {
  readonly durations: HistogramRecord;
  /** How many connections came in each of the last seconds, this one last. */
  readonly recent: readonly number[];
}

/** Where whoever refuses connections has them counted. */
export interface RefusalCounter {
  /**
   * Counts a connection that was refused.
   *
   * @param reason Why, as one word of a small set: it becomes a label.
   */
  refused(reason: string): void;
}

/** Counts for one service. */
export class ServiceCounters implements RefusalCounter {
  #sinceMs = Date.now();
  #connections = 0;
  #notStarted = 0;
  #failed = 0;
  #timedOut = 0;
  #endedByHand = 0;
  #processorMs = 0;
  readonly #refused = new Map<string, number>();
  /** Made with the first connection: hundreds of services may have none. */
  #recent: Recent | undefined;
  #durations: Histogram | undefined;

  /**
   * Counts a connection for which a command is started.
   *
   * @param nowMs When, in milliseconds of `performance.now()`.
   */
  connected(nowMs: number): void {
    this.#connections++;
    this.#recent ??= new Recent();
    this.#recent.add(nowMs);
  }

  refused(reason: string): void {
    const count = this.#refused.get(reason);
    const isKnown = count !== undefined || this.#refused.size < REASONS_MAX;
    const label = isKnown ? reason : OTHER_REASON;
    this.#refused.set(label, (this.#refused.get(label) ?? 0) + 1);
  }

  /** Counts a connection that was closed since its command did not start. */
  notStarted(): void {
    this.#notStarted++;
  }

  /**
   * Counts a command that has ended.
   *
   * @param end How: `failed` with an exit status, or killed by a signal.
   * @param spent How long it ran, and what it has used where that is known.
   */
  ended(
    end: CountedEnd,
    { durationMs, used }: {
      durationMs: number;
      used?: Pick<ResourceUsage, "processorMs"> | undefined;
    },
  ): void {
    if (end === "failed") this.#failed++;
    this.#processorMs += used?.processorMs ?? 0;
    this.#durations ??= new Histogram();
    this.#durations.add(durationMs);
  }

  /** Counts a command that was killed when its time was up. */
  timedOut(): void {
    this.#timedOut++;
  }

  /** Counts a command that somebody had ended. */
  endedByHand(): void {
    this.#endedByHand++;
  }

  /** How long commands ran. */
  get durations(): Histogram {
    return this.#durations ?? new Histogram();
  }

  /**
   * How many connections came in each of the last seconds, this one last.
   *
   * @param nowMs When it is, in milliseconds of `performance.now()`.
   * @returns The counts.
   */
  recent(nowMs: number): number[] {
    return (this.#recent ?? new Recent()).counts(nowMs);
  }

  /** What was counted, but for durations. */
  get totals(): CountedTotals {
    return {
      sinceMs: this.#sinceMs,
      connections: this.#connections,
      refused: Object.fromEntries(this.#refused),
      notStarted: this.#notStarted,
      failed: this.#failed,
      timedOut: this.#timedOut,
      endedByHand: this.#endedByHand,
      processorMs: this.#processorMs,
    };
  }

  /** All that was counted. */
  get record(): CountersRecord {
    return {
      ...this.totals,
      durations: this.durations.record,
      recent: this.#recent?.counts(performance.now()) ?? [],
    };
  }

  /**
   * Goes on from where a former image of this process was.
   *
   * @param record What that had counted.
   */
  resume(record: CountersRecord): void {
    this.#sinceMs = record.sinceMs;
    this.#connections += record.connections;
    this.#notStarted += record.notStarted;
    this.#failed += record.failed;
    this.#timedOut += record.timedOut;
    this.#endedByHand += record.endedByHand;
    this.#processorMs += record.processorMs;
    for (const [reason, count] of Object.entries(record.refused)) {
      this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + count);
    }
    if (record.recent.length > 0) {
      this.#recent ??= new Recent();
      this.#recent.resume(record.recent, performance.now());
    }
    if (record.durations.counts.length === 0) return;
    this.#durations ??= new Histogram();
    this.#durations.resume(record.durations);
  }
}
