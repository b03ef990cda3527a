/**
 * Opening the sockets of all services of a plan: either all are open in the
 * end, or none, and every reason is told.
 *
 * @module
 */

import type { InheritedSockets } from "../net/inherited_sockets.ts";
import type { ListeningSocket } from "../net/listening.ts";
import type { Credentials } from "../posix/credentials.ts";
import type { Libc } from "../posix/libc.ts";
import {
  failure,
  type Mistake,
  Refusal,
  type Result,
  success,
} from "../result.ts";
import type {
  DaemonPlan,
  OpenSockets,
  PlanListenOptions,
  ServicePlan,
} from "./plan.ts";

/** What there is to open sockets with. */
export interface OpenSocketsOptions {
  readonly libc: Libc | undefined;
  readonly inherited: InheritedSockets | undefined;
  /** The daemon's credentials when it removes a socket. */
  readonly credentials: () => Credentials;
  /** Called with each socket that was opened, not with those inherited. */
  readonly opened?: (socket: ListeningSocket) => void;
}

/**
 * Opens the sockets of a plan.
 *
 * @param plan The plan.
 * @param options What there is to open them with.
 * @returns The sockets; or every mistake for which none is open.
 */
export function openSockets(
  plan: DaemonPlan,
  { opened = () => {}, ...options }: OpenSocketsOptions,
): Result<OpenSockets, readonly Mistake[]> {
  const acceptFrom = plan.engine === "direct" ? "fd" : "listener";
  const { inherited } = options;
  const sockets = new Map<ServicePlan, ListeningSocket[]>();
  const mistakes: Mistake[] = [];
  for (const service of plan.services) {
    // What was opened for a service counts more than where it would listen.
    const named = inherited?.takeNamed(service.name, service.waits) ?? [];
    const listened = named.length > 0
      ? success(named)
      : listen(service, { acceptFrom, ...options });
    if (!listened.ok) {
      mistakes.push(listened.mistake);
      continue;
    }
    sockets.set(service, listened.value);
    for (const socket of listened.value) {
      if (!inherited?.took(socket)) opened(socket);
    }
  }
  if (mistakes.length === 0) return success(sockets);
  closeOpened(sockets, inherited);
  return { ok: false, mistake: mistakes };
}

function listen(
  service: ServicePlan,
  options: PlanListenOptions,
): ReturnType<ServicePlan["listen"]> {
  try {
    return service.listen(options);
  } catch (error) {
    if (error instanceof Refusal) return failure(error.mistake);
    throw error;
  }
}

/**
 * Closes what was opened. What was inherited is another's as well, who goes on
 * to listen on it.
 *
 * @param sockets The sockets.
 * @param inherited What was inherited.
 */
export function closeOpened(
  sockets: OpenSockets,
  inherited: InheritedSockets | undefined,
): void {
  for (const socket of [...sockets.values()].flat()) {
    if (!inherited?.took(socket)) socket.close();
  }
}
