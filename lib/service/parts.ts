/**
 * What a planned service is while it is served: one part, but for a service
 * whose command is given the listening socket. That has a part for each socket,
 * since each has one command at a time: nobody would serve the others meanwhile.
 *
 * @module
 */

import type { ListeningSocket } from "../net/listening.ts";
import type { ServicePlan } from "./plan.ts";

/** A part of a service. */
export interface ServicePart {
  /** What tells it from all others, also in another configuration. */
  readonly id: string;
  readonly sockets: readonly ListeningSocket[];
}

/**
 * Gives the parts of a service.
 *
 * @param service The service.
 * @param sockets Its sockets.
 * @returns The parts.
 */
export function partsOf(
  { id, waits }: Pick<ServicePlan, "id" | "waits">,
  sockets: readonly ListeningSocket[],
): readonly ServicePart[] {
  if (!waits) return [{ id, sockets }];
  return sockets.map((socket) => ({
    id: `${id} ${socket.address}`,
    sockets: [socket],
  }));
}
