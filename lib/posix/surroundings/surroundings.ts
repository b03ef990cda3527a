/**
 * What a service may ask for its commands' processes beside their user: plain
 * data, so that it can be written down for a reload.
 *
 * @module
 */

/** The limits by prlimit(1)'s names, with the numbers of bits/resource.h. */
export const RESOURCES = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;

/** The name of a limit. */
export type ResourceName = keyof typeof RESOURCES;

/** How much of a resource there is, in the unit that setrlimit(2) has. */
export type LimitValue = number | "infinity";

/** A limit of a process: setrlimit(2). */
export interface ResourceLimit {
  readonly resource: ResourceName;
  readonly soft: LimitValue;
  readonly hard: LimitValue;
}

/** The classes of ioprio_set(2) with their numbers: linux/ioprio.h. */
export const IO_CLASSES = {
  realtime: 1,
  "best-effort": 2,
  idle: 3,
} as const;

/** How a process comes to a disk: ioprio_set(2). */
export interface IoPriority {
  readonly class: keyof typeof IO_CLASSES;
  /** From 0, which comes first, to 7. */
  readonly level: number;
}

/** What may be done beneath a path. */
export interface PathAccess {
  readonly path: string;
  /** `read` is to read and to execute; `write` to read, change and make. */
  readonly access: "read" | "write";
}

/** What standard error can be. */
export const STANDARD_ERRORS = ["connection", "inherit", "null"] as const;

/** What standard error is: the connection, the daemon's own, or nothing. */
export type StandardError = typeof STANDARD_ERRORS[number];

/** What is asked for; what is not there stays as the daemon has it. */
export interface Surroundings {
  readonly limits?: readonly ResourceLimit[] | undefined;
  readonly nice?: number | undefined;
  readonly umask?: number | undefined;
  /** Where it starts; entered as its user. */
  readonly directory?: string | undefined;
  readonly ioPriority?: IoPriority | undefined;
  /** The processors that it may run on, by number. */
  readonly cpus?: readonly number[] | undefined;
  /** Its supplementary groups; its own group alone, if none are said. */
  readonly groups?: readonly number[] | undefined;
  readonly noNewPrivileges?: boolean | undefined;
  /** Whether it sees no network but a loopback of its service's own. */
  readonly privateNetwork?: boolean | undefined;
  /** The only paths there are to it; implies `noNewPrivileges`. */
  readonly landlock?: readonly PathAccess[] | undefined;
  readonly standardError?: StandardError | undefined;
}
