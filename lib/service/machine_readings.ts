/**
 * How busy the machine is, as the kernel tells: files that are opened before
 * the daemon gives its permissions back, and read again and again through the
 * same descriptors. Each is read once a second at the most, and only when
 * somebody asks.
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
import { EX, type Mistake, reasonOf } from "../result.ts";

/** What has a value. */
type Reading = Busy["what"];

/** For how long a value is as good as a new one. */
const FRESH_MS = 1000;

/** More than such a file has. */
const FILE_BYTES_MAX = 1024;

/** Where the kernel tells it: proc_loadavg(5), proc_pressure(5). */
const FILES: Readonly<Record<Reading, string>> = {
  load: "/proc/loadavg",
  cpu: "/proc/pressure/cpu",
  memory: "/proc/pressure/memory",
  io: "/proc/pressure/io",
};

interface Kept {
  readonly file: Deno.FsFile;
  value: number | undefined;
  readMs: number;
}

/** The values of this machine. */
export class MachineReadings {
  readonly #kept = new Map<Reading, Kept>();
  readonly #bytes = new Uint8Array(FILE_BYTES_MAX);
  readonly #decoder = new TextDecoder();

  /**
   * Opens what has a limit. What the kernel does not tell has no value.
   *
   * @param limits The limits.
   */
  open(limits: BusyLimits): void {
    for (const what of readingsOf(limits)) {
      if (this.#kept.has(what)) continue;
      const file = openFile(what);
      if (!(file instanceof Deno.FsFile)) continue;
      this.#kept.set(what, { file, value: undefined, readMs: -Infinity });
    }
  }

  /**
   * Gives a value.
   *
   * @param what Of what.
   * @param nowMs The monotonic time.
   * @returns The value; `undefined` where the kernel does not tell any more.
   */
  valueOf(what: Reading, nowMs: number): number | undefined {
    const kept = this.#kept.get(what);
    if (kept === undefined) return undefined;
    if (nowMs - kept.readMs < FRESH_MS) return kept.value;
    kept.readMs = nowMs;
    const text = this.#read(kept.file);
    kept.value = what === "load" ? loadIn(text) : pressureIn(text);
    return kept.value;
  }

  /** At its beginning, such a file is made anew. */
  #read(file: Deno.FsFile): string {
    try {
      file.seekSync(0, Deno.SeekMode.Start);
      const count = file.readSync(this.#bytes) ?? 0;
      return this.#decoder.decode(this.#bytes.subarray(0, count));
    } catch {
      return "";
    }
  }
}

function readingsOf({ load, pressures }: BusyLimits): Reading[] {
  return [
    ...load === undefined ? [] : ["load" as const],
    ...PRESSURES.filter((name) => pressures[name] !== undefined),
  ];
}

function openFile(what: Reading): Deno.FsFile | { readonly wrong: string } {
  let file: Deno.FsFile | undefined;
  try {
    file = Deno.openSync(FILES[what]);
    // A kernel that has it switched off says so when it is read.
    file.readSync(new Uint8Array(1));
    return file;
  } catch (error) {
    file?.close();
    return { wrong: reasonOf(error) };
  }
}

/**
 * Tells what is wrong with limits to what this machine's kernel does not tell.
 *
 * @param limits The limits.
 * @returns The mistake, if it is one.
 */
export function refuseLimits(limits: BusyLimits): Mistake | undefined {
  for (const what of readingsOf(limits)) {
    const file = openFile(what);
    if (file instanceof Deno.FsFile) {
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
