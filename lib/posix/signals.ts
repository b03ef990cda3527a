/**
 * What this process does with signals when it starts: what it inherits must
 * not reach its commands, nor keep it from being stopped.
 *
 * @module
 */

import { constants } from "node:os";
import { checked } from "./errno.ts";
import { lookThrough } from "./files.ts";
import { SIG_SETMASK } from "./headers.ts";
import type { Libc } from "./libc.ts";

// bits/sigaction.h, asm/signal.h
const SIG_DFL = 0n;
const SIG_IGN = 1n;
const LAST_SIGNAL = 64;

/** Signals that somebody here sends, keeps or waits for. */
export const {
  SIGALRM,
  SIGCHLD,
  SIGHUP,
  SIGINT,
  SIGKILL,
  SIGPIPE,
  SIGQUIT,
  SIGTERM,
} = constants.signals;

/** The first one that the runtime has no name for, as it is the C library's. */
export const SIGRTMIN = 34;

/** For cancelling threads, which the C library has to itself and nobody uses. */
export const SIGCANCEL = 32;

const IDLE_NAMES = [
  ...["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGSTKFLT", "SIGXCPU"] as const,
  ...["SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGPWR"] as const,
];

/**
 * Signals that end a process unless it says otherwise, tell of no error of its
 * own, and are asked for by nobody: by their numbers.
 */
export const IDLE_SIGNALS: ReadonlyMap<number, string> = new Map([
  ...IDLE_NAMES.map((name) => [constants.signals[name], name] as const),
  ...Array.from(
    { length: LAST_SIGNAL - SIGRTMIN + 1 },
    (_, index): [number, string] => [
      SIGRTMIN + index,
      index === 0 ? "SIGRTMIN" : `SIGRTMIN+${index}`,
    ],
  ),
]);

/** The links of /proc/self/task: two, as of any folder, and one a thread. */
const LINKS_OF_ONE_THREAD = 3;

/** `struct sigaction` begins with the handler; 152 bytes on 64-bit Linux. */
const SIGACTION_BYTES = 160;
/** `sigset_t`, as the C library has it and as the kernel has it. */
export const SIGSET_BYTES = 128;
export const KERNEL_SIGSET_BYTES = 8;
const SET_BYTES = BigInt(KERNEL_SIGSET_BYTES);
/** The kernel's `struct sigaction`: handler, flags, restorer, mask. */
export const KERNEL_SIGACTION_BYTES = 32;

// sys/signalfd.h
const SFD_CLOEXEC = 0o2000000;
const SFD_NONBLOCK = 0o4000;
/** `struct signalfd_siginfo`, which begins with the signal's number. */
const SIGINFO_BYTES = 128;

/**
 * Takes back what the starting program made of signals: none is ignored but
 * SIGPIPE, which the runtime itself ignores. An ignored SIGCHLD would make
 * every command's end unknown.
 *
 * @param libc The C library.
 */
export function resetDispositions(libc: Libc): void {
  const action = new Uint8Array(SIGACTION_BYTES);
  const handler = new DataView(action.buffer);
  const byDefault = new Uint8Array(SIGACTION_BYTES);
  for (let signal = 1; signal <= LAST_SIGNAL; signal++) {
    // The C library refuses those that it keeps for itself.
    if (libc.c.sigaction(signal, null, action) !== 0) continue;
    if (signal === SIGPIPE || handler.getBigUint64(0, true) !== SIG_IGN) {
      continue;
    }
    libc.c.sigaction(signal, byDefault, null);
  }
}

/**
 * Unblocks every signal: a blocked SIGTERM would keep the daemon from stopping.
 *
 * @param libc The C library.
 */
export function unblockSignals(libc: Libc): void {
  libc.c.pthread_sigmask(SIG_SETMASK, new Uint8Array(SIGSET_BYTES), null);
}

/**
 * Finds the signals that this process handles or ignores, those that the C
 * library keeps for itself included. To be asked when all handlers are there.
 *
 * @param libc The C library.
 * @returns Their numbers.
 */
export function signalsSetAside(libc: Libc): number[] {
  const { c, abi: { systemCalls: { rt_sigaction } } } = libc;
  const action = new Uint8Array(SIGACTION_BYTES);
  const handler = new DataView(action.buffer);
  const signals: number[] = [];
  for (let signal = 1; signal <= LAST_SIGNAL; signal++) {
    c.syscall_signals(rt_sigaction, signal, null, action, SET_BYTES);
    if (handler.getBigUint64(0, true) !== SIG_DFL) signals.push(signal);
  }
  return signals;
}

/**
 * Has the kernel keep signals, on this thread and those that it starts: to be
 * called before the runtime starts any. Every other signal is unblocked.
 *
 * SIGCHLD is kept for good: a pidfd tells of each end already, and every signal is
 * blocked on the thread that starts a command, so that a command's end would
 * wake another one in vain.
 *
 * @param libc The C library.
 * @param signals What to keep beside SIGCHLD: for {@linkcode SignalReader}.
 */
export function keepSignals(libc: Libc, signals: readonly number[]): void {
  const mask = signalSet([SIGCHLD, ...signals]);
  libc.c.pthread_sigmask(SIG_SETMASK, mask, null);
}

/**
 * Tells whether the calling thread is the only one: what it blocks then, the
 * whole process does.
 *
 * @param libc The C library.
 * @returns `false` also where that is not to be seen.
 */
export function isSingleThreaded(libc: Libc): boolean {
  return lookThrough(libc, "/proc/self/task")?.links === LINKS_OF_ONE_THREAD;
}

/**
 * Ignores signals. Each takes a system call to undo for every command.
 *
 * @param libc The C library.
 * @param signals The signals, also those that the C library has to itself.
 */
export function ignoreSignals(libc: Libc, signals: readonly number[]): void {
  const { c, abi: { systemCalls: { rt_sigaction } } } = libc;
  const action = new Uint8Array(SIGACTION_BYTES);
  new DataView(action.buffer).setBigUint64(0, SIG_IGN, true);
  for (const signal of signals) {
    c.syscall_signals(rt_sigaction, signal, action, null, SET_BYTES);
  }
}

/**
 * Takes signals that the kernel keeps, signalfd(2): one that was not taken yet
 * survives execve(2), where one that a handler has taken would be lost.
 */
export class SignalReader {
  readonly #libc: Libc;
  /** Readable while there is a signal to take. */
  readonly fd: number;

  /**
   * @param libc The C library.
   * @param signals Which signals, of those that are kept.
   * @throws {SystemError} If there is no descriptor for it.
   */
  constructor(libc: Libc, signals: readonly number[]) {
    this.#libc = libc;
    const flags = SFD_CLOEXEC | SFD_NONBLOCK;
    this.fd = checked(
      libc,
      "signalfd",
      libc.c.signalfd(-1, signalSet(signals), flags),
    );
  }

  /**
   * Takes what has come; it never waits.
   *
   * @returns The signals, each once.
   */
  take(): number[] {
    const signals: number[] = [];
    const bytes = new Uint8Array(SIGINFO_BYTES);
    const view = new DataView(bytes.buffer);
    while (this.#libc.c.read(this.fd, bytes, BigInt(bytes.length)) > 0n) {
      signals.push(view.getUint32(0, true));
    }
    return signals;
  }
}

function signalSet(signals: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SIGSET_BYTES);
  const view = new DataView(bytes.buffer);
  const set = signals.reduce(
    (set, signal) => set | 1n << BigInt(signal - 1),
    0n,
  );
  view.setBigUint64(0, set, true);
  return bytes;
}
