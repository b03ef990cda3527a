/**
 * Sockets that the service manager has opened: sd_listen_fds(3), without the
 * library. They listen before this program starts, and while it is restarted.
 *
 * @module
 */

import { makeNonBlocking } from "../posix/process.ts";
import type { Libc } from "../posix/libc.ts";
import { formatAddress, isListening, socketAddress } from "../posix/sockets.ts";
import { EX, failure, type Result, success } from "../result.ts";
import { textVariable } from "../text_variable.ts";
import { DEFAULT_TUNING, tuneConnections } from "./connection_tuning.ts";
import type { HandedSocket } from "./inherited_sockets.ts";

/** The first descriptor that is handed on: SD_LISTEN_FDS_START. */
const FIRST_FD = 3;

/** More than any unit has. */
const FDS_MAX = 4096;

/**
 * Finds the sockets that were opened for this process.
 *
 * @param libc The C library.
 * @returns The sockets, with the names that they were given; none where the
 * environment is not for this process.
 */
export function activatedSockets(libc: Libc): Result<HandedSocket[]> {
  const count = textVariable("LISTEN_FDS");
  if (count === undefined || textVariable("LISTEN_PID") !== `${Deno.pid}`) {
    return success([]);
  }
  if (!/^\d{1,4}$/.test(count) || Number(count) > FDS_MAX) {
    return failure({
      text: `LISTEN_FDS=${count}: no number of sockets`,
      mend: "unset it, or start by a service manager that sets it",
      exitCode: EX.USAGE,
    });
  }
  const names = textVariable("LISTEN_FDNAMES")?.split(":") ?? [];
  const sockets: HandedSocket[] = [];
  for (let index = 0; index < Number(count); index++) {
    const fd = FIRST_FD + index;
    if (!isListening(libc, fd)) {
      return failure({
        text: `descriptor ${fd} of the service manager does not listen`,
        mend: "for Accept=yes, write spawnd run stdin",
        exitCode: EX.CONFIG,
      });
    }
    makeNonBlocking(libc, fd);
    const address = socketAddress(libc, fd);
    if (address.kind === "inet") tuneConnections(libc, fd, DEFAULT_TUNING);
    sockets.push({ fd, address: formatAddress(address), name: names[index] });
  }
  return success(sockets);
}
