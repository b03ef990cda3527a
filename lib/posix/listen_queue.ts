/**
 * How many connections wait in a listening socket's queue, and how many may:
 * tcp(7) says it of a TCP socket, the kernel's socket monitor of a unix one,
 * as for ss(8). Nothing has to be opened by then, and no permission is needed.
 *
 * @module
 */

import { lookAtDescriptor } from "./files.ts";
import { AF_UNIX, SOCK_CLOEXEC } from "./headers.ts";
import type { Libc } from "./libc.ts";

// netinet/in.h, netinet/tcp.h, linux/tcp.h: `struct tcp_info`
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TCP_INFO_BYTES = 104;
const TCPI_STATE_OFFSET = 0;
const TCPI_UNACKED_OFFSET = 24;
const TCPI_SACKED_OFFSET = 28;
const TCP_LISTEN = 10;

// linux/netlink.h, linux/sock_diag.h, linux/unix_diag.h
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const UDIAG_SHOW_RQLEN = 0x10;
const UNIX_DIAG_RQLEN = 4;
const NO_COOKIE = 0xffffffff;

const NLMSGHDR_BYTES = 16;
/** `struct unix_diag_req`. */
const REQUEST_BYTES = NLMSGHDR_BYTES + 24;
/** `struct unix_diag_msg`. */
const MESSAGE_BYTES = NLMSGHDR_BYTES + 16;
const NLATTR_BYTES = 4;
const ANSWER_BYTES = 512;

/** A queue of connections that were not accepted yet. */
export interface ListenQueue {
  readonly waiting: number;
  readonly limit: number;
}

/**
 * Looks at the queue of a listening socket. One that is full has one more than
 * its limit.
 *
 * @param libc The C library.
 * @param fd The socket.
 * @returns The queue; `undefined` where the kernel does not tell.
 */
export function listenQueue(libc: Libc, fd: number): ListenQueue | undefined {
  return tcpQueue(libc, fd) ?? unixQueue(libc, fd);
}

function tcpQueue(libc: Libc, fd: number): ListenQueue | undefined {
  const info = new Uint8Array(TCP_INFO_BYTES);
  const length = new Uint8Array(new Uint32Array([TCP_INFO_BYTES]).buffer);
  if (libc.c.getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, length) !== 0) {
    return undefined;
  }
  if (info[TCPI_STATE_OFFSET] !== TCP_LISTEN) return undefined;
  const view = new DataView(info.buffer);
  return {
    waiting: view.getUint32(TCPI_UNACKED_OFFSET, true),
    limit: view.getUint32(TCPI_SACKED_OFFSET, true),
  };
}

function unixQueue(libc: Libc, fd: number): ListenQueue | undefined {
  const inode = lookAtDescriptor(libc, fd)?.inode;
  if (inode === undefined) return undefined;
  const type = SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK;
  const netlink = libc.c.socket(AF_NETLINK, type, NETLINK_SOCK_DIAG);
  if (netlink < 0) return undefined;
  try {
    const request = unixRequest(Number(inode));
    const sent = libc.c.write(netlink, request, BigInt(request.length));
    if (Number(sent) !== request.length) return undefined;
    // The kernel has answered by the time that write() returns.
    const answer = new Uint8Array(ANSWER_BYTES);
    const read = libc.c.read(netlink, answer, BigInt(answer.length));
    return unixAnswer(answer, Number(read));
  } finally {
    libc.c.close(netlink);
  }
}

function unixRequest(inode: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(REQUEST_BYTES));
  view.setUint32(0, REQUEST_BYTES, true);
  view.setUint16(4, SOCK_DIAG_BY_FAMILY, true);
  view.setUint16(6, NLM_F_REQUEST, true);
  view.setUint8(NLMSGHDR_BYTES, AF_UNIX);
  view.setUint32(NLMSGHDR_BYTES + 8, inode, true);
  view.setUint32(NLMSGHDR_BYTES + 12, UDIAG_SHOW_RQLEN, true);
  view.setUint32(NLMSGHDR_BYTES + 16, NO_COOKIE, true);
  view.setUint32(NLMSGHDR_BYTES + 20, NO_COOKIE, true);
  return new Uint8Array(view.buffer);
}

function unixAnswer(
  answer: Uint8Array<ArrayBuffer>,
  length: number,
): ListenQueue | undefined {
  const view = new DataView(answer.buffer);
  if (length < MESSAGE_BYTES) return undefined;
  if (view.getUint16(4, true) !== SOCK_DIAG_BY_FAMILY) return undefined;
  for (let at = MESSAGE_BYTES; at + NLATTR_BYTES + 8 <= length;) {
    const bytes = view.getUint16(at, true);
    if (view.getUint16(at + 2, true) === UNIX_DIAG_RQLEN) {
      return {
        waiting: view.getUint32(at + NLATTR_BYTES, true),
        limit: view.getUint32(at + NLATTR_BYTES + 4, true),
      };
    }
    if (bytes < NLATTR_BYTES) return undefined;
    at += (bytes + 3) & ~3;
  }
  return undefined;
}
