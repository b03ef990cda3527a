/**
 * What the subcommands that serve do alike before they have a plan: finding
 * the C library, opening the log, and who is who.
 *
 * @module
 */

import type { Accounts } from "../config/attributes.ts";
import type { EngineName } from "../engine/engine.ts";
import { underJournal } from "../log/journal.ts";
import { type LogFormat, openLog } from "../log/log.ts";
import { getentAccounts } from "../net/getent.ts";
import { findGroup, findUser } from "../posix/accounts.ts";
import { type Identity, startedAs } from "../posix/credentials.ts";
import { MORE_DESCRIPTORS } from "../posix/errno.ts";
import { isLibc, type Libc, openLibc } from "../posix/libc.ts";
import { descriptorLimit, wasInheritedForWriting } from "../posix/process.ts";
import { EX, failure, type Mistake, type Result, success } from "../result.ts";
import type { DaemonContext } from "../service/daemon.ts";

/** Those below are the daemon's own, or come to be a connection's. */
const FIRST_FD_TO_GIVE = 3;

/**
 * What the runtime and a daemon of one service have open: with less, the
 * runtime fails in ways of its own.
 */
const DESCRIPTORS_MIN = 32n;

/** What the process was found to have. */
export interface StartContext extends DaemonContext {
  /** Why there is no C library. */
  readonly unavailable: string;
  readonly accounts: Accounts;
  /** The ids that the process was started with. */
  readonly self: Identity;
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
  return {
    libc,
    unavailable: isLibc(library) ? "" : library.unavailable,
    log: openLog({
      format: logFormat,
      journal: libc !== undefined && underJournal(libc),
    }),
    accounts: libc === undefined ? getentAccounts : accountsOf(libc),
    self: { uid: Deno.uid() ?? -1, gid: Deno.gid() ?? -1 },
  };
}

/**
 * The system's accounts, by way of the C library.
 *
 * @param libc The C library.
 * @returns The accounts.
 */
export function accountsOf(libc: Libc): Accounts {
  return {
    findUser: (name) => findUser(libc, name),
    findGroup: (name) => findGroup(libc, name),
  };
}

/** What a process can serve with, checked. */
export interface Means {
  readonly engine: EngineName;
  /** Where to write a newline when it accepts. */
  readonly readyFd: number | undefined;
}

/**
 * Checks what the process was started with.
 *
 * @param wanted The engine and the descriptor asked for, if they were.
 * @param context What the process has.
 * @returns What it serves with.
 */
export function checkMeans(
  wanted: { engine: EngineName | undefined; readyFd: number | undefined },
  { libc, unavailable }: StartContext,
): Result<Means> {
  const { engine, readyFd } = wanted;
  if (engine === "direct" && libc === undefined) {
    return failure({
      text: `the direct engine cannot run: ${unavailable}`,
      mend: "leave --engine out to run with relay",
      exitCode: EX.OSERR,
    });
  }
  if (readyFd !== undefined && readyFd < FIRST_FD_TO_GIVE) {
    return failure({
      text: `--ready-fd ${readyFd}: standard input, output and error are taken`,
      mend: `open another for the daemon: spawnd run ... --ready-fd 3 3>FILE`,
      exitCode: EX.USAGE,
    });
  }
  if (
    readyFd !== undefined &&
    !(libc !== undefined && wasInheritedForWriting(libc, readyFd))
  ) {
    return failure({
      text: `--ready-fd ${readyFd}: no descriptor that can be written to`,
      mend: `open it for the daemon: spawnd run ... ${readyFd}>FILE`,
      exitCode: EX.USAGE,
    });
  }
  if (libc !== undefined && descriptorLimit(libc).hard < DESCRIPTORS_MIN) {
    const { hard } = descriptorLimit(libc);
    return failure({
      text: `too few descriptors: ${hard}, and ${DESCRIPTORS_MIN} are needed`,
      mend: MORE_DESCRIPTORS,
      exitCode: EX.OSERR,
    });
  }
  if (libc !== undefined && !isPlainProcess(libc)) {
    return failure({
      text: "real and effective ids differ",
      mend: "spawnd must not be installed set-user-id",
      exitCode: EX.NOPERM,
    });
  }
  const byDefault = libc === undefined ? "relay" : "direct";
  return success({ engine: engine ?? byDefault, readyFd });
}

function isPlainProcess(libc: Libc): boolean {
  const { real, effective } = startedAs(libc);
  return real.uid === effective.uid && real.gid === effective.gid;
}

/**
 * Finds the account that the daemon itself has.
 *
 * @param name The account.
 * @param place Where it was named.
 * @param context What the process has.
 * @returns Its ids; `undefined` where root did not start the daemon, which
 * then has one identity.
 */
export function findOwner(
  name: string,
  place: string,
  { accounts, self }: StartContext,
): Result<Identity | undefined> {
  if (self.uid !== 0) return success(undefined);
  const owner = accounts.findUser(name);
  if (owner === undefined) {
    return failure({
      place,
      text: `unknown user name: ${name}`,
      mend: "name an account for the daemon itself",
      exitCode: EX.NOUSER,
    });
  }
  if (owner.uid !== 0 && owner.gid !== 0) return success(owner);
  return failure({
    place,
    text: `${name} is privileged`,
    mend: "name an account without privileges",
    exitCode: EX.CONFIG,
  });
}

/**
 * Tells what is wrong with a command's identity where root did not start the
 * daemon: it has one identity, and so have its commands.
 *
 * @param userName The command's user.
 * @param identity Its ids.
 * @param context What the process has.
 * @returns The mistake, if it is one.
 */
export function refuseForeignIdentity(
  userName: string,
  identity: Identity,
  { self }: StartContext,
): Mistake | undefined {
  const isOwn = identity.uid === self.uid && identity.gid === self.gid;
  if (self.uid === 0 || isOwn) return undefined;
  return {
    text: `only root can run commands as ${userName}`,
    mend: "start as root, or give your own account as user=",
    exitCode: EX.NOPERM,
  };
}
