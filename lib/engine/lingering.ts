/**
 * Commands whose end cannot be collected when it is known, or is not told: a
 * process that traces one has its status first, for as long as it likes. They
 * are asked by a timer, since a descriptor that stays readable would keep the
 * loop busy for as long.
 *
 * @module
 */

import type { Children } from "../posix/process.ts";
import type { DirectCommand } from "./direct_service.ts";

/** How often they are asked. */
const ASK_MS = 200;

/** How long one that was killed keeps its place after its end. */
const GIVE_UP_MS = 1000;

/** What becomes of them. */
export interface LingeringEvents {
  /**
   * One was collected, with its status word as {@linkcode Children} has it. It
   * is to be deleted then.
   */
  collected(command: DirectCommand, word: number | "gone"): void;
  /** One has ended, but somebody else keeps its status; told again and again. */
  givenUp(command: DirectCommand): void;
}

/** Commands that are asked. */
export class Lingering {
  readonly #children: Children;
  readonly #events: LingeringEvents;
  /** Since when each is known to have ended; `undefined` where it is not. */
  readonly #endedMs = new Map<DirectCommand, number | undefined>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * @param children The way to ask.
   * @param events Whom to tell.
   */
  constructor(children: Children, events: LingeringEvents) {
    this.#children = children;
    this.#events = events;
  }

  /**
   * Takes one in.
   *
   * @param command The command.
   * @param hasEnded Whether it is known to have ended.
   */
  add(command: DirectCommand, hasEnded: boolean): void {
    const endedMs = hasEnded ? performance.now() : undefined;
    this.#endedMs.set(command, this.#endedMs.get(command) ?? endedMs);
    this.#timer ??= setInterval(() => this.#ask(), ASK_MS);
  }

  /** Forgets one that was collected. */
  delete(command: DirectCommand): void {
    this.#endedMs.delete(command);
  }

  /** Finds one by its process id. */
  find(pid: number): DirectCommand | undefined {
    return this.#endedMs.keys().find((command) => command.pid === pid);
  }

  #ask(): void {
    const nowMs = performance.now();
    for (const [command, endedMs] of this.#endedMs) {
      const word = this.#children.collect(command.pid);
      if (word !== undefined) {
        this.#events.collected(command, word);
      } else if (
        command.isKilled && endedMs !== undefined &&
        nowMs - endedMs > GIVE_UP_MS
      ) {
        this.#events.givenUp(command);
      }
    }
    if (this.#endedMs.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
