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

/** Passes records on to those sinks that it has by now. */
export class Outlet implements EntrySink {
  #sinks: readonly EntrySink[];

  /** @param sinks The first ones. */
  constructor(...sinks: readonly EntrySink[]) {
    this.#sinks = sinks;
  }

  /**
   * Goes to another sink as well.
   *
   * @param sink The sink.
   */
  add(sink: EntrySink): void {
    if (!this.#sinks.includes(sink)) this.#sinks = [...this.#sinks, sink];
  }

  /**
   * Goes to one sink alone.
   *
   * @param sink The sink.
   */
  keepTo(sink: EntrySink): void {
    this.#sinks = [sink];
  }

  write(entry: Entry): void {
    for (const sink of this.#sinks) sink.write(entry);
  }

  async flush(limitMs: number): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.flush(limitMs)));
  }
}
