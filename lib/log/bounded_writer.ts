/**
 * Writes lines without ever waiting for whoever reads them. What the reader
 * does not take is kept up to a bound; beyond it lines are dropped, counted,
 * and the count is told as soon as there is room.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import type { Timer } from "../timer.ts";

/** Where lines go: standard error, or anything that writes like it. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<number>;
}

/** Settings of a {@linkcode BoundedWriter}. */
export interface BoundedWriterOptions {
  /** How many characters may wait for the reader. */
  readonly maxPending: number;
  /** Makes the line that tells how many lines were dropped. */
  readonly dropped: (count: number) => string;
}

/** How long to leave a reader alone that has no room. */
export const FULL_RETRY_MS = 50;

const encoder = new TextEncoder();

/** A queue of lines before a sink. */
export class BoundedWriter {
  readonly #sink: ByteSink;
  readonly #options: BoundedWriterOptions;
  #pending = "";
  /** Characters not yet written, those under way included. */
  #waiting = 0;
  #droppedCount = 0;
  #writing: Promise<void> | undefined;

  /**
   * @param sink Where lines go.
   * @param options The bound, and how to tell of drops.
   */
  constructor(sink: ByteSink, options: BoundedWriterOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /**
   * Queues a line; returns at once.
   *
   * @param line The line, with its newline.
   */
  write(line: string): void {
    if (this.#waiting + line.length > this.#options.maxPending) {
      this.#droppedCount++;
    } else {
      this.#pending += line;
      this.#waiting += line.length;
    }
    this.#writing ??= this.#writeAll();
  }

  /**
   * Waits until all is written, but not for a reader that has stopped.
   *
   * @param timeoutMs How long to wait at the most.
   */
  async flush(timeoutMs: number): Promise<void> {
    if (this.#writing === undefined) return;
    let timer: Timer | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.#writing, timeout]);
    clearTimeout(timer);
  }

  async #writeAll(): Promise<void> {
    while (this.#pending !== "" || this.#droppedCount > 0) {
      let text = this.#pending;
      this.#pending = "";
      if (this.#droppedCount > 0) {
        text += this.#options.dropped(this.#droppedCount);
        this.#droppedCount = 0;
      }
      await this.#writeBytes(encoder.encode(text));
      this.#waiting = this.#pending.length;
    }
    this.#writing = undefined;
  }

  async #writeBytes(bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      try {
        written += await this.#sink.write(bytes.subarray(written));
      } catch (error) {
        if (!(error instanceof Deno.errors.WouldBlock)) {
          // Nobody reads any more, and there is nobody else to tell.
          return;
        }
        await delay(FULL_RETRY_MS);
      }
    }
  }
}
