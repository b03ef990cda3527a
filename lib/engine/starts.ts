/**
 * Looking after commands that are on their way to exec: nothing tells of it
 * when one has come there, so their slots are looked at again and again, each
 * millisecond at first. One that stands still for longer, since its user has
 * stopped it or holds its file, is looked at less often.
 *
 * @module
 */

import type { DirectCommand, DirectService } from "./direct_service.ts";

/** How long a command may take before it is one that stands still. */
const STANDING_MS = 10;

/** How often those that stand still are looked at. */
const STANDING_LOOK_MS = 20;

/** Commands on their way. */
export class Starts {
  readonly #young = new Set<DirectCommand>();
  readonly #standing = new Set<DirectCommand>();
  #lookedMs = 0;

  /** Whether some are to be looked at in a millisecond. */
  get hasYoung(): boolean {
    return this.#young.size > 0;
  }

  /** Whether there are any. */
  get isEmpty(): boolean {
    return this.#young.size === 0 && this.#standing.size === 0;
  }

  /** When to look again, in milliseconds; -1 where there is nothing to see. */
  get lookAgainMs(): number {
    if (this.#young.size > 0) return 1;
    return this.#standing.size > 0 ? STANDING_LOOK_MS : -1;
  }

  /** Takes one in. */
  add(command: DirectCommand): void {
    this.#young.add(command);
  }

  /** Forgets one. */
  delete(command: DirectCommand): void {
    this.#young.delete(command) || this.#standing.delete(command);
  }

  /** The one of a service that may be there soon, if there is any. */
  youngOf(service: DirectService): DirectCommand | undefined {
    for (const command of this.#young) {
      if (command.service === service) return command;
    }
    return undefined;
  }

  /**
   * Looks at them.
   *
   * @param arrived Called for each that has left its slot; it is forgotten
   * before.
   */
  look(arrived: (command: DirectCommand) => void): void {
    if (this.isEmpty) return;
    const nowMs = performance.now();
    for (const command of this.#young) {
      if (!command.start?.slot.isInUse) {
        this.#young.delete(command);
        arrived(command);
      } else if (nowMs - command.startedMs > STANDING_MS) {
        this.#young.delete(command);
        this.#standing.add(command);
      }
    }
    if (
      this.#standing.size === 0 || nowMs - this.#lookedMs < STANDING_LOOK_MS
    ) return;
    this.#lookedMs = nowMs;
    for (const command of this.#standing) {
      if (command.start?.slot.isInUse) continue;
      this.#standing.delete(command);
      arrived(command);
    }
  }
}
