/**
 * What the subcommands that serve find out first: the C library, the log, and
 * the accounts.
 *
 * @module
 */

import type { Accounts } from "../../config/attributes.ts";
import type { Variables } from "../../engine/environment.ts";
import { underJournal } from "../../log/journal.ts";
import { type LogFormat, openLog } from "../../log/log.ts";
import { getentAccounts } from "../../net/getent.ts";
import type { Identity } from "../../posix/credentials.ts";
import { SystemError } from "../../posix/errno.ts";
import { isLibc, type Libc, openLibc } from "../../posix/libc.ts";
import { mapMachineCode } from "../../posix/machine_code.ts";
import type { DaemonContext } from "../../service/daemon.ts";
import { accountsOf } from "../shared/accounts.ts";
import { ownVariables } from "../shared/variables.ts";
import { VERSION } from "../shared/version.ts";

/** What the process was found to have. */
export interface StartContext extends DaemonContext {
  /** Why the direct engine cannot run; empty where it can. */
  readonly unavailable: string;
  readonly accounts: Accounts;
  /** The environment that the process was started with. */
  readonly variables: Variables;
  /** The ids that the process was started with. */
  readonly self: Identity;
  /** Whether journald reads what is written for people to standard error. */
  readonly isUnderJournal: boolean;
}

/**
 * Finds out what the process has.
 *
 * @param logFormat How to log.
 * @returns It.
 */
export function openContext(logFormat: LogFormat): StartContext {
  const library = openLibc();
  const libc = isLibc(library) ? library : undefined;
  const journal = libc !== undefined && underJournal(libc);
  const { log, outlet } = openLog({ format: logFormat, journal });
  return {
    ...{ libc, log, outlet, version: VERSION },
    isUnderJournal: journal && logFormat === "text",
    unavailable: isLibc(library)
      ? machineCodeRefusal(library)
      : library.unavailable,
    accounts: libc === undefined ? getentAccounts : accountsOf(libc),
    variables: ownVariables(libc),
    self: { uid: Deno.uid() ?? -1, gid: Deno.gid() ?? -1 },
  };
}

/** A security module may allow no executable memory, however it is made. */
function machineCodeRefusal(libc: Libc): string {
  try {
    mapMachineCode(libc);
    return "";
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return `the machine code of a command's start: ${error.message}`;
  }
}
