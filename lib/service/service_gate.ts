/**
 * The gate of a service: what the rules of admission decide is done and told
 * here. A service that is to rest for a while leaves its queue alone, and looks
 * by itself whether that is over: whatever was hit recovers.
 *
 * @module
 */

import {
  Admission,
  type AdmissionRules,
  type Rest,
} from "../admission/admission.ts";
import type { WeekTime } from "../admission/access_hours.ts";
import {
  type RefusalReason,
  type RefusalReport,
  Refusals,
} from "../admission/refusals.ts";
import type { Gate } from "../engine/gate.ts";
import type { Log } from "../log/log.ts";
import type { RefusalCounter } from "../observe/service_counters.ts";
import { type Client, formatClientHost } from "../posix/client.ts";
import { type Timer, TIMER_MAX_MS } from "../timer.ts";
import { Fault } from "./fault.ts";
import type { MachineReadings } from "./machine_readings.ts";

/** How often a service that rests since the machine is busy looks again. */
const BUSY_LOOK_MS = 1000;

/** For how long there is nothing to rest for, once that was looked at. */
const LOOK_MS = 1000;

const MINUTE_MS = 60_000;
const MINUTES_PER_HOUR = 60;

/** What a gate is made of. */
export interface ServiceGateOptions {
  readonly rules: AdmissionRules;
  readonly log: Log;
  /** Where refusals are counted. */
  readonly counter: RefusalCounter;
  /** How busy the machine is, where there is a limit to that. */
  readonly readings: MachineReadings | undefined;
  /** Called when it begins to rest, and when that is over. */
  readonly changed: () => void;
}

/** The gate. */
export class ServiceGate implements Gate {
  readonly asksForUsers: boolean;
  readonly proxyTimeoutMs: number | undefined;
  readonly #options: ServiceGateOptions;
  readonly #admission: Admission;
  readonly #refusals = new Refusals();
  readonly #restFault: Fault;
  /** When clients were about to be taken the last time. */
  #nowMs = performance.now();
  /** When it was found that there is nothing to rest for. */
  #lookedMs = -Infinity;
  #restTimer: Timer | undefined;
  #refusalTimer: Timer | undefined;

