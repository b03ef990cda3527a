/**
 * What a daemon says of itself: records, one a line in JSON, so that a long
 * answer is never in memory as a whole.
 *
 * @module
 */

/** What the daemon as a whole does. */
export interface DaemonStatus {
  readonly kind: "daemon";
  readonly version: string;
  readonly pid: number;
  /** `stopping`: no more connections are accepted, and commands finish. */
  readonly state: "serving" | "stopping";
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
  | { readonly ask: "drain" };

/** The socket's name below queue_directory. */
export const STATUS_SOCKET = "spawnd.status";

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
  const { ask, what } = value as Record<string, unknown>; // looked at below
  if (ask === "status" || ask === "drain") return { ask };
  return ask === "kill" && typeof what === "string" ? { ask, what } : undefined;
}
