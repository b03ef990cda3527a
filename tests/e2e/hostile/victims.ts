/**
 * How those fare that are attacked: the daemon, and the clients of its services.
 *
 * @module
 */

import { assert } from "@std/assert";
import { delay } from "@std/async/delay";
import type { Daemon } from "../daemon.ts";
import { type Folder, output, proc, statusFields } from "../machine.ts";
import { ATTACK_SECONDS, compile } from "./attacker.ts";

/** How long the other service is watched: less than a lease lasts. */
const WATCHED_SECONDS = Math.min(ATTACK_SECONDS, 30);

/**
 * How long a client of a service that nobody attacks may ever wait, on a busy
 * machine: less than the second for which a service rests.
 */
export const UNDISTURBED_MS = 900;

/**
 * For how long the daemon may be in state D. A page of its own file that has to
 * be read takes a moment; a child that is waited for, as long as its user likes.
 */
export const UNINTERRUPTIBLE_MS = 100;

/** USER_HZ, in which Linux counts a process's time for /proc. */
const TICKS_A_SECOND = 100;

/** How the clients of a service fared. */
export interface Fared {
  /** Conversations that were whole. */
  readonly answered: number;
  /** Those that were not, or took ten seconds. */
  readonly lost: number;
  readonly medianMs: number;
  readonly worstMs: number;
}

/** Clients of a service whose command is `served`. */
export interface ClientsOptions {
  readonly address: string;
  /** How many at once; 1 if not given. */
  readonly count?: number;
  readonly seconds?: number;
  /** What each waits between two conversations. */
  readonly pauseMs?: number;
}

/** Has clients talk to a service again and again, in processes of their own. */
export async function clients(
  folder: Folder,
  { address, count = 1, seconds = ATTACK_SECONDS, pauseMs = 0 }: ClientsOptions,
): Promise<Fared> {
  const printed = await output(
    await compile(folder, "clients"),
    address.replace(/^.*:/, ""),
    String(count),
    String(seconds),
    String(1000 * pauseMs),
  );
  const [answered = 0, lost = 0, medianUs = 0, worstUs = 0] = printed.split(" ")
    .map(Number);
  return {
    answered,
    lost,
    medianMs: medianUs / 1000,
    worstMs: worstUs / 1000,
  };
}

/**
 * Asserts that for some seconds a client of the other service never has to
 * wait, and that the daemon does not.
 *
 * @param what During which attack; the figures are printed with it.
 */
export async function assertUndisturbed(
  what: string,
  { folder, daemon, other }: {
    readonly folder: Folder;
    readonly daemon: Daemon;
    readonly other: string;
  },
): Promise<void> {
  const [fared, statesUs] = await Promise.all([
    clients(folder, {
      address: other,
      seconds: WATCHED_SECONDS,
      pauseMs: 5,
    }),
    output(
      await compile(folder, "states"),
      String(daemon.pid),
      String(WATCHED_SECONDS),
    ),
  ]);
  const uninterruptibleMs = Number(statesUs) / 1000;
  console.log(
    `${what}: the other service answered ${fared.answered} times, ` +
      `median ${fared.medianMs.toFixed(1)} ms, ` +
      `worst ${fared.worstMs.toFixed(1)} ms; ` +
      `the daemon was in state D for ${
        uninterruptibleMs.toFixed(1)
      } ms at most`,
  );
  assert(fared.lost === 0, `${what}: ${fared.lost} clients were not answered`);
  assert(fared.answered > 0, what);
  assert(
    fared.worstMs < UNDISTURBED_MS,
    `${what}: a client of the other service waited ${fared.worstMs} ms`,
  );
  assert(
    uninterruptibleMs < UNINTERRUPTIBLE_MS,
    `${what}: the daemon was in state D for ${uninterruptibleMs} ms`,
  );
}

/** The part of one processor that a process takes for a while. */
export async function processorShare(
  pid: number,
  measuredMs = 2000,
): Promise<number> {
  const fromMs = performance.now();
  const from = await ticksOf(pid);
  await delay(measuredMs);
  const seconds = (await ticksOf(pid) - from) / TICKS_A_SECOND;
  return 1000 * seconds / (performance.now() - fromMs);
}

/** A process's processor time, in its own code and in the kernel. */
async function ticksOf(pid: number): Promise<number> {
  const stat = await proc(`${pid}/stat`);
  const [, fields = ""] = /\) (.*)$/s.exec(stat) ?? [];
  // proc(5) counts from the process id, which is 1; the state is 3.
  const [utime, stime] = fields.split(" ").slice(14 - 3);
  return Number(utime) + Number(stime);
}

/** The state of a process, as a letter; `undefined` if it is gone. */
export async function stateOf(pid: number): Promise<string | undefined> {
  const status = await proc(`${pid}/status`).catch(() => "");
  return statusFields(status).get("State")?.[0];
}

/** Signals a process that may have ended by itself. */
export function signalIfThere(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
