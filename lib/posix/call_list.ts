/**
 * A call list: system calls that a new process makes one after the other, laid
 * out as the machine code reads them (machine_code.ts).
 *
 * In memory it is a header of two 64-bit words, the negated error number and
 * the address of the row at fault, both zero until a call fails; then rows of
 * seven words, a system call's number and six arguments. A call that fails
 * ends the process; the last one is execve(2), which does not come back.
 *
 * @module
 */

import type { Abi, SystemCall } from "./abi.ts";
import type { Libc } from "./libc.ts";
import type { Surroundings } from "./surroundings/surroundings.ts";

/** A system call with its arguments, which the kernel takes as 64-bit words. */
export interface Call {
  readonly call: SystemCall;
  readonly args: readonly (number | bigint)[];
  /** What is said when it fails, before the system's text; nothing by default. */
  readonly what?: string;
  /** What was asked for that it is made for, if it is not every command's. */
  readonly about?: keyof Surroundings;
}

/** Why a list was not run to its end. */
export interface CallFailure {
  /** The error number. */
  readonly code: number;
  /** The call at fault; `undefined` if it cannot be told. */
  readonly call: Call | undefined;
}

const HEADER_WORDS = 2;
const ROW_WORDS = 7;
const ARGS_MAX = ROW_WORDS - 1;
const WORD_BYTES = 8;
const ROW_BYTES = ROW_WORDS * WORD_BYTES;

/** The value of an `int` or of an id that is -1: "leave it as it is". */
export const KEEP = 0xffffffff;

/** A list in memory, whose arguments may be set anew while nobody runs it. */
export class CallList {
  readonly #calls: readonly Call[];
  readonly #words: BigUint64Array<ArrayBuffer>;
  /** The same in halves: little-endian on every architecture that is known. */
  readonly #halves: Int32Array<ArrayBuffer>;
  /** The same, to be passed to the kernel. */
  readonly bytes: Uint8Array<ArrayBuffer>;

  /**
   * @param abi The numbers of the calls.
   * @param calls The calls, in their order.
   * @throws {RangeError} If one has more arguments than the kernel takes.
   */
  constructor(abi: Abi, calls: readonly Call[]) {
    this.#calls = calls;
    this.#words = new BigUint64Array(HEADER_WORDS + calls.length * ROW_WORDS);
    this.#halves = new Int32Array(this.#words.buffer);
    this.bytes = new Uint8Array(this.#words.buffer);
    for (const [row, { call, args }] of calls.entries()) {
      if (args.length > ARGS_MAX) throw new RangeError(`${call}: arguments`);
      this.#words[HEADER_WORDS + row * ROW_WORDS] = abi.systemCalls[call];
      for (const [index, arg] of args.entries()) {
        this.setArgument(row, index, BigInt(arg));
      }
    }
  }

  /**
   * Sets an argument anew.
   *
   * @param row The call's place in the list.
   * @param index The argument's place in the call.
   * @param value The value.
   */
  setArgument(row: number, index: number, value: bigint): void {
    this.#words[HEADER_WORDS + row * ROW_WORDS + 1 + index] = value;
  }

  /**
   * Sets an argument that is a descriptor anew: the one thing that changes
   * from one connection to the next, and so made without a BigInt.
   *
   * @param row The call's place in the list.
   * @param index The argument's place in the call.
   * @param fd The descriptor.
   */
  setDescriptor(row: number, index: number, fd: number): void {
    this.#halves[2 * (HEADER_WORDS + row * ROW_WORDS + 1 + index)] = fd;
  }

  /** Whether a call has failed. To be asked when nobody runs the list. */
  get hasFailed(): boolean {
    return this.#halves[0] !== 0;
  }

  /**
   * Tells which call has failed, and makes the list ready to be run again.
   *
   * @param libc The C library.
   * @returns The failure.
   */
  takeFailure(libc: Libc): CallFailure {
    const code = -(this.#halves[0] ?? 0);
    const call = this.#calls[this.#rowAt(libc, this.#words[1] ?? 0n)];
    this.#words.fill(0n, 0, HEADER_WORDS);
    return { code, call };
  }

  /** The runtime tells no buffer's address, so a row is known by what it says. */
  #rowAt(libc: Libc, address: bigint): number {
    const row = new Uint8Array(ROW_BYTES);
    libc.c.memcpy(row, address, BigInt(ROW_BYTES));
    const words = new BigUint64Array(row.buffer);
    return this.#calls.findIndex((_, index) => {
      const at = HEADER_WORDS + index * ROW_WORDS;
      return words.every((word, offset) => word === this.#words[at + offset]);
    });
  }
}
