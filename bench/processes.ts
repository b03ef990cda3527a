/**
 * The processes that the benchmark starts, and that it ends again whatever
 * happens: each by its own pid, on success, on an error and on SIGINT alike.
 *
 * Every process gets the same small environment, without a language: what a
 * server hands on costs the command time.
 *
 * Facts about a process come from `cat /proc/...`: Deno reads nothing below
 * /proc unless it is given every permission there is.
 *
 * @module
 */

const environment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
};

const charactersOfErrorKept = 4000;
const patienceMs = 10_000;
const retryMs = 5;

/** What the benchmark's own failures exit with, as sysexits(3) has them. */
export const exitCodes = { usage: 64, unavailable: 69, interrupted: 130 };

/** The benchmark cannot go on, for a reason that its user can mend. */
export class BenchError extends Error {
  override name = "BenchError";

  /**
   * @param message What is wrong, and how to mend it.
   * @param exitCode What the benchmark is to exit with.
   */
  constructor(message: string, readonly exitCode = exitCodes.unavailable) {
    super(message);
  }
}

/** A process that runs until the benchmark ends it. */
export interface Daemon {
  /** How messages call it. */
  readonly name: string;
  readonly pid: number;
  /** Resolves, never rejects, once the process has ended. */
  readonly ended: Promise<Deno.CommandStatus>;
  /** The end of what it wrote to standard error so far. */
  complaint(): string;
}

/** What a program that ran to its end left behind. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

interface Running {
  child: Deno.ChildProcess;
  ended: Promise<Deno.CommandStatus>;
}

/** Starts processes and knows those that still run. */
export class Processes {
  #running = new Map<number, Running>();
  #closed = false;

  /**
   * Starts a process that stays.
   *
   * @param name How messages call it.
   * @param commandLine The program and its arguments.
   * @returns The running process.
   * @throws {BenchError} When the program is missing.
   */
  startDaemon(name: string, commandLine: readonly string[]): Daemon {
    // In a session of its own, as any daemon has: the kernel may share out the
    // processors by sessions (sched_autogroup), and Ctrl-C is not for it.
    const { child, ended } = this.#start(commandLine, { detached: true });
    let complaint = "";
    child.stderr.pipeThrough(new TextDecoderStream()).pipeTo(
      new WritableStream({
        write(text): void {
          complaint = (complaint + text).slice(-charactersOfErrorKept);
        },
      }),
    );
    child.stdout.pipeTo(new WritableStream());
    return { name, pid: child.pid, ended, complaint: () => complaint.trim() };
  }

  /**
   * Runs a program to its end.
   *
   * @param commandLine The program and its arguments.
   * @returns Its exit code and what it wrote.
   * @throws {BenchError} When the program is missing.
   */
  async run(commandLine: readonly string[]): Promise<Outcome> {
    const { child } = this.#start(commandLine, { detached: false });
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return {
      code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr).trim(),
    };
  }

  /**
   * Runs a program that has to succeed.
   *
   * @param commandLine The program and its arguments.
   * @returns What it wrote to standard output.
   * @throws {BenchError} When it is missing or its exit code is not 0.
   */
  async capture(commandLine: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(commandLine);
    if (code !== 0) {
      throw new BenchError(
        `"${commandLine.join(" ")}" ended with exit code ${code}: ${stderr}`,
      );
    }
    return stdout;
  }

  /**
   * Ends a process: SIGTERM, and SIGKILL when that is not enough. Waits for
   * what it started itself, too: master(8) ends at once, and its daemons, which
   * write below the benchmark's directory, a moment later.
   *
   * @param pid The process, which this object started.
   */
  async end(pid: number): Promise<void> {
    const running = this.#running.get(pid);
    if (running === undefined) return;
    const { child, ended } = running;
    signal(child, "SIGTERM");
    const timer = setTimeout(() => signal(child, "SIGKILL"), patienceMs);
    await ended;
    clearTimeout(timer);
    await untilGroupHasEnded(pid);
  }

  /** Ends all that still run, and refuses to start any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running.keys()].map((pid) => this.end(pid)));
  }

  #start(
    commandLine: readonly string[],
    { detached }: { detached: boolean },
  ): Running {
    if (this.#closed) throw new BenchError("interrupted");
    const [program = "", ...args] = commandLine;
    let child: Deno.ChildProcess;
    try {
      child = new Deno.Command(program, {
        args,
        stdin: "null",
        stdout: "piped",
        stderr: "piped",
        clearEnv: true,
        env: environment,
        detached,
      }).spawn();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new BenchError(`no such program: ${program}`);
    }
    const ended = child.status.finally(() => this.#running.delete(child.pid));
    const running = { child, ended };
    this.#running.set(child.pid, running);
    return running;
  }
}

async function untilGroupHasEnded(pid: number): Promise<void> {
  const until = performance.now() + patienceMs;
  while (isGroup(pid) && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

function isGroup(pid: number): boolean {
  try {
    // Of no effect on a process that is not stopped.
    Deno.kill(-pid, "SIGCONT");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch (error) {
    // It ended by itself, and its status is on its way.
    if (
      !(error instanceof TypeError || error instanceof Deno.errors.NotFound)
    ) {
      throw error;
    }
  }
}
