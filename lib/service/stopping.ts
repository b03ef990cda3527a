/**
 * How a daemon comes to its end: by which signals, and what they see of it.
 *
 * @module
 */

import type { Log } from "../log/log.ts";
import type { Libc } from "../posix/libc.ts";
import {
  IDLE_SIGNALS,
  ignoreSignals,
  isSingleThreaded,
  keepSignals,
  SIGALRM,
  SIGCANCEL,
  SIGHUP,
  SIGINT,
  SignalReader,
  SIGQUIT,
  SIGRTMIN,
  SIGTERM,
} from "../posix/signals.ts";
import { Deadlines } from "./deadlines.ts";
import { listed } from "./listed.ts";
import type { Service } from "./service.ts";

/** How often the log is told what a stop waits for. */
const TELL_LEFT_MS = 10_000;

/** The same of a log that somebody looks at. */
const TERMINAL_TELL_LEFT_MS = 1000;

/** What is served, and what becomes of it. */
export interface StoppingOptions {
  readonly services: readonly Service[];
  readonly log: Log;
  readonly signals: SignalQueue;
  /**
   * Reloads, and returns only if that has failed: a signal that is to end the
   * daemon instead. Without, SIGHUP does nothing.
   */
  readonly reload: (() => Promise<Deno.Signal | undefined>) | undefined;
  /** Called when the daemon comes to its end, with what it waits for. */
  readonly stopping?: (commands: string) => void;
  /** Why there is nothing to reload. */
  readonly whyNot: string;
  /** How long a stop waits for commands to finish; 0 for no limit. */
  readonly stopTimeoutMs: number;
}

/**
 * Serves until a signal ends it. SIGTERM lets commands finish; a second one,
 * or SIGINT or SIGQUIT, or the end of its time, ends them. SIGHUP reloads.
 *
 * @param options What is served.
 * @returns When the last command has ended after a signal.
 */
export async function untilStopped(options: StoppingOptions): Promise<void> {
  const { services, log, signals, stopTimeoutMs } = options;
  const signal = await untilLeft(options);
  const left = () => services.reduce((sum, { count }) => sum + count, 0);
  const drained = Promise.all(services.map((service) => service.drain()));
  log.info(
    "stopping",
    `${signal}: no more connections are accepted, ` +
      `${commands(left())} left`,
    { signal, left: left() },
  );
  options.stopping?.(`${commands(left())} left`);
  const teller = setInterval(
    () => tellLeft(services, log),
    Deno.stderr.isTerminal() ? TERMINAL_TELL_LEFT_MS : TELL_LEFT_MS,
  );
  if (signal === "SIGTERM") {
    const isOverdue = stopTimeoutMs > 0 && timeIsUp(stopTimeoutMs).then(() => {
      log.warning(
        "stop-timeout",
        `the stop takes longer than ${stopTimeoutMs / 1000} s: ` +
          `${commands(left())} left, to be ended now`,
        { left: left(), timeoutSeconds: stopTimeoutMs / 1000 },
      );
    });
    const waited = isOverdue ? Promise.race([drained, isOverdue]) : drained;
    await signals.fatalBefore(waited);
  }
  await Promise.all(services.map((service) => service.terminate()));
  clearInterval(teller);
  log.info("stopped", "stopped");
}

/** Tells which services still have commands, those with the most first. */
function tellLeft(services: readonly Service[], log: Log): void {
  const busy = services.filter(({ count }) => count > 0)
    .sort((one, other) => other.count - one.count);
  const left = busy.reduce((sum, { count }) => sum + count, 0);
  const names = busy.map(({ name, count }) => `${name} (${count})`);
  log.info("waiting", `${commands(left)} left: ${listed(names)}`, {
    left,
    services: busy.length,
  });
}

/** A limit may be longer than any timer. */
function timeIsUp(limitMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  new Deadlines<"stop">(() => resolve())
    .add("stop", { startedMs: performance.now(), limitMs });
  return promise;
}

/** Waits for the signal by which this process serves no longer. */
async function untilLeft(
  { log, signals, reload, whyNot }: StoppingOptions,
): Promise<Deno.Signal> {
  for (;;) {
    const signal = await signals.next();
    if (signal !== "SIGHUP") return signal;
    if (reload === undefined) {
      log.info("hangup", `SIGHUP ignored: ${whyNot}`);
      continue;
    }
    const fatal = await reload();
    if (fatal !== undefined) return fatal;
  }
}

function commands(count: number): string {
  return count === 1 ? "1 command" : `${count} commands`;
}

/** The signals that a daemon acts on. */
const SIGNALS = { SIGTERM, SIGINT, SIGQUIT, SIGHUP } as const;

/** What a queue is made of. */
export interface SignalQueueOptions {
  readonly log: Log;
  /** The C library, by which the kernel keeps signals; relay has none. */
  readonly libc?: Libc | undefined;
  /** Whether SIGALRM is to end the process: a watchdog's. */
  readonly hasWatchdog?: boolean;
}

