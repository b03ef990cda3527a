/**
 * What a daemon says of itself: records, one a line in JSON, so that a long
 * answer is never in memory as a whole.
 *
 * @module
 */

/** What a daemon can do. */
export const DAEMON_STATES = ["serving", "draining", "stopping"] as const;

/**
 * What a daemon does: `draining` where it accepts still, but nobody is to send
 * it anybody; `stopping` where it accepts no more and commands finish.
 */
export type DaemonState = typeof DAEMON_STATES[number];

/** What the daemon as a whole does. */
export interface DaemonStatus {
  readonly kind: "daemon";
  readonly version: string;
  readonly pid: number;
  readonly state: DaemonState;
  /** When it was started, in the calendar. */
  readonly since: string;
  readonly uptimeSeconds: number;
}

/** What a service does, and has done since it was first served. */
export interface ServiceStatus {
  readonly kind: "service";
  readonly service: string;
  /** What tells it from all others. */
  readonly id: string;
  readonly addresses: readonly string[];
  /** Commands that run. */
  readonly active: number;
  /** How many may; 0 for no limit. */
  readonly limit: number;
  /** Connections in the kernel's queue; null where that cannot be known. */
  readonly waiting: number | null;
  readonly waitingLimit: number | null;
  readonly since: string;
  readonly connections: number;
  /** How many connections were refused, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly notStarted: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly endedByHand: number;
  /** Connections a second, over the last minute. */
  readonly perSecond: number;
  /** Connections in each of the last seconds, this one last. */
  readonly recent: readonly number[];
  /** Null where no command has ended yet. */
  readonly medianSeconds: number | null;
  readonly p99Seconds: number | null;
  /** What its commands have used that have ended. */
  readonly processorSeconds: number;
}

/** A command that runs. */
export interface CommandStatus {
  readonly kind: "command";
  readonly service: string;
  readonly id: string;
  readonly pid: number;
  /** Empty where it is not known. */
  readonly client: string;
  readonly ageSeconds: number;
  /** Null where it has ended by now. */
  readonly processorSeconds: number | null;
  /** Whether it was killed and is not gone yet. */
  readonly isKilled: boolean;
}

/** A question was not answered. */
export interface RefusedStatus {
  readonly kind: "refused";
  readonly text: string;
}

/** Nothing follows: without it an answer is not whole. */
export interface EndStatus {
  readonly kind: "end";
}

/** A line of an answer. */
export type StatusRecord =
  | DaemonStatus
  | ServiceStatus
  | CommandStatus
  | RefusedStatus
  | EndStatus;

/** What can be asked. */
export type StatusQuestion =
  | { readonly ask: "status" }
  /** Ends commands: those of a service, or one by its process id. */
  | { readonly ask: "kill"; readonly what: string }
  /** Has the daemon say so at once, and stop some time later. */
  | { readonly ask: "drain"; readonly graceMs: number };

/** The socket's name below queue_directory. */
export const STATUS_SOCKET = "spawnd.status";

/** More than anybody waits for a machine to be drained. */
export const GRACE_MS_MAX = 24 * 60 * 60 * 1000;

/** More than any question has. */
export const QUESTION_BYTES_MAX = 4096;

/**
 * Reads a question.
 *
 * @param line Its line.
 * @returns The question; `undefined` if it is none.
 */
export function parseQuestion(line: string): StatusQuestion | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  // Looked at one by one.
  const { ask, what, graceMs } = value as Record<string, unknown>;
  if (ask === "status") return { ask };
  if (ask === "kill" && typeof what === "string") return { ask, what };
  const isGrace = typeof graceMs === "number" && graceMs >= 0 &&
    graceMs <= GRACE_MS_MAX;
  return ask === "drain" && isGrace ? { ask, graceMs } : undefined;
}
