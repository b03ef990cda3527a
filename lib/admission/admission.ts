/**
 * Who may connect to a service, and how much: the decision on one client, and
 * whether the service takes clients at all. All of it on facts that it is
 * given; it knows no socket and no clock.
 *
 * The door of lib/admission, which imports from config and posix. What settings
 * say becomes {@linkcode AdmissionRules}, by which an {@linkcode Admission}
 * decides.
 *
 * @module
 */

import type { AccessTime } from "../config/admission/access_times.ts";
import type { Client } from "../posix/client.ts";
import { isWithinHours, type WeekTime } from "./access_hours.ts";
import {
  type ClientKey,
  ClientKeys,
  type PrefixLengths,
} from "./client_key.ts";
import { type ClientTable, ClientVerdicts } from "./client_table.ts";
import { ConnectionCounts } from "./connection_counts.ts";
import { type Busy, type BusyLimits, findBusy } from "./machine_pressure.ts";
import { ClientRates, Rate } from "./rates.ts";
import type { RefusalReason } from "./refusals.ts";

/** What a service's settings say of it: plain data. */
export interface AdmissionRules {
  /** Who may connect; `undefined` for everybody. */
  readonly clients: ClientTable | undefined;
  /** Connections of one client at once; 0 for no limit. */
  readonly clientConnections: number;
  /** Connections of one client in a unit of time; 0 for no limit. */
  readonly clientRate: number;
  /** Connections of all in a unit of time; 0 for no limit. */
  readonly serviceRate: number;
  readonly rateUnitMs: number;
  /** How many clients' rates are remembered. */
  readonly clientsRemembered: number;
  readonly prefixLengths: PrefixLengths;
  readonly accessTimes: readonly AccessTime[];
  readonly busyLimits: BusyLimits;
  /** Who may connect by a unix socket; `undefined` for everybody. */
  readonly peers: PeerRules | undefined;
  /** Who says who its clients are; `undefined` for nobody. */
  readonly proxies: ProxyRules | undefined;
}

/** Who may connect by a unix socket. */
export interface PeerRules {
  readonly uids: readonly number[];
  readonly gids: readonly number[];
}

/** What is expected of proxies. */
export interface ProxyRules {
  /** Which clients are proxies, where they have an address. */
  readonly clients: ClientTable;
  /** How long a header may take. */
  readonly timeoutMs: number;
}

/** What becomes of a client. */
export type Decision =
  /** Its command is started, and has these variables, too. */
  | { readonly variables: readonly string[] }
  | { readonly refused: RefusalReason };

/** Why clients are left in the queue. */
export type Rest =
  | { readonly kind: "rate"; readonly againMs: number }
  | { readonly kind: "busy"; readonly busy: Busy }
  | { readonly kind: "hours" };

/** What there is to know of the moment. */
export interface Moment {
  readonly nowMs: number;
  /** Asked only where there are hours. */
  readonly weekTime: () => WeekTime;
  /** Asked only for what has a limit. */
  readonly valueOf: (what: Busy["what"]) => number | undefined;
}

const ADMITTED: Decision = { variables: [] };

/** Decides for one service. */
export class Admission {
  readonly #rules: AdmissionRules;
  readonly #clients: ClientVerdicts | undefined;
  readonly #proxies: ClientVerdicts | undefined;
  readonly #countsClients: boolean;
  readonly #keys: ClientKeys;
  readonly #counts = new ConnectionCounts();
  readonly #rates: ClientRates;
  readonly #rate: Rate;

  /** @param rules What a service's settings say. */
  constructor(rules: AdmissionRules) {
    this.#rules = rules;
    this.#clients = rules.clients && new ClientVerdicts(rules.clients);
    this.#proxies = rules.proxies && new ClientVerdicts(rules.proxies.clients);
    const { rateUnitMs: unitMs, clientsRemembered: clientsMax } = rules;
    this.#countsClients = rules.clientConnections > 0 || rules.clientRate > 0;
    this.#keys = new ClientKeys(rules.prefixLengths);
    this.#rates = new ClientRates({ unitMs, clientsMax });
    this.#rate = new Rate(unitMs);
  }

