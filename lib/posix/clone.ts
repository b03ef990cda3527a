/**
 * clone(2): making a child that runs a call list, while this process goes on at
 * once. Until it has reached exec the child shares this process's memory, so
 * each takes a slot, a list and a stack that nobody else has.
 *
 * The child is never waited for (no CLONE_VFORK): its user may stop it, or hold
 * its command's file, for as long as he likes. The kernel clears the slot's
 * word when the child has left this memory, by exec or by its end.
 *
 * @module
 */

import type { Call } from "./call_list.ts";
import { CallList } from "./call_list.ts";
import { errno, lastError } from "./errno.ts";
import { SIG_SETMASK } from "./headers.ts";
import type { Libc } from "./libc.ts";
import { mapMachineCode } from "./machine_code.ts";
import { KERNEL_SIGSET_BYTES, SIGCHLD } from "./signals.ts";

// linux/sched.h
const CLONE_VM = 0x100;
const CLONE_FILES = 0x400;
const CLONE_PIDFD = 0x1000;
const CLONE_CHILD_CLEARTID = 0x200000;

// linux/futex.h. Not FUTEX_PRIVATE_FLAG: the kernel's own wake-up is without.
const FUTEX_WAIT = 0;

/** The instructions use but a return address; a page is what malloc gives well. */
const STACK_BYTES = 4096n;
/** Left free at the top, where the C library lays its arguments out. */
const STACK_SPARE_BYTES = 64n;
const STACK_ALIGNMENT = 16n;

const SET_BYTES = BigInt(KERNEL_SIGSET_BYTES);
const NANOSECONDS = 1_000_000;

/** What a child needs until it has reached exec. */
export class Slot {
  readonly list: CallList;
  readonly stackTop: bigint;
  readonly #alive = new Int32Array(new ArrayBuffer(4));
  /** The word that the kernel clears. */
  readonly aliveBytes: Uint8Array<ArrayBuffer> = new Uint8Array(
    this.#alive.buffer,
  );
  /** Whether a start was begun in it that nobody has seen the end of. */
  isTaken = false;
  /** What its list was set to execute last. */
  holds: unknown = undefined;
  /** The environment's vector that its list was set to last. */
  environment = 0n;

  /**
   * @param libc The C library.
   * @param calls What its children do.
   * @throws {SystemError} If there is no memory.
   */
  constructor(libc: Libc, calls: readonly Call[]) {
    this.list = new CallList(libc.abi, calls);
    const stack = libc.c.malloc(STACK_BYTES);
    if (stack === 0n) throw lastError(libc, "memory for a command's start");
    const top = stack + STACK_BYTES - STACK_SPARE_BYTES;
    this.stackTop = top - top % STACK_ALIGNMENT;
  }

  /** Whether a child is in it that shares this process's memory. */
  get isInUse(): boolean {
    return Atomics.load(this.#alive, 0) !== 0;
  }

  /** Says that a child is about to be in it, or that there was none. */
  setInUse(isInUse: boolean): void {
    Atomics.store(this.#alive, 0, isInUse ? 1 : 0);
  }
}

/** Makes children; one for the whole process. */
export class Cloner {
  readonly #libc: Libc;
  readonly #code: bigint;
  readonly #every = new Uint8Array(8).fill(0xff);
  readonly #before = new Uint8Array(8);
  readonly #pidFd = new Int32Array(new ArrayBuffer(4));
  readonly #pidFdBytes = new Uint8Array(this.#pidFd.buffer);
  readonly #timeout = new BigInt64Array(new ArrayBuffer(16));
  readonly #timeoutBytes = new Uint8Array(this.#timeout.buffer);

  /**
   * @param libc The C library.
   * @throws {SystemError} If the system does not allow the machine code.
   */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.#code = mapMachineCode(libc);
  }

  /** The pidfd of the last child, closed on exec. */
  get pidFd(): number {
    return this.#pidFd[0] ?? -1;
  }

  /**
   * Runs `action` with every signal blocked, as must be for
   * {@linkcode clone}: a handler of this process's must not run in a child
   * that shares its memory. The child's list unblocks them.
   *
   * @param action What to do; it must not await.
   */
  withoutSignals(action: () => void): void {
    const { c, abi: { systemCalls: { rt_sigprocmask: call } } } = this.#libc;
    // The C library's own wrapper would leave out those that it uses itself.
    c.syscall_signals(
      call,
      SIG_SETMASK,
      this.#every,
      this.#before,
      SET_BYTES,
    );
    try {
      action();
    } finally {
      c.syscall_signals(call, SIG_SETMASK, this.#before, null, SET_BYTES);
    }
  }

  /**
   * Makes a child that runs a slot's list.
   *
   * @param slot The slot, in which no child is.
   * @param sharesDescriptors Whether the child has this process's table of
   * descriptors, until its list takes one of its own: nothing is copied then.
   * @returns Its process id, or the negated error number.
   */
  clone(slot: Slot, sharesDescriptors: boolean): number {
    slot.setInUse(true);
    const flags = CLONE_VM | CLONE_PIDFD | CLONE_CHILD_CLEARTID | SIGCHLD;
    const pid = this.#libc.c.clone(
      this.#code,
      slot.stackTop,
      sharesDescriptors ? flags | CLONE_FILES : flags,
      slot.list.bytes,
      this.#pidFdBytes,
      0n,
      slot.aliveBytes,
    );
    if (pid > 0) return pid;
    const code = errno(this.#libc);
    slot.setInUse(false);
    return -code;
  }

  /**
   * Waits until a slot's child has left this memory, but not for long.
   *
   * @param slot The slot.
   * @param limitMs For how many milliseconds, less than a second.
   */
  await(slot: Slot, limitMs: number): void {
    this.#timeout[1] = BigInt(limitMs * NANOSECONDS);
    this.#libc.c.syscall_futex(
      this.#libc.abi.systemCalls.futex,
      slot.aliveBytes,
      FUTEX_WAIT,
      1,
      this.#timeoutBytes,
    );
  }
}
