/**
 * Time that goes on when a test says so, for `performance.now()` and timers.
 *
 * @module
 */

interface Timer {
  readonly dueMs: number;
  readonly action: () => void;
}

/** Replaces the clock and the timers. Goes with the scope: `using`. */
export class FakeClock implements Disposable {
  readonly #real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
  };
  readonly #realNow = performance.now;
  readonly #timers = new Map<number, Timer>();
  #lastTimer = 0;
  #nowMs = 1000;

  constructor() {
    performance.now = () => this.#nowMs;
    Object.assign(globalThis, {
      setTimeout: (action: () => void, delayMs = 0): number => {
        const id = ++this.#lastTimer;
        // As the runtime does, which keeps a delay in 32 bits.
        const dueMs = this.#nowMs + (delayMs > 2 ** 31 - 1 ? 1 : delayMs);
        this.#timers.set(id, { dueMs, action });
        return id;
      },
      clearTimeout: (id: number): void => {
        this.#timers.delete(id);
      },
    });
  }

  /** The time in milliseconds, as `performance.now()` tells it. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass; timers that fall due on the way fire in their order. */
  advance(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    for (;;) {
      const [next] = [...this.#timers]
        .filter(([, { dueMs }]) => dueMs <= endMs)
        .sort(([, one], [, other]) => one.dueMs - other.dueMs);
      if (next === undefined) break;
      const [id, { dueMs, action }] = next;
      this.#timers.delete(id);
      this.#nowMs = Math.max(this.#nowMs, dueMs);
      action();
    }
    this.#nowMs = endMs;
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, this.#real);
    performance.now = this.#realNow;
  }
}
