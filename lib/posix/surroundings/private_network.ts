/**
 * A network of a service's own: a namespace with a loopback interface and
 * nothing else. It is made once a service, not for each command: making one
 * takes as long as serving a connection does, entering it a few microseconds.
 *
 * @module
 */

import { checked } from "../errno.ts";
import { AF_INET, O_CLOEXEC, SOCK_CLOEXEC, SOCK_DGRAM } from "../headers.ts";
import { cString, type Libc } from "../libc.ts";

// linux/sched.h
export const CLONE_NEWNET = 0x40000000;

// linux/sockios.h, net/if.h
const SIOCGIFFLAGS = 0x8913n;
const SIOCSIFFLAGS = 0x8914n;
const IFF_UP = 1;

/** `struct ifreq`: a name, then what is asked about it. */
const IFREQ_BYTES = 40;
const IFR_FLAGS_OFFSET = 16;

/** Of the thread that asks, which is the only one that is elsewhere meanwhile. */
const OWN_NETWORK = "/proc/thread-self/ns/net";

/**
 * Makes a network with a loopback interface. To be called with root's
 * effective ids, on the main thread, which comes back before this returns.
 *
 * @param libc The C library.
 * @returns The network's descriptor, closed on exec.
 * @throws {SystemError} If the kernel refuses.
 */
export function makePrivateNetwork(libc: Libc): number {
  const { c, abi: { systemCalls } } = libc;
  const home = openNetwork(libc);
  try {
    const left = c.syscall(systemCalls.unshare, CLONE_NEWNET, 0, 0);
    checked(libc, "unshare", left);
    try {
      raiseLoopback(libc);
      return openNetwork(libc);
    } finally {
      const back = c.syscall(systemCalls.setns, home, CLONE_NEWNET, 0);
      // A daemon that has lost its network must not go on.
      checked(libc, "setns", back);
    }
  } finally {
    c.close(home);
  }
}

function openNetwork(libc: Libc): number {
  const fd = libc.c.open(cString(OWN_NETWORK), O_CLOEXEC, 0);
  return checked(libc, OWN_NETWORK, fd);
}

/** A namespace comes with its interface down. */
function raiseLoopback(libc: Libc): void {
  const { c } = libc;
  const socket = c.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  checked(libc, "socket", socket);
  try {
    const request = new Uint8Array(IFREQ_BYTES);
    request.set(cString("lo"));
    checked(libc, "SIOCGIFFLAGS", c.ioctl(socket, SIOCGIFFLAGS, request));
    const flags = new DataView(request.buffer);
    const now = flags.getUint16(IFR_FLAGS_OFFSET, true);
    flags.setUint16(IFR_FLAGS_OFFSET, now | IFF_UP, true);
    checked(libc, "SIOCSIFFLAGS", c.ioctl(socket, SIOCSIFFLAGS, request));
  } finally {
    c.close(socket);
  }
}
