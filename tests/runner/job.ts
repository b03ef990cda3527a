/**
 * One `deno test`, in a process group and, for root, in a network of its own,
 * and for a bounded time.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import type { Job } from "./plan.ts";
import {
  parseSummary,
  parseTimes,
  type Summary,
  type Timed,
} from "./report.ts";

/** How long a process may take, on a slow machine that has more to do. */
const LIMIT_MS = 8 * 60_000;

/** How long it then has to say which tests have not ended. */
const LAST_WORDS_MS = 10_000;

/** A network where no port is taken and the loopback is up, as perl does it. */
const LOOPBACK_UP = `
  use Socket;
  socket(my $s, PF_INET, SOCK_DGRAM, 0) or die "socket: $!";
  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING; what is passed is written to.
  my $request = pack("a16 s x22", "lo", 0x41);
  ioctl($s, 0x8914, $request) or die "lo: $!";
  exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!";
`;
const OWN_NETWORK = ["unshare", "--net", "perl", "-e", LOOPBACK_UP] as const;

/** What is left of a job that has ended. */
export interface Ended {
  readonly job: Job;
  /** All that was printed. */
  readonly output: string;
  /** `undefined` if it did not come so far as to tell. */
  readonly summary: Summary | undefined;
  readonly times: readonly Timed[];
  readonly isGood: boolean;
}

/** How jobs are run. */
export interface RunnerOptions {
  /** The words of `deno test`, before the files. */
  readonly words: readonly string[];
  /** Where outputs are kept for as long as they are wanted. */
  readonly folder: string;
  readonly limitMs?: number;
}

/** Runs jobs. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #prefix: readonly string[];
  readonly #running = new Set<Deno.ChildProcess>();
  #count = 0;
  #isStopped = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#prefix = canHave(OWN_NETWORK) ? OWN_NETWORK : [];
  }

  /** Runs a job to its end. */
  async run(job: Job): Promise<Ended> {
    const { words, folder, limitMs = LIMIT_MS } = this.#options;
    const path = `${folder}/${this.#count++}`;
    // There is something to read even of what is ended before it begins.
    await Deno.writeTextFile(path, "");
    // Into a file: a daemon that a test left behind would hold a pipe open.
    const child = new Deno.Command("sh", {
      args: [
        ...["-c", 'exec "$@" >"$0" 2>&1', path],
        ...this.#prefix,
        ...words,
        `--junit-path=${path}.xml`,
        ...job.files,
      ],
      // In a file it has colours as well, unless it is told otherwise.
      env: Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" },
      stdin: "null",
      detached: true,
    }).spawn();
    this.#running.add(child);
    const isInTime = await endsWithin(child, limitMs);
    this.#running.delete(child);
    const said = await Deno.readTextFile(path);
    const { success } = await child.status;
    return {
      job,
      output: isInTime
        ? said
        : `${said}\n${job.name}: ended after ${limitMs / 1000} s\n`,
      summary: parseSummary(said),
      times: timesOf(job, await textOrNone(`${path}.xml`)),
      isGood: isInTime && success,
    };
  }

  /** Whether no more is to be run. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Ends whatever runs. */
  stop(): void {
    this.#isStopped = true;
    for (const child of this.#running) void end(child);
  }
}

/** A test stands below the file that registers it, which may be a helper. */
function timesOf({ files }: Job, xml: string): Timed[] {
  const [only, ...others] = files;
  const times = parseTimes(xml);
  if (only === undefined || others.length > 0) return times;
  return times.map((each) => ({ ...each, file: only }));
}

/** Waits for a process; ends it when its time is up. */
async function endsWithin(
  child: Deno.ChildProcess,
  limitMs: number,
): Promise<boolean> {
  const timeUp = new AbortController();
  const isInTime = await Promise.race([
    child.status.then(() => true),
    delay(limitMs, timeUp).then(() => false, () => false),
  ]);
  timeUp.abort();
  if (!isInTime) await end(child);
  return isInTime;
}

/** `deno test` names the tests that have not ended as it is interrupted. */
async function end(child: Deno.ChildProcess): Promise<void> {
  signalGroup(child.pid, "SIGINT");
  const tooLate = new AbortController();
  const hasEnded = await Promise.race([
    child.status.then(() => true),
    delay(LAST_WORDS_MS, tooLate).then(() => false, () => true),
  ]);
  tooLate.abort();
  // Its id may be another's once it has ended.
  if (!hasEnded) signalGroup(child.pid, "SIGKILL");
  await child.status;
}

function signalGroup(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Whether a program can be run with these words before it. */
function canHave([program = "", ...words]: readonly string[]): boolean {
  const { success } = new Deno.Command(program, {
    args: [...words, "true"],
    stderr: "null",
  }).outputSync();
  return success;
}

async function textOrNone(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
