/**
 * The first words of a daemon that goes on in the place of a former image.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import { monotonicMs } from "../../posix/clock.ts";
import type { Libc } from "../../posix/libc.ts";
import type { Handed } from "./handed.ts";

/**
 * Tells that the daemon was reloaded, and for how long nobody accepted.
 *
 * @param libc The C library.
 * @param handed What the former image has handed on.
 * @param log Where to tell it.
 */
export function tellReloaded(libc: Libc, handed: Handed, log: Log): void {
  const pauseMs = Math.round(monotonicMs(libc) - handed.pausedMs);
  const commands = handed.services
    .reduce((sum, { memory }) => sum + memory.commands.length, 0);
  log.info(
    "reloaded",
    "the new configuration serves from now on, " +
      `commands taken over: ${commands}`,
    { pid: Deno.pid, pauseMs, commands },
  );
}
