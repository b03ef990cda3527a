/**
 * What this process does with signals when it starts: what it inherits must
 * not reach its commands, nor keep it from being stopped.
 *
 * @module
 */

import type { Libc } from "./libc.ts";

// bits/signum-generic.h, bits/sigaction.h, asm/signal.h
const SIGPIPE = 13;
const SIGCHLD = 17;
const SIG_DFL = 0n;
const SIG_IGN = 1n;
const SIG_BLOCK = 0;
const SIG_SETMASK = 2;
const LAST_SIGNAL = 64;

/** `struct sigaction` begins with the handler; 152 bytes on 64-bit Linux. */
const SIGACTION_BYTES = 160;
/** `sigset_t`, as the C library has it and as the kernel has it. */
const SIGSET_BYTES = 128;
const KERNEL_SIGSET_BYTES = 8n;

/**
 * Takes back what the starting program made of signals: none is blocked, and
 * none is ignored but SIGPIPE, which the runtime itself ignores. An ignored
 * SIGCHLD would make every command's end unknown, a blocked SIGTERM would keep
 * the daemon from stopping.
 *
 * @param libc The C library.
 */
export function resetSignals(libc: Libc): void {
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
    c.syscall_signals(rt_sigaction, signal, null, action, KERNEL_SIGSET_BYTES);
    if (handler.getBigUint64(0, true) !== SIG_DFL) signals.push(signal);
  }
  return signals;
}

/**
 * Has the kernel keep SIGCHLD to itself, on this thread and those that it
 * starts: to be called before the runtime starts any. A pidfd tells of each
 * end already, and every signal is blocked on the thread that starts a command,
 * so that a command's end would wake another one in vain.
 *
 * @param libc The C library.
 */
export function blockChildSignals(libc: Libc): void {
  const signals = new Uint8Array(SIGSET_BYTES);
  new DataView(signals.buffer).setUint32(0, 1 << (SIGCHLD - 1), true);
  libc.c.pthread_sigmask(SIG_BLOCK, signals, null);
}
