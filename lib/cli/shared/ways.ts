/**
 * The three ways by which spawnd comes to serve, and all in which they differ:
 * what is not here is the same for the three.
 *
 * @module
 */

import type { ConnectionEnvironment } from "../../posix/connection_environment.ts";

/** How one way differs from the others. */
export interface Way {
  /** Where its configuration is, unless that is said; none has any but its words. */
  readonly directory: string | undefined;
  /** The setting that names the account of the daemon itself. */
  readonly owner: "owner" | "mailOwner";
  /** Whether `import_environment` says what there is for commands. */
  readonly importsEnvironment: boolean;
  /** Whether it serves another configuration at SIGHUP. */
  readonly reloads: boolean;
  /** Whose variables tell a command of its connection, if nothing is said. */
  readonly connectionEnvironment: ConnectionEnvironment;
  /**
   * Whether a command that cannot be started is tried for one client a second;
   * below master(8), each client learns at once that there is none.
   */
  readonly isThrottled: boolean;
  /** Whether `spawnd status` finds it, by its `queue_directory`. */
  readonly hasStatus: boolean;
}

/** The ways. */
export const WAYS = {
  /** `spawnd run`: a person, or a service manager, with the whole environment. */
  run: {
    directory: undefined,
    owner: "owner",
    importsEnvironment: false,
    reloads: false,
    connectionEnvironment: "ucspi",
    isThrottled: true,
    hasStatus: false,
  },
  /** `spawnd serve`: master(8)'s part as well. */
  serve: {
    directory: "/etc/spawnd",
    owner: "owner",
    importsEnvironment: true,
    reloads: true,
    connectionEnvironment: "ucspi",
    isThrottled: true,
    hasStatus: true,
  },
  /** Below master(8), which has made the environment what is to be imported. */
  master: {
    directory: "/etc/postfix",
    owner: "mailOwner",
    importsEnvironment: false,
    reloads: true,
    connectionEnvironment: "none",
    isThrottled: false,
    hasStatus: false,
  },
} as const satisfies Record<string, Way>;
