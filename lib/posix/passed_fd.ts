/**
 * Descriptors that arrive over a unix socket: unix(7), SCM_RIGHTS.
 *
 * @module
 */

import { checked, EAGAIN, errno, lastError } from "./errno.ts";
import {
  AF_UNIX,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SOCK_CLOEXEC,
  SOL_SOCKET,
} from "./headers.ts";
import type { Libc } from "./libc.ts";

// bits/socket.h
const SCM_RIGHTS = 1;
const SOCK_SEQPACKET = 5;
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
/** Control data comes in multiples of 8 bytes. */
const FD_PADDED_BYTES = 8;

/** Descriptors in one message that are looked at; the kernel closes others. */
const FDS_MAX = 4;
const CONTROL_BYTES = CMSGHDR_BYTES + FDS_MAX * FD_BYTES;
const DATA_BYTES = 4096;

const IOV_AT = MSGHDR_BYTES;
const CONTROL_AT = IOV_AT + IOVEC_BYTES;
const DATA_AT = CONTROL_AT + CONTROL_BYTES;
const ALL_BYTES = DATA_AT + DATA_BYTES;

/** How many bytes one message has at the most. */
export const MESSAGE_BYTES_MAX = DATA_BYTES;

/**
 * Makes a pair of sockets that keep messages apart: socketpair(2).
 *
 * @param libc The C library.
 * @returns Their descriptors, closed on exec.
 * @throws {SystemError} If there are no descriptors left.
 */
export function socketPair(libc: Libc): readonly [number, number] {
  const ends = new Int32Array(2);
  const bytes = new Uint8Array(ends.buffer);
  const type = SOCK_SEQPACKET | SOCK_CLOEXEC;
  checked(libc, "socketpair", libc.c.socketpair(AF_UNIX, type, 0, bytes));
  const [one = -1, other = -1] = ends;
  return [one, other];
}

/** What was received. */
export interface Received {
  /** The bytes; none at the end. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** The descriptors that came with them, closed on exec. */
  readonly fds: readonly number[];
}

/**
 * One message in C memory: `struct msghdr` holds addresses, which the runtime
 * gives of no buffer.
 */
class Message {
  readonly #libc: Libc;
  readonly address: bigint;
  readonly bytes = new Uint8Array(ALL_BYTES);
  readonly view = new DataView(this.bytes.buffer);

  constructor(libc: Libc) {
    this.#libc = libc;
    this.address = libc.c.malloc(BigInt(ALL_BYTES));
    if (this.address === 0n) throw lastError(libc, "memory for a message");
  }

  /** Lays the headers out, for so many bytes and so many of control data. */
  layOut(dataBytes: number, controlBytes: number): void {
    this.bytes.fill(0, 0, DATA_AT);
    const at = (offset: number): bigint => this.address + BigInt(offset);
    this.#long(MSG_IOV_OFFSET, at(IOV_AT));
    this.#long(MSG_IOVLEN_OFFSET, 1n);
    this.#long(MSG_CONTROL_OFFSET, controlBytes > 0 ? at(CONTROL_AT) : 0n);
    this.#long(MSG_CONTROLLEN_OFFSET, BigInt(controlBytes));
    this.#long(IOV_AT, at(DATA_AT));
    this.#long(IOV_AT + 8, BigInt(dataBytes));
  }

  /** Copies the first bytes into C memory. */
  copyOut(count: number): void {
    this.#libc.c.memcpy_out(this.address, this.bytes, BigInt(count));
  }

  /** Copies all of it back. */
  copyIn(): void {
    this.#libc.c.memcpy(this.bytes, this.address, BigInt(ALL_BYTES));
  }

  #long(offset: number, value: bigint): void {
    this.view.setBigUint64(offset, value, true);
  }
}

/** Sends; one for the whole process. */
export class FdSender {
  readonly #libc: Libc;
  readonly #message: Message;

  /**
   * @param libc The C library.
   * @throws {SystemError} If there is no memory.
   */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.#message = new Message(libc);
  }

  /**
   * Sends a message, and waits for room.
   *
   * @param fd The socket.
   * @param data The message, of at most {@linkcode MESSAGE_BYTES_MAX} bytes.
   * @param passed A descriptor that goes with it.
   * @throws {SystemError} If nobody receives.
   */
  send(fd: number, data: Uint8Array, passed?: number): void {
    const { bytes, view, address } = this.#message;
    const controlBytes = passed === undefined
      ? 0
      : CMSGHDR_BYTES + FD_PADDED_BYTES;
    this.#message.layOut(data.length, controlBytes);
    if (passed !== undefined) {
      view.setBigUint64(CONTROL_AT, BigInt(CMSGHDR_BYTES + FD_BYTES), true);
      view.setInt32(CONTROL_AT + CMSG_LEVEL_OFFSET, SOL_SOCKET, true);
      view.setInt32(CONTROL_AT + CMSG_TYPE_OFFSET, SCM_RIGHTS, true);
      view.setInt32(CONTROL_AT + CMSGHDR_BYTES, passed, true);
    }
    bytes.set(data, DATA_AT);
    this.#message.copyOut(DATA_AT + data.length);
    const sent = this.#libc.c.sendmsg(fd, address, MSG_NOSIGNAL);
    checked(this.#libc, "sendmsg", Number(sent));
  }
}

/** Receives; one for the whole process. */
export class FdReceiver {
  readonly #libc: Libc;
  readonly #message: Message;

  /**
   * @param libc The C library.
   * @throws {SystemError} If there is no memory.
   */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.#message = new Message(libc);
  }

  /**
   * Takes what has arrived; it never waits.
   *
   * @param fd The socket.
   * @returns What there is; `undefined` if nothing has arrived yet.
   * @throws {SystemError} If the connection has failed.
   */
  receive(fd: number): Received | undefined {
    const { address, bytes } = this.#message;
    this.#message.layOut(DATA_BYTES, CONTROL_BYTES);
    this.#message.copyOut(DATA_AT);
    const flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
    const count = Number(this.#libc.c.recvmsg(fd, address, flags));
    if (count < 0) {
      if (errno(this.#libc) === EAGAIN) return undefined;
      throw lastError(this.#libc, "recvmsg");
    }
    this.#message.copyIn();
    return { data: bytes.slice(DATA_AT, DATA_AT + count), fds: this.#fds() };
  }

  #fds(): number[] {
    const { view } = this.#message;
    const controlBytes = view.getBigUint64(MSG_CONTROLLEN_OFFSET, true);
    if (controlBytes < CMSGHDR_BYTES) return [];
    const level = view.getInt32(CONTROL_AT + CMSG_LEVEL_OFFSET, true);
    const type = view.getInt32(CONTROL_AT + CMSG_TYPE_OFFSET, true);
    if (level !== SOL_SOCKET || type !== SCM_RIGHTS) return [];
    const bytes = Number(view.getBigUint64(CONTROL_AT, true));
    const fds: number[] = [];
    for (let at = CMSGHDR_BYTES; at + FD_BYTES <= bytes; at += FD_BYTES) {
      fds.push(view.getInt32(CONTROL_AT + at, true));
    }
    return fds;
  }
}
