/**
 * How a process comes to its processors and its disks, as a user writes it.
 *
 * @module
 */

import {
  IO_CLASSES,
  type IoPriority,
} from "../../posix/surroundings/surroundings.ts";
import type { Parsed } from "../values.ts";
import { wordsOf } from "./words.ts";

/** No kernel is built for more. */
const CPU_MAX = 8191;

const NICE_MIN = -20;
const NICE_MAX = 19;

/** What a process has that nobody has said anything about: linux/ioprio.h. */
const IO_LEVEL = 4;

/**
 * Reads what nice(1) takes.
 *
 * @param text A number.
 * @returns It, or what is wrong with the text.
 */
export function parseNice(text: string): Parsed<number> {
  const value = /^[+-]?\d{1,2}$/.test(text) ? Number(text) : NaN;
  return value >= NICE_MIN && value <= NICE_MAX
    ? { ok: true, value: value + 0 }
    : {
      ok: false,
      wrong: `bad nice value: ${text}`,
      mend: `write a whole number from ${NICE_MIN}, which comes first, to ` +
        `${NICE_MAX}`,
    };
}

/**
 * Reads a class of ionice(1)'s, and the place in it.
 *
 * @param text `idle`, or `best-effort` or `realtime` with a colon and a number.
 * @returns The priority, or what is wrong with the text.
 *
 * @example
 * ```ts
 * parseIoPriority("best-effort:7");
 * ```
 */
export function parseIoPriority(text: string): Parsed<IoPriority> {
  const [name = "", level, ...rest] = text.split(":");
  const known = classNames().find((known) => known === name);
  const isLevel = level === undefined || /^[0-7]$/.test(level);
  const isIdle = known === "idle";
  if (
    known === undefined || !isLevel || rest.length > 0 ||
    isIdle && level !== undefined
  ) {
    return {
      ok: false,
      wrong: `bad priority of input and output: ${text}`,
      mend: "write idle, best-effort:N or realtime:N, from 0, which comes " +
        "first, to 7",
    };
  }
  return {
    ok: true,
    value: {
      class: known,
      level: isIdle ? 0 : level === undefined ? IO_LEVEL : Number(level),
    },
  };
}

function classNames(): (keyof typeof IO_CLASSES)[] {
  return Object.keys(IO_CLASSES) as (keyof typeof IO_CLASSES)[]; // its own keys
}

/**
 * Reads a list of processors as taskset(1) has it.
 *
 * @param text Numbers, and ranges with a hyphen.
 * @returns The numbers, or what is wrong with the text.
 *
 * @example
 * ```ts
 * parseCpus("0-2,5"); // 0, 1, 2, 5
 * ```
 */
export function parseCpus(text: string): Parsed<readonly number[]> {
  const cpus = new Set<number>();
  for (const word of wordsOf(text)) {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(word);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!(first <= last && last <= CPU_MAX)) {
      return {
        ok: false,
        wrong: `bad list of processors: ${word}`,
        mend: `write numbers up to ${CPU_MAX} and ranges: 0-2,5`,
      };
    }
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu);
  }
  return { ok: true, value: [...cpus] };
}
