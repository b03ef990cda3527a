/**
 * The machine under the measurements: what it is, and how much of its time
 * went to something else, so that a reader can tell a slow server from a busy
 * machine.
 *
 * @module
 */

import { BenchError, type Processes } from "./processes.ts";

const pauseMs = 150;
const patienceMs = 4_000;
// Below this share of the machine others disturb less than rounds differ; the
// kernel's own threads, which work for everybody, take up to half of it.
const quietShare = 0.1;

/** The machine, without its name. */
export interface Machine {
  processor: string;
  cores: number;
  architecture: string;
  kernel: string;
}

/** What took the machine's time from a measurement, as shares of all of it. */
export interface Disturbance {
  /** Taken by processes that have no part in the measurement. */
  othersShare: number;
  /** Withheld by the host of a virtual machine. */
  stolenShare: number;
}

/** Processor time since the start, of all processors, in clock ticks. */
interface ProcessorTimes {
  total: number;
  /** With nothing to run, or waiting for a disk. */
  idle: number;
  stolen: number;
  /** Of the processes that take part, with their children. */
  ours: number;
}

/**
 * Tells what the machine is.
 *
 * @param processes Reads /proc.
 * @returns Its facts.
 */
export async function findMachine(processes: Processes): Promise<Machine> {
  const cpuinfo = await processes.capture(["cat", "/proc/cpuinfo"]);
  return {
    // Not every architecture names its processor there.
    processor: /^model name\s*: (.*)$/m.exec(cpuinfo)?.[1] ?? "processor",
    cores: navigator.hardwareConcurrency,
    architecture: Deno.build.arch,
    kernel: Deno.osRelease(),
  };
}

/**
 * Measures, and finds out what took time from the measurement.
 *
 * @param pid The server under measurement, whose children count as well: those
 * of master(8) are the server. The client is this process's child.
 * @param processes Reads /proc.
 * @param measure The measurement.
 * @returns Its result and what disturbed it.
 */
export async function observe<T>(
  pid: number,
  processes: Processes,
  measure: () => Promise<T>,
): Promise<T & Disturbance> {
  const before = await readProcessorTimes([pid], processes);
  const result = await measure();
  const after = await readProcessorTimes([pid], processes);
  return { ...result, ...compare(before, after) };
}

/**
 * How much of a run may be lost to a busy machine. Without a bound, a short
 * measurement would take for ever beside a long build; and as a share of the
 * time that has gone by, it is not spent before the last measurements.
 */
export class Patience {
  readonly #began = performance.now();
  readonly #share: number;
  #spentMs = 0;

  /** @param share Of the run, between 0 and 1. */
  constructor(share: number) {
    this.#share = share;
  }

  /** Whether all that there is by now is spent. */
  get isOver(): boolean {
    const allowedMs = this.#share * (performance.now() - this.#began);
    return this.#spentMs >= allowedMs;
  }

  /**
   * Does something that a quiet machine would not have asked for.
   *
   * @param act What to do.
   * @returns What it came to.
   */
  async spend<T>(act: () => Promise<T>): Promise<T> {
    const from = performance.now();
    try {
      return await act();
    } finally {
      this.#spentMs += performance.now() - from;
    }
  }
}

/**
 * Waits until nothing else keeps the machine busy; not for ever, and not at all
 * while the patience is over.
 *
 * @param workshop Reads /proc, and has the patience.
 */
export async function waitForQuiet(
  { processes, patience }: { processes: Processes; patience: Patience },
): Promise<void> {
  const until = performance.now() + patienceMs;
  if (patience.isOver || await isQuietNow(processes)) return;
  await patience.spend(async () => {
    while (performance.now() < until) {
      if (await isQuietNow(processes)) return;
    }
  });
}

async function isQuietNow(processes: Processes): Promise<boolean> {
  const before = await readProcessorTimes([], processes);
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
  const after = await readProcessorTimes([], processes);
  return isQuiet(compare(before, after));
}

/**
 * Tells whether a measurement had the machine to itself.
 *
 * @param disturbance What disturbed it.
 * @returns Whether that is too little to matter.
 */
export function isQuiet({ othersShare, stolenShare }: Disturbance): boolean {
  return othersShare <= quietShare && stolenShare <= quietShare;
}

function compare(from: ProcessorTimes, to: ProcessorTimes): Disturbance {
  const share = (name: keyof ProcessorTimes): number =>
    (to[name] - from[name]) / Math.max(1, to.total - from.total);
  const others = 1 - share("idle") - share("stolen") - share("ours");
  // The kernel counts a process's time more finely than a processor's.
  return { othersShare: Math.max(0, others), stolenShare: share("stolen") };
}

async function readProcessorTimes(
  servers: readonly number[],
  processes: Processes,
): Promise<ProcessorTimes> {
  const children = await findChildren(servers, processes);
  const lines = await readLines(
    ["/proc/stat", ...[Deno.pid, ...servers, ...children].map(statFile)],
    processes,
  );
  // proc_stat(5), the first line: user nice system idle iowait irq softirq
  // steal, and then guest times that user holds already.
  const all = lines[0]?.split(/ +/).slice(1, 9).map(Number) ?? [];
  const [idle, waiting, stolen] = [all[3], all[4], all[7]];
  if (idle === undefined || waiting === undefined || stolen === undefined) {
    throw new BenchError("/proc/stat does not begin as it should");
  }
  return {
    total: sum(all),
    idle: idle + waiting,
    stolen,
    ours: sum(lines.filter((line) => /^\d/.test(line)).map(timeOfProcess)),
  };
}

async function findChildren(
  pids: readonly number[],
  processes: Processes,
): Promise<number[]> {
  if (pids.length === 0) return [];
  const files = pids.map((pid) => `/proc/${pid}/task/${pid}/children`);
  const lines = await readLines(files, processes);
  return lines.flatMap((line) => line.trim().split(" ")).map(Number);
}

function statFile(pid: number): string {
  return `/proc/${pid}/stat`;
}

/** Of the files that are there: a child may just have ended. */
async function readLines(
  files: readonly string[],
  processes: Processes,
): Promise<string[]> {
  const { stdout } = await processes.run(["cat", ...files]);
  return stdout.split("\n").filter((line) => line !== "");
}

/** The time of a process and its reaped children, from its line of /proc. */
function timeOfProcess(line: string): number {
  // proc_pid_stat(5): fields 14 to 17. The second, the name in parentheses,
  // may hold anything; the third follows the last parenthesis.
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  return sum(fields.slice(11, 15).map(Number));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
