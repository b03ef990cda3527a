/**
 * The sockets that a service manager has opened for this process.
 *
 * @module
 */

import type { EngineName } from "../../engine/engine.ts";
import { activatedSockets } from "../../net/activation.ts";
import { InheritedSockets } from "../../net/inherited_sockets.ts";
import { unchangingCredentials } from "../../posix/credentials.ts";
import { EX, failure, type Result, success } from "../../result.ts";
import type { DaemonContext } from "../../service/daemon.ts";

/**
 * Takes the sockets over.
 *
 * @param context What the process has.
 * @param engine The engine that is to accept.
 * @returns The sockets; `undefined` where there are none.
 */
export function takeActivated(
  { libc }: DaemonContext,
  engine: EngineName,
): Result<InheritedSockets | undefined> {
  const sockets = libc === undefined ? success([]) : activatedSockets(libc);
  if (!sockets.ok) return sockets;
  if (libc === undefined || sockets.value.length === 0) {
    return success(undefined);
  }
  if (engine !== "direct") {
    return failure({
      text: `the ${engine} engine takes no sockets of a service manager`,
      mend: "leave --engine out, or let spawnd open them itself",
      exitCode: EX.CONFIG,
    });
  }
  return success(
    new InheritedSockets(libc, sockets.value, unchangingCredentials),
  );
}
