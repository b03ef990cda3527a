/**
 * Sockets that were taken over are told what this configuration says of their
 * connections, which may be something else. A trial leaves them as they are: by
 * then it is not known whether it will serve.
 *
 * @module
 */

import { retuneConnections, tuningOf } from "../net/connection_tuning.ts";
import type { ListeningSocket } from "../net/listening.ts";
import { SystemError } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { setBacklog, socketAddress } from "../posix/sockets.ts";
import type { OpenSockets, ServicePlan } from "./plan.ts";

/**
 * Tells sockets anew how connections are treated.
 *
 * @param libc The C library.
 * @param opened The sockets of all services.
 * @param isTaken Tells whether one was taken over.
 */
export function retune(
  libc: Libc,
  opened: OpenSockets,
  isTaken: (socket: ListeningSocket) => boolean,
): void {
  for (const [service, sockets] of opened) {
    for (const socket of sockets.filter(isTaken)) {
      if ("fd" in socket.source && !socket.isDatagram) {
        retuneSocket(libc, socket.source.fd, service);
      }
    }
  }
}

/** What a new socket was refused would be told there; this one serves. */
function retuneSocket(
  libc: Libc,
  fd: number,
  { settings }: ServicePlan,
): void {
  try {
    setBacklog(libc, fd, settings.spawnd_backlog);
    if (socketAddress(libc, fd).kind === "inet") {
      retuneConnections(libc, fd, tuningOf(settings));
    }
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}
