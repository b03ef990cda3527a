/**
 * Where the log goes, which is known only when the configuration was read: by
 * then there may have been something to tell.
 *
 * @module
 */

import type { Entry } from "./formats.ts";

/** Where records go. */
export interface EntrySink {
  /** Takes a record; returns at once. */
  write(entry: Entry): void;
  /** Waits for the last records to be taken, but not for longer than that. */
  flush(limitMs: number): Promise<void>;
}

/** How many records are kept for who comes later. */
const KEPT_MAX = 1000;

/** Passes records on to those sinks that it has by now. */
export class Outlet implements EntrySink {
  #sinks: readonly EntrySink[];
  /** What was told so far; not there once it is known who is to be told. */
  #told: Entry[] | undefined = [];

  /** @param sinks The first ones. */
  constructor(...sinks: readonly EntrySink[]) {
    this.#sinks = sinks;
  }

  /**
   * Goes to another sink as well, which is told what the others were told.
   *
   * @param sink The sink.
   */
  add(sink: EntrySink): void {
    if (this.#sinks.includes(sink)) return;
    for (const entry of this.#told ?? []) sink.write(entry);
    this.#sinks = [...this.#sinks, sink];
  }

  /**
   * Goes to one sink alone, or to those that there are: nobody comes later.
   *
   * @param sink The sink, if it is one alone.
   */
  keepTo(sink?: EntrySink): void {
    if (sink !== undefined) this.#sinks = [sink];
    this.#told = undefined;
  }

  write(entry: Entry): void {
    if (this.#told !== undefined && this.#told.length < KEPT_MAX) {
      this.#told.push(entry);
    }
    for (const sink of this.#sinks) sink.write(entry);
  }

  async flush(limitMs: number): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.flush(limitMs)));
  }
}
