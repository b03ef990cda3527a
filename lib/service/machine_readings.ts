/**
 * How busy the machine is, as the kernel tells: files that are opened before
 * the daemon gives its permissions back. Each is read once a second at the
 * most, and only when somebody asks.
 *
 * @module
 */

import {
  type Busy,
  type BusyLimits,
  loadIn,
  pressureIn,
} from "../admission/machine_pressure.ts";
import { PRESSURES } from "../config/admission/pressure_limits.ts";
import { SystemError } from "../posix/errno.ts";
import { KeptFile } from "../posix/kept_file.ts";
import type { Libc } from "../posix/libc.ts";
import { EX, type Mistake } from "../result.ts";

/** What has a value. */
type Reading = Busy["what"];

/** For how long a value is as good as a new one. */
const FRESH_MS = 1000;

/** Where the kernel tells it: proc_loadavg(5), proc_pressure(5). */
const FILES: Readonly<Record<Reading, string>> = {
  load: "/proc/loadavg",
  cpu: "/proc/pressure/cpu",
  memory: "/proc/pressure/memory",
  io: "/proc/pressure/io",
};

interface Kept {
  readonly file: KeptFile;
  value: number | undefined;
  readMs: number;
}

/** The values of this machine. */
export class MachineReadings {
  readonly #kept = new Map<Reading, Kept>();

  /**
   * Opens what has a limit. What the kernel does not tell has no value.
   *
   * @param libc The C library.
   * @param limits The limits.
   */
  open(libc: Libc, limits: BusyLimits): void {
    for (const what of readingsOf(limits)) {
      if (this.#kept.has(what)) continue;
      const file = openFile(libc, what);
      if (!(file instanceof KeptFile)) continue;
      this.#kept.set(what, { file, value: undefined, readMs: -Infinity });
    }
  }

  /**
   * Gives a value.
   *
   * @param what Of what.
   * @param nowMs The monotonic time.
   * @returns The value; `undefined` where the kernel does not tell.
   */
  valueOf(what: Reading, nowMs: number): number | undefined {
    const kept = this.#kept.get(what);
    if (kept === undefined) return undefined;
    if (nowMs - kept.readMs < FRESH_MS) return kept.value;
    kept.readMs = nowMs;
    kept.value = valueIn(what, kept.file);
    return kept.value;
  }
}

function valueIn(what: Reading, file: KeptFile): number | undefined {
  try {
    const text = file.read();
    return what === "load" ? loadIn(text) : pressureIn(text);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return undefined;
  }
}

function readingsOf({ load, pressures }: BusyLimits): Reading[] {
  return [
    ...load === undefined ? [] : ["load" as const],
    ...PRESSURES.filter((name) => pressures[name] !== undefined),
  ];
}

/** A kernel that has it switched off says so when it is read. */
function openFile(libc: Libc, what: Reading): KeptFile | { wrong: string } {
  let file: KeptFile | undefined;
  try {
    file = new KeptFile(libc, FILES[what]);
    file.read();
    return file;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    file?.close();
    return { wrong: error.message };
  }
}

/**
 * Tells what is wrong with limits to what this machine's kernel does not tell.
 *
 * @param libc The C library, if there is one.
 * @param limits The limits.
 * @returns The mistake, if it is one.
 */
export function refuseLimits(
  libc: Libc | undefined,
  limits: BusyLimits,
): Mistake | undefined {
  for (const what of readingsOf(limits)) {
    const file = libc === undefined
      ? { wrong: "the C library cannot be called" }
      : openFile(libc, what);
    if (file instanceof KeptFile) {
      file.close();
      continue;
    }
    return {
      text: `the kernel does not tell how busy it is: ${file.wrong}`,
      mend: what === "load"
        ? "let the daemon have /proc, or leave spawnd_load_limit empty"
        : "start the kernel with psi=1, or leave spawnd_pressure_limit empty",
      exitCode: EX.CONFIG,
    };
  }
  return undefined;
}
