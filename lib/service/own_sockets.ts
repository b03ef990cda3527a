/**
 * The sockets on which a daemon tells of itself: opened beside those of its
 * services, handed on in a reload as they are, and closed last.
 *
 * @module
 */

import type { Log } from "../log/log.ts";
import {
  type HandedSocket,
  handOn,
  type InheritedSockets,
} from "../net/inherited_sockets.ts";
import type { ListeningSocket } from "../net/listening.ts";
import { formatMistake, type Mistake } from "../result.ts";
import type { OpenSocketsOptions } from "./open_sockets.ts";
import type { DaemonPlan, OwnRole } from "./plan.ts";

/** Sockets by what they are for. */
export type OwnSockets = ReadonlyMap<OwnRole, readonly ListeningSocket[]>;

/** What came of opening them. */
export interface OpenedOwn {
  readonly sockets: OwnSockets;
  /** Why there are none of those that the daemon can do without. */
  readonly missing: readonly Mistake[];
  /** Why there are none of the others. */
  readonly mistakes: readonly Mistake[];
}

/**
 * Opens the sockets.
 *
 * @param plan The plan.
 * @param options What there is to open them with.
 * @returns The sockets; none, where there is a mistake.
 */
export function openOwnSockets(
  { own = [] }: DaemonPlan,
  { opened = () => {}, ...options }: OpenSocketsOptions,
): OpenedOwn {
  const { inherited } = options;
  const sockets = new Map<OwnRole, readonly ListeningSocket[]>();
  const missing: Mistake[] = [];
  const mistakes: Mistake[] = [];
  for (const { role, listen, isOptional } of own) {
    const listened = listen({
      acceptFrom: "fd",
      ...options,
    });
    if (!listened.ok) {
      (isOptional ? missing : mistakes).push(listened.mistake);
      continue;
    }
    sockets.set(role, listened.value);
    for (const socket of listened.value) {
      if (!inherited?.took(socket)) opened(socket);
    }
  }
  if (mistakes.length > 0) closeOwnSockets(sockets, inherited);
  return { sockets, missing, mistakes };
}

/**
 * Closes what was opened, but for what another goes on to listen on.
 *
 * @param sockets The sockets.
 * @param inherited What was inherited.
 */
export function closeOwnSockets(
  sockets: OwnSockets,
  inherited: InheritedSockets | undefined,
): void {
  for (const socket of [...sockets.values()].flat()) {
    if (!inherited?.took(socket)) socket.close();
  }
}

/**
 * Says what there is to hand on.
 *
 * @param sockets The sockets.
 * @returns Those that have descriptors.
 */
export function handOnOwn(sockets: OwnSockets): HandedSocket[] {
  return handOn([...sockets.values()].flat());
}

/**
 * Tells that a daemon serves without one of its own sockets.
 *
 * @param log Where to tell it.
 * @param mistake Why.
 */
export function tellMissing(log: Log, mistake: Mistake): void {
  log.warning("status-unavailable", formatMistake(mistake), { ...mistake });
}