  /** Whether a client of a unix socket is to be known by its user. */
  get asksForUsers(): boolean {
    return this.#rules.peers !== undefined || this.#countsClients;
  }

  /**
   * Decides on who is to say who its client is.
   *
   * @param proxy The one.
   * @returns Why it is refused; `undefined` if it is not.
   */
  refuseProxy(proxy: Client): RefusalReason | undefined {
    if (proxy.kind !== "inet") return this.#refuseUser(proxy);
    return this.#proxies?.find(proxy.address)?.isAllowed === true
      ? undefined
      : "proxy";
  }

  /**
   * Decides on a client, and counts it if it is admitted.
   *
   * @param client The client.
   * @param nowMs The monotonic time.
   * @returns The decision.
   */
  decide(client: Client, nowMs: number): Decision {
    let admitted = ADMITTED;
    if (client.kind !== "inet") {
      const refused = this.#refuseUser(client);
      if (refused !== undefined) return { refused };
    } else if (this.#clients !== undefined) {
      const verdict = this.#clients.find(client.address);
      if (verdict?.isAllowed !== true) return { refused: "not-allowed" };
      admitted = verdict;
    }
    if (this.#countsClients && client.kind !== "unknown") {
      const refused = this.#count(this.keyOf(client), nowMs);
      if (refused !== undefined) return { refused };
    }
    if (this.#rules.serviceRate > 0) this.#rate.add(nowMs);
    return admitted;
  }

  /**
   * Counts a client whose command runs since before a reload.
   *
   * @param client The client.
   */
  resume(client: Client): void {
    if (this.#countsClients && client.kind !== "unknown") {
      this.#counts.add(this.keyOf(client), Infinity);
    }
  }

  /**
   * Gives back what an admitted client was counted for, when its command has
   * ended or was not started.
   *
   * @param client The client.
   */
  giveBack(client: Client): void {
    if (this.#countsClients && client.kind !== "unknown") {
      this.#counts.giveBack(this.keyOf(client));
    }
  }

  /** What tells a client from another. */
  keyOf(client: Client): ClientKey {
    return this.#keys.of(client);
  }

  /**
   * Tells how many clients may be taken at once.
   *
   * @param nowMs The monotonic time.
   * @returns The number; `Infinity` where nothing limits it.
   */
  roomAt(nowMs: number): number {
    const { serviceRate } = this.#rules;
    return serviceRate > 0
      ? Math.max(0, serviceRate - this.#rate.countAt(nowMs))
      : Infinity;
  }

  /**
   * Tells whether clients are to be left in the queue: for what changes from
   * one connection to the next, {@linkcode roomAt} is enough.
   *
   * @param moment What there is to know of the moment.
   * @returns Why; `undefined` if they are not.
   */
  restAt({ nowMs, weekTime, valueOf }: Moment): Rest | undefined {
    const { accessTimes, busyLimits } = this.#rules;
    if (accessTimes.length > 0 && !isWithinHours(accessTimes, weekTime())) {
      return { kind: "hours" };
    }
    if (this.roomAt(nowMs) === 0) {
      return { kind: "rate", againMs: this.#rate.nextMs };
    }
    const busy = findBusy(busyLimits, valueOf);
    return busy && { kind: "busy", busy };
  }

  #refuseUser(client: Client): RefusalReason | undefined {
    const { peers } = this.#rules;
    if (peers === undefined) return undefined;
    if (client.kind !== "unix") return "user";
    const { uid, gids } = client;
    return peers.uids.includes(uid) ||
        gids.some((gid) => peers.gids.includes(gid))
      ? undefined
      : "user";
  }

  #count(client: ClientKey, nowMs: number): RefusalReason | undefined {
    const { clientConnections, clientRate } = this.#rules;
    const limit = clientConnections > 0 ? clientConnections : Infinity;
    if (!this.#counts.add(client, limit)) return "connections";
    if (
      clientRate === 0 || this.#rates.add(client, { nowMs, limit: clientRate })
    ) return undefined;
    this.#counts.giveBack(client);
    return "rate";
  }
}