/**
 * Signals in the order in which they came. To be made before anything is left
 * behind that a stop has to clear away.
 *
 * Where the C library is there, the kernel keeps them until they are read. The
 * runtime's way is there as well: threads that it has started before this
 * program's own code runs do not leave signals to the kernel, and relay has no
 * other.
 *
 * Those that nobody asks for, and that would end the process, are ignored and
 * told once.
 */
export class SignalQueue {
  readonly #reader: SignalReader | undefined;
  readonly #log: Log;
  readonly #came: Deno.Signal[] = [];
  readonly #told = new Set<number>();
  /** Whether the next SIGTERM means the stop that was begun. */
  #isDrained = false;
  #arrival = Promise.withResolvers<void>();

  /** @param options What it is made of. */
  constructor({ log, libc, hasWatchdog = false }: SignalQueueOptions) {
    this.#log = log;
    const idle = [...IDLE_SIGNALS].filter(([number]) =>
      !(hasWatchdog && number === SIGALRM)
    );
    const isRealTime = (number: number): boolean => number >= SIGRTMIN;
    // Then every thread there will be blocks what this one does.
    const isKept = libc !== undefined && isSingleThreaded(libc);
    if (libc !== undefined) {
      const numbers = idle.map(([number]) => number);
      const kept = [...Object.values(SIGNALS), ...numbers];
      this.#reader = new SignalReader(libc, kept);
      keepSignals(libc, kept);
      const others = isKept ? [] : numbers.filter(isRealTime);
      ignoreSignals(libc, [SIGCANCEL, ...others]);
    }
    for (const signal of Object.keys(SIGNALS)) {
      // The keys of a constant are what is written there.
      const name = signal as keyof typeof SIGNALS;
      Deno.addSignalListener(name, () => this.post(name));
    }
    for (const [number, name] of isKept ? [] : idle) {
      if (isRealTime(number)) continue;
      // The runtime names all others that are in the table.
      Deno.addSignalListener(name as Deno.Signal, () => this.#ignore(number));
    }
  }

  /** Readable when there is something to {@linkcode poll}. */
  get fd(): number | undefined {
    return this.#reader?.fd;
  }

  #ignore(number: number): void {
    const signal = IDLE_SIGNALS.get(number);
    if (signal === undefined || this.#told.has(number)) return;
    this.#told.add(number);
    this.#log.info("signal-ignored", `${signal} ignored: it asks for nothing`, {
      signal,
    });
  }

  /**
   * Puts a signal behind those that have come. Two SIGHUPs ask for no more
   * than one does.
   *
   * @param signal The signal.
   */
  post(signal: keyof typeof SIGNALS): void {
    if (signal === "SIGHUP" && this.has(signal)) return;
    if (signal === "SIGTERM" && this.#isDrained) {
      this.#isDrained = false;
      const text = "SIGTERM: it stops already, as drain has asked";
      this.#log.info("signal-ignored", text, { signal });
      return;
    }
    this.#came.push(signal);
    this.#arrival.resolve();
    this.#arrival = Promise.withResolvers();
  }

  /**
   * Has the daemon stop as by a SIGTERM. The one by which whoever stops it then
   * means the same is not a second one, which would end commands.
   */
  drain(): void {
    this.post("SIGTERM");
    this.#isDrained = true;
  }

  /** Takes over what the kernel has kept until now. */
  poll(): void {
    for (const number of this.#reader?.take() ?? []) {
      for (const [name, value] of Object.entries(SIGNALS)) {
        if (value === number) this.post(name as keyof typeof SIGNALS);
      }
      this.#ignore(number);
    }
  }

  /**
   * Waits for a signal and takes it.
   *
   * @returns The one that came first.
   */
  async next(): Promise<Deno.Signal> {
    for (;;) {
      const signal = this.#came.shift();
      if (signal !== undefined) return signal;
      await this.#arrival.promise;
    }
  }

  /**
   * Tells whether a signal has come and was not taken.
   *
   * @param signal The signal.
   * @returns `true` if it has.
   */
  has(signal: Deno.Signal): boolean {
    return this.#came.includes(signal);
  }

  /**
   * Takes the first signal that ends the daemon.
   *
   * @returns The signal; `undefined` if none has come.
   */
  takeFatal(): Deno.Signal | undefined {
    const at = this.#came.findIndex((signal) => signal !== "SIGHUP");
    return at < 0 ? undefined : this.#came.splice(at, 1)[0];
  }

  /**
   * Waits for something, but not beyond a signal that ends the daemon.
   *
   * @param waited What is waited for.
   * @returns The signal, taken; `undefined` if none came before.
   */
  async fatalBefore(
    waited: Promise<unknown>,
  ): Promise<Deno.Signal | undefined> {
    let isOver = false;
    const over = waited.then(() => {
      isOver = true;
    });
    while (!isOver) {
      const fatal = this.takeFatal();
      if (fatal !== undefined) return fatal;
      await Promise.race([over, this.#arrival.promise]);
    }
    return undefined;
  }
}