  /** @param options What it is made of. */
  constructor(options: ServiceGateOptions) {
    const { rules, log } = options;
    this.#options = options;
    this.#admission = new Admission(rules);
    this.asksForUsers = this.#admission.asksForUsers;
    this.proxyTimeoutMs = rules.proxies?.timeoutMs;
    this.#restFault = new Fault({
      log,
      now: () => performance.now(),
      event: "resting",
      text: (reason) => `connections wait: ${reason}`,
      over: () => "connections are taken again",
    });
  }

  /** Whether clients are left in the queue. */
  get isResting(): boolean {
    return this.#restTimer !== undefined;
  }

  room(): number {
    const nowMs = performance.now();
    this.#nowMs = nowMs;
    // Hours and readings change by seconds, and take time to look at.
    const isFresh = nowMs - this.#lookedMs < LOOK_MS;
    const room = this.#admission.roomAt(nowMs);
    if (isFresh && room > 0) return room;
    const rest = this.#restAt(nowMs);
    if (rest === undefined) {
      this.#lookedMs = nowMs;
      this.#restFault.over();
      return room;
    }
    this.#rest(rest, nowMs);
    this.#options.changed();
    return 0;
  }

  admitProxy(proxy: Client): boolean {
    const reason = this.#admission.refuseProxy(proxy);
    if (reason !== undefined) this.#refused(reason, proxy);
    return reason === undefined;
  }

  refusedHeader(proxy: Client, why: string): void {
    this.#refused("header", proxy, why);
  }

  admit(client: Client): readonly string[] | undefined {
    const decision = this.#admission.decide(client, this.#nowMs);
    if (!("refused" in decision)) return decision.variables;
    this.#refused(decision.refused, client);
    return undefined;
  }

  /** The end of an admitted client's command, or of its start. */
  giveBack(client: Client): void {
    this.#admission.giveBack(client);
  }

  /** A client whose command runs since before a reload. */
  resume(client: Client): void {
    this.#admission.resume(client);
  }

  /** Ends all that it would do by itself, and tells what was left out. */
  stop(): void {
    clearTimeout(this.#restTimer);
    this.#restTimer = undefined;
    clearTimeout(this.#refusalTimer);
    this.#refusalTimer = undefined;
    this.#tellDue(Number.MAX_SAFE_INTEGER);
  }

  #restAt(nowMs: number): Rest | undefined {
    return this.#admission.restAt({
      nowMs,
      weekTime,
      valueOf: (what) => this.#options.readings?.valueOf(what, nowMs),
    });
  }

  #rest(rest: Rest, nowMs: number): void {
    this.#lookedMs = -Infinity;
    this.#restFault.met(this.#whyItRests(rest));
    clearTimeout(this.#restTimer);
    this.#restTimer = setTimeout(() => {
      this.#restTimer = undefined;
      const nowMs = performance.now();
      const still = this.#restAt(nowMs);
      if (still !== undefined) return this.#rest(still, nowMs);
      this.#restFault.over();
      this.#options.changed();
    }, Math.min(Math.ceil(delayOf(rest, nowMs)), TIMER_MAX_MS));
  }

  #whyItRests(rest: Rest): string {
    const { serviceRate, rateUnitMs } = this.#options.rules;
    switch (rest.kind) {
      case "hours":
        return "it is none of the hours in spawnd_access_times";
      case "rate":
        return `${serviceRate} were taken within ${rateUnitMs / 1000} s, ` +
          "as many as spawnd_connection_rate_limit allows";
      case "busy": {
        const { what, limit } = rest.busy;
        return what === "load"
          ? `the load is above ${limit}, which is spawnd_load_limit`
          : `the pressure on ${what} is above ${limit} %, as ` +
            "spawnd_pressure_limit has it";
      }
    }
  }

  #refused(reason: RefusalReason, client: Client, why?: string): void {
    this.#options.counter.refused(reason);
    const report = this.#refusals.add(reason, {
      key: this.#admission.keyOf(client),
      name: () => formatClientHost(client),
      nowMs: performance.now(),
    });
    if (report !== undefined) this.#tell(report, why);
    this.#refusalTimer ??= this.#awaitDue();
  }

  #awaitDue(): Timer | undefined {
    const { nextMs } = this.#refusals;
    if (nextMs === undefined) return undefined;
    return setTimeout(() => {
      this.#tellDue(performance.now());
      this.#refusalTimer = this.#awaitDue();
    }, Math.max(1, Math.ceil(nextMs - performance.now())));
  }

  #tellDue(nowMs: number): void {
    for (const report of this.#refusals.due(nowMs)) {
      const { client, count } = report;
      this.#tell(
        report,
        undefined,
        client === undefined
          ? `${count} more connections of others`
          : `${client} ${count === 1 ? "once more" : `${count} more times`}`,
      );
    }
  }

  #tell(
    { reason, client = "", count }: RefusalReport,
    why = this.#whyRefused(reason),
    whom = client,
  ): void {
    this.#options.log.warning("client-refused", `refused ${whom}: ${why}`, {
      ...{ reason, client, count },
    });
  }

  #whyRefused(reason: RefusalReason): string {
    const { clientConnections, clientRate, rateUnitMs } = this.#options.rules;
    switch (reason) {
      case "not-allowed":
        return "not in spawnd_clients";
      case "user":
        return "in neither spawnd_peer_users nor spawnd_peer_groups";
      case "connections":
        return `more than ${clientConnections} connections at once`;
      case "rate":
        return `more than ${clientRate} connections in ${rateUnitMs / 1000} s`;
      case "proxy":
        return "no proxy, for it is not in spawnd_proxy_clients";
      case "header":
        return "no good PROXY header";
    }
  }
}

/** The clock on the wall, which may be set; so it is not waited by for long. */
function weekTime(): WeekTime {
  const now = new Date(Date.now());
  return {
    day: now.getDay(),
    minute: now.getHours() * MINUTES_PER_HOUR + now.getMinutes(),
  };
}

function delayOf(rest: Rest, nowMs: number): number {
  switch (rest.kind) {
    case "rate":
      return Math.max(1, rest.againMs - nowMs);
    case "busy":
      return BUSY_LOOK_MS;
    case "hours":
      return MINUTE_MS - Date.now() % MINUTE_MS;
  }
}
