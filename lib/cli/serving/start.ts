/**
 * What the subcommands that serve do alike before they have a plan: finding
 * the C library, opening the log, and who is who.
 *
 * @module
 */

import type { Accounts } from "../../config/attributes.ts";
import type { Command, EngineName } from "../../engine/engine.ts";
import type { Variables } from "../../engine/environment.ts";
import { underJournal } from "../../log/journal.ts";
import { type LogFormat, openLog } from "../../log/log.ts";
import { getentAccounts } from "../../net/getent.ts";
import { findGroup, findUser } from "../../posix/accounts.ts";
import { isUtf8 } from "../../posix/byte_text.ts";
import {
  type Identity,
  missingCapabilities,
  startedAs,
} from "../../posix/credentials.ts";
import { MORE_DESCRIPTORS, SystemError } from "../../posix/errno.ts";
import { isLibc, type Libc, openLibc } from "../../posix/libc.ts";
import { mapMachineCode } from "../../posix/machine_code.ts";
import {
  descriptorLimit,
  wasInheritedForWriting,
} from "../../posix/process.ts";
import {
  EX,
  failure,
  type Mistake,
  type Result,
  success,
} from "../../result.ts";
import type { DaemonContext } from "../../service/daemon.ts";
import { ownVariables } from "../shared/variables.ts";
import { VERSION } from "../shared/version.ts";

/** Those below are the daemon's own, or come to be a connection's. */
const FIRST_FD_TO_GIVE = 3;

/**
 * What the runtime and a daemon of one service have open: with less, the
 * runtime fails in ways of its own.
 */
const DESCRIPTORS_MIN = 32n;

/** What the process was found to have. */
export interface StartContext extends DaemonContext {
  /** Why the direct engine cannot run; empty where it can. */
  readonly unavailable: string;
  readonly accounts: Accounts;
  /** The environment that the process was started with. */
  readonly variables: Variables;
  /** The ids that the process was started with. */
  readonly self: Identity;
  /** Whether journald reads standard error, and in the format for people. */
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

/**
 * The system's accounts, by way of the C library.
 *
 * @param libc The C library.
 * @returns The accounts.
 */
export function accountsOf(libc: Libc): Accounts {
  return {
    findUser: onceEach((name) => findUser(libc, name)),
    findGroup: onceEach((name) => findGroup(libc, name)),
  };
}

/** Many services have one account; each is looked up once. */
function onceEach<T>(find: (name: string) => T): (name: string) => T {
  const found = new Map<string, T>();
  return (name) => {
    if (!found.has(name)) found.set(name, find(name));
    return found.get(name) as T; // as it was put there
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
  { libc, unavailable, self }: StartContext,
): Result<Means> {
  const { engine, readyFd } = wanted;
  if (engine === "direct" && unavailable !== "") {
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
  const missing = libc !== undefined && self.uid === 0
    ? missingCapabilities(libc)
    : [];
  if (missing.length > 0) {
    return failure({
      text: `root without ${missing.join(" and ")} cannot run commands as ` +
        "their users",
      mend: "let the container or the service manager keep it, or start as " +
        "the user itself",
      exitCode: EX.NOPERM,
    });
  }
  const byDefault = unavailable === "" ? "direct" : "relay";
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
 * @param context What the process has.
 * @returns Its ids; `undefined` where root did not start the daemon, which
 * then has one identity.
 */
export function findOwner(
  name: string,
  { accounts, self }: StartContext,
): Result<Identity | undefined> {
  if (self.uid !== 0) return success(undefined);
  const owner = accounts.findUser(name);
  if (owner === undefined) {
    return failure({
      text: `unknown user name: ${name}`,
      mend: "name an account for the daemon itself",
      exitCode: EX.NOUSER,
    });
  }
  if (owner.uid !== 0 && owner.gid !== 0) return success(owner);
  return failure({
    text: `${name} is privileged`,
    mend: "name an account without privileges",
    exitCode: EX.CONFIG,
  });
}

/**
 * Gives the one identity that there is where root did not start the daemon.
 * Its uid may have no name, as in a container, by which `user=` could say it.
 *
 * @param context What the process has.
 * @returns The identity; `undefined` where root started it.
 */
export function ownIdentity({ self }: StartContext): Identity | undefined {
  return self.uid === 0 ? undefined : self;
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
    mend: "start as root, or leave user= out to run them as yourself",
    exitCode: EX.NOPERM,
  };
}

/**
 * Tells what is wrong with a command that an engine cannot pass on: only the
 * direct one has bytes that are no UTF-8 reach a command.
 *
 * @param command The command.
 * @param engine The engine.
 * @returns The mistake, if it is one.
 */
export function refuseBytes(
  { argv, environment }: Pick<Command, "argv" | "environment">,
  engine: EngineName,
): Mistake | undefined {
  if (engine === "direct") return undefined;
  const strange = [...argv, ...environment].find((word) => !isUtf8(word));
  return strange === undefined ? undefined : {
    text: `not UTF-8: ${strange}`,
    mend: "the relay engine passes on nothing else: change it, or leave it out",
    exitCode: EX.CONFIG,
  };
}
