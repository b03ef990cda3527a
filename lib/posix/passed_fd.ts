/**
 * Descriptors that arrive over a unix socket: unix(7), SCM_RIGHTS.
 *
 * @module
 */

import { EAGAIN, errno, lastError } from "./errno.ts";
import type { Libc } from "./libc.ts";
import { SOL_SOCKET } from "./sockets.ts";

// bits/socket.h
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;

// `struct msghdr` (bits/socket.h), `struct iovec`, `struct cmsghdr`, as they
// are on every 64-bit Linux with the GNU C library.
const MSGHDR_BYTES = 56;
const MSG_IOV_OFFSET = 16;
const MSG_IOVLEN_OFFSET = 24;
const MSG_CONTROL_OFFSET = 32;
const MSG_CONTROLLEN_OFFSET = 40;
const IOVEC_BYTES = 16;
const CMSGHDR_BYTES = 16;
const CMSG_LEVEL_OFFSET = 8;
const CMSG_TYPE_OFFSET = 12;
const FD_BYTES = 4;

/** Descriptors in one message that are looked at; the kernel closes others. */
const FDS_MAX = 4;
const CONTROL_BYTES = CMSGHDR_BYTES + FDS_MAX * FD_BYTES;
const DATA_BYTES = 4096;

const IOV_AT = MSGHDR_BYTES;
const CONTROL_AT = IOV_AT + IOVEC_BYTES;
const DATA_AT = CONTROL_AT + CONTROL_BYTES;
const ALL_BYTES = DATA_AT + DATA_BYTES;

/** What was received. */
export interface Received {
  /** The bytes; none at the end. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** The descriptors that came with them, closed on exec. */
  readonly fds: readonly number[];
}

/**
 * Receives; one for the whole process. `struct msghdr` holds addresses, which
 * the runtime gives of no buffer, so it lies in C memory.
 */
export class FdReceiver {
  readonly #libc: Libc;
  readonly #address: bigint;
  readonly #bytes = new Uint8Array(ALL_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);

  /**
   * @param libc The C library.
   * @throws {RangeError} If there is no memory.
   */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.#address = libc.c.malloc(BigInt(ALL_BYTES));
    if (this.#address === 0n) throw new RangeError("no memory for a message");
  }

  /**
   * Takes what has arrived; it never waits.
   *
   * @param fd The socket.
   * @returns What there is; `undefined` if nothing has arrived yet.
   * @throws {SystemError} If the connection has failed.
   */
  receive(fd: number): Received | undefined {
    const { c } = this.#libc;
    this.#layOut();
    c.memcpy_out(this.#address, this.#bytes, BigInt(DATA_AT));
    const flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
    const count = Number(c.recvmsg(fd, this.#address, flags));
    if (count < 0) {
      if (errno(this.#libc) === EAGAIN) return undefined;
      throw lastError(this.#libc, "recvmsg");
    }
    c.memcpy(this.#bytes, this.#address, BigInt(ALL_BYTES));
    return {
      data: this.#bytes.slice(DATA_AT, DATA_AT + count),
      fds: this.#fds(),
    };
  }

  #layOut(): void {
    this.#bytes.fill(0, 0, DATA_AT);
    const at = (offset: number): bigint => this.#address + BigInt(offset);
    this.#long(MSG_IOV_OFFSET, at(IOV_AT));
    this.#long(MSG_IOVLEN_OFFSET, 1n);
    this.#long(MSG_CONTROL_OFFSET, at(CONTROL_AT));
    this.#long(MSG_CONTROLLEN_OFFSET, BigInt(CONTROL_BYTES));
    this.#long(IOV_AT, at(DATA_AT));
    this.#long(IOV_AT + 8, BigInt(DATA_BYTES));
  }

  #long(offset: number, value: bigint): void {
    this.#view.setBigUint64(offset, value, true);
  }

  #fds(): number[] {
    const controlBytes = this.#view.getBigUint64(MSG_CONTROLLEN_OFFSET, true);
    if (controlBytes < CMSGHDR_BYTES) return [];
    const level = this.#view.getInt32(CONTROL_AT + CMSG_LEVEL_OFFSET, true);
    const type = this.#view.getInt32(CONTROL_AT + CMSG_TYPE_OFFSET, true);
    if (level !== SOL_SOCKET || type !== SCM_RIGHTS) return [];
    const bytes = Number(this.#view.getBigUint64(CONTROL_AT, true));
    const fds: number[] = [];
    for (let at = CMSGHDR_BYTES; at + FD_BYTES <= bytes; at += FD_BYTES) {
      fds.push(this.#view.getInt32(CONTROL_AT + at, true));
    }
    return fds;
  }
}
