/**
 * Telling the service manager how it goes: sd_notify(3), without the library.
 *
 * @module
 */

import { monotonicMs } from "../posix/clock.ts";
import { SystemError } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { DatagramSender } from "../posix/sockets.ts";
import { textVariable } from "../text_variable.ts";

const US_PER_MS = 1000;

/** Told in the half of the time within which it must be. */
const WATCHDOG_PART = 2;

/** What there is of a service manager. */
export interface ServiceManagerOptions {
  /** Its socket: a path, or a name that begins with `@`. */
  readonly socket: string;
  /** Within which time it wants to hear from this process; 0 for no limit. */
  readonly watchdogMs: number;
}

/**
 * Reads what the service manager has put into the environment.
 *
 * @returns It; `undefined` where there is none, or none that can be told.
 */
function findServiceManager(): ServiceManagerOptions | undefined {
  const socket = textVariable("NOTIFY_SOCKET");
  if (socket === undefined || !/^[/@]./.test(socket)) return undefined;
  const pid = textVariable("WATCHDOG_PID");
  const isOurs = pid === undefined || pid === String(Deno.pid);
  const watchdogUs = isOurs ? Number(textVariable("WATCHDOG_USEC") ?? 0) : 0;
  const isTime = Number.isSafeInteger(watchdogUs) && watchdogUs > 0;
  return { socket, watchdogMs: isTime ? watchdogUs / US_PER_MS : 0 };
}

/** The service manager. What it does not take is lost: it is told again. */
export class ServiceManager {
  readonly #libc: Libc;
  readonly #sender: DatagramSender;
  readonly #watchdogMs: number;
  #watchdog: ReturnType<typeof setInterval> | undefined;

  private constructor(libc: Libc, options: ServiceManagerOptions) {
    this.#libc = libc;
    this.#sender = new DatagramSender(libc, options.socket);
    this.#watchdogMs = options.watchdogMs;
  }

  /**
   * Finds the service manager, if this process has one.
   *
   * @param libc The C library.
   * @returns It.
   */
  static find(libc: Libc): ServiceManager | undefined {
    const options = findServiceManager();
    if (options === undefined) return undefined;
    try {
      return new ServiceManager(libc, options);
    } catch (error) {
      // A name that is too long for a socket, or no descriptor.
      if (error instanceof SystemError) return undefined;
      throw error;
    }
  }

  /**
   * It accepts connections, for the first time or after a reload.
   *
   * @param status What it does, for people.
   */
  ready(status: string): void {
    this.#tell("READY=1", `STATUS=${oneLine(status)}`);
    if (this.#watchdogMs === 0 || this.#watchdog !== undefined) return;
    this.#tell("WATCHDOG=1");
    this.#watchdog = setInterval(
      () => this.#tell("WATCHDOG=1"),
      this.#watchdogMs / WATCHDOG_PART,
    );
  }

  /** It takes its configuration anew; {@linkcode ready} is to follow. */
  reloading(): void {
    const us = Math.floor(monotonicMs(this.#libc) * US_PER_MS);
    this.#tell("RELOADING=1", `MONOTONIC_USEC=${us}`, "STATUS=Reloading");
  }

  /**
   * It comes to its end.
   *
   * @param status What it waits for, for people.
   */
  stopping(status: string): void {
    this.#tell("STOPPING=1", `STATUS=${oneLine(status)}`);
  }

  /**
   * Tells what it does.
   *
   * @param status It, for people.
   */
  status(status: string): void {
    this.#tell(`STATUS=${oneLine(status)}`);
  }

  /** Tells nothing more of itself. */
  close(): void {
    clearInterval(this.#watchdog);
  }

  #tell(...assignments: readonly string[]): void {
    this.#sender.send(assignments.join("\n"));
  }
}

/** What would begin another assignment. */
function oneLine(text: string): string {
  return text.replaceAll("\n", " ");
}
