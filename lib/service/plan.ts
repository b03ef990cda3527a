/**
 * What a daemon is to do, checked: an unchecked configuration has no plan.
 *
 * @module
 */

import type { AdmissionLookups } from "../admission/admission_rules.ts";
import type { ServiceSettings } from "../config/service_settings.ts";
import type { Command, EngineName } from "../engine/engine.ts";
import type { LogDestination } from "../log/destination.ts";
import type { ListeningSocket, ListenOptions } from "../net/listening.ts";
import type { Credentials, Identity } from "../posix/credentials.ts";
import type { DescriptorLimit } from "../posix/process.ts";
import type { Result } from "../result.ts";

/** A service as it was checked. */
export interface ServicePlan {
  /** What tells it from all others, also in another configuration. */
  readonly id: string;
  readonly name: string;
  /** Opens its sockets, or takes them over. */
  readonly listen: (options: PlanListenOptions) => Result<ListeningSocket[]>;
  readonly command: Command;
  readonly settings: ServiceSettings;
  /** What had to be looked up for who may connect. */
  readonly admission: AdmissionLookups;
  /** `Infinity` for none. */
  readonly timeLimitMs: number;
  readonly maxProcesses: number;
  /** See `ServiceOptions`. */
  readonly waits: boolean;
  /** See `ServiceOptions`. */
  readonly isThrottled: boolean;
  /** Whether to report each of its connections. */
  readonly verbose: boolean;
}

/** What a plan's `listen` is called with. */
export interface PlanListenOptions
  extends Omit<ListenOptions, "backlogConnections"> {
  readonly credentials: () => Credentials;
}

/** What a socket of the daemon's own is for. */
export type OwnRole = "status" | "metrics";

/** Sockets that a daemon is to have for itself. */
export interface OwnListener {
  readonly role: OwnRole;
  /** Opens them, or takes them over. */
  readonly listen: (options: PlanListenOptions) => Result<ListeningSocket[]>;
  /** Whether the daemon serves without, if it has to. */
  readonly isOptional: boolean;
}

/** What was opened for each service. */
export type OpenSockets = ReadonlyMap<ServicePlan, ListeningSocket[]>;

/** A daemon as it was checked. */
export interface DaemonPlan {
  readonly services: readonly ServicePlan[];
  readonly engine: EngineName;
  /** Whose effective ids it has; `undefined` where there are none to change. */
  readonly owner: Identity | undefined;
  /** Where its commands run, if that is there. */
  readonly directory: string;
  /** The one connection that it serves, where it does not listen at all. */
  readonly connectionFd?: number | undefined;
  /** Where to write a newline when it accepts. */
  readonly readyFd: number | undefined;
  /** Where to write the process id. */
  readonly pidFile?: string | undefined;
  /** How long a stop waits for commands to finish; 0 for no limit. */
  readonly stopTimeoutMs: number;
  /** Whether SIGHUP has a new plan tried and executed. */
  readonly reloads: boolean;
  /** The number of descriptors for commands, if the daemon has another. */
  readonly descriptorLimit?: DescriptorLimit | undefined;
  /** Where the log goes; where nothing is said, to standard error. */
  readonly log?: LogDestination | undefined;
  /** Sockets on which it tells of itself, to be served by the direct engine. */
  readonly own?: readonly OwnListener[] | undefined;
  /** What `announce` tells beside the sockets, as plain data. */
  readonly about?: Readonly<Record<string, unknown>>;
  /** Called when all is open and nothing was accepted yet. */
  readonly announce: (sockets: OpenSockets) => void;
}
