/**
 * Datagrams on their way to a log daemon, which may have no room, or be about
 * to be started anew: then they are kept up to a bound, and beyond it counted.
 * Nothing here waits.
 *
 * @module
 */

import type { SendOutcome } from "../posix/sockets.ts";
import { FULL_RETRY_MS } from "./bounded_writer.ts";
import type { Timer } from "../timer.ts";

/** How long to leave a reader alone that has just taken some. */
const SLOW_RETRY_MS = 1;

/** The same where there is none. */
const ABSENT_RETRY_MS = 1000;

/** How many records may wait for it. */
const PENDING_MAX = 1000;

/** What a queue is made of. */
export interface DatagramQueueOptions {
  /** Sends a datagram, or tells at once why not. */
  readonly send: (datagram: string) => SendOutcome;
  /** Makes the datagram that tells how many were dropped. */
  readonly dropped: (count: number) => string;
}

/** Datagrams in their order. */
export class DatagramQueue {
  readonly #options: DatagramQueueOptions;
  #pending: string[] = [];
  #droppedCount = 0;
  #isAbsent = false;
  #retry: Timer | undefined;

  /** @param options What it is made of. */
  constructor(options: DatagramQueueOptions) {
    this.#options = options;
  }

  /**
   * Sends a datagram, or keeps it until the reader has room.
   *
   * @param datagram The datagram.
   */
  write(datagram: string): void {
    if (this.#pending.length === 0 && this.#send(datagram)) return;
    if (this.#pending.length >= PENDING_MAX) this.#droppedCount++;
    else this.#pending.push(datagram);
    this.#retry ??= this.#retryIn(
      this.#isAbsent ? ABSENT_RETRY_MS : FULL_RETRY_MS,
    );
  }

  /**
   * Waits until all is sent, but neither for long nor for a reader that is not
   * there.
   *
   * @param limitMs For how long.
   */
  async flush(limitMs: number): Promise<void> {
    const endMs = performance.now() + limitMs;
    while (
      this.#pending.length > 0 && !this.#isAbsent && performance.now() < endMs
    ) {
      await new Promise((resolve) => setTimeout(resolve, FULL_RETRY_MS));
    }
  }

  /** Gives up what was not sent. */
  [Symbol.dispose](): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#pending = [];
  }

  /** What is too large for any reader is not kept for this one. */
  #send(datagram: string): boolean {
    const outcome = this.#options.send(datagram);
    this.#isAbsent = outcome === "absent";
    if (outcome === "too large") this.#droppedCount++;
    return outcome === "sent" || outcome === "too large";
  }

  #retryIn(delayMs: number): Timer {
    return setTimeout(() => this.#again(), delayMs);
  }

  #again(): void {
    this.#retry = undefined;
    const refused = this.#pending.findIndex((line) => !this.#send(line));
    this.#pending = refused < 0 ? [] : this.#pending.slice(refused);
    if (refused >= 0) {
      this.#retry = this.#retryIn(
        refused > 0
          ? SLOW_RETRY_MS
          : this.#isAbsent
          ? ABSENT_RETRY_MS
          : FULL_RETRY_MS,
      );
    } else if (this.#droppedCount > 0) {
      const count = this.#droppedCount;
      this.#droppedCount = 0;
      this.write(this.#options.dropped(count));
    }
  }
}
