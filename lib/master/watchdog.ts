/**
 * A watchdog over the event loop: where it gets stuck, the kernel ends the
 * process, and master(8) starts another. Nothing in the process itself could
 * be relied on then, so the kernel's own alarm is what is set back each time.
 *
 * @module
 */

import type { Libc } from "../posix/libc.ts";
import { TIMER_MAX_MS } from "../timer.ts";

/** How often the alarm is set back within the time that it leaves. */
const BEATS = 10;

/**
 * Starts the watchdog, which lasts as long as the process.
 *
 * @param libc The C library.
 * @param timeoutSeconds How long the loop may take to come round; SIGALRM, by
 * alarm(2), ends the process within a tenth of that more.
 */
export function startWatchdog(libc: Libc, timeoutSeconds: number): void {
  const beatMs = Math.min((1000 * timeoutSeconds) / BEATS, TIMER_MAX_MS);
  const allowed = Math.ceil(timeoutSeconds + beatMs / 1000);
  const beat = (): void => {
    libc.c.alarm(allowed);
  };
  beat();
  Deno.unrefTimer(setInterval(beat, beatMs));
}
