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

/**
 * How often those are asked that were given up: their user may make as many as
 * he may have processes, and each costs a system call.
 */
const ASK_GIVEN_UP_MS = 10_000;

/** What becomes of them. */
export interface LingeringEvents {
  /**
   * One was collected, with its status word as {@linkcode Children} has it. It
   * is to be deleted then.
   */
  collected(command: DirectCommand, word: number | "gone"): void;
  /** One has ended, but somebody else keeps its status. */
  givenUp(command: DirectCommand): void;
}

/** Commands that are asked. */
export class Lingering {
  readonly #children: Children;
  readonly #events: LingeringEvents;
  /** Since when each is known to have ended; `undefined` where it is not. */
  readonly #endedMs = new Map<DirectCommand, number | undefined>();
  /** Those that have lost their place. */
  readonly #givenUp = new Set<DirectCommand>();
  #askedGivenUpMs = 0;
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
    this.#endedMs.delete(command) || this.#givenUp.delete(command);
  }

  /** Finds one by its process id. */
  find(pid: number): DirectCommand | undefined {
    const isIt = (command: DirectCommand): boolean => command.pid === pid;
    return this.#endedMs.keys().find(isIt) ??
      this.#givenUp.values().find(isIt);
  }

  #ask(): void {
    const nowMs = performance.now();
    for (const [command, endedMs] of this.#endedMs) {
      if (this.#collect(command)) continue;
      if (
        !command.isKilled || endedMs === undefined ||
        nowMs - endedMs <= GIVE_UP_MS
      ) continue;
      this.#endedMs.delete(command);
      this.#givenUp.add(command);
      this.#events.givenUp(command);
    }
    if (nowMs - this.#askedGivenUpMs >= ASK_GIVEN_UP_MS) {
      this.#askedGivenUpMs = nowMs;
      for (const command of this.#givenUp) this.#collect(command);
    }
    if (this.#endedMs.size > 0 || this.#givenUp.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #collect(command: DirectCommand): boolean {
    const word = this.#children.collect(command.pid);
    if (word === undefined) return false;
    this.#events.collected(command, word);
    return true;
  }
}
