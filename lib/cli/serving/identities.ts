/**
 * Who is who: the daemon's owner, and whom its commands may be, by whether root
 * started it.
 *
 * @module
 */

import type { Command, EngineName } from "../../engine/engine.ts";
import { isUtf8 } from "../../posix/byte_text.ts";
import type { Identity } from "../../posix/credentials.ts";
import {
  EX,
  failure,
  type Mistake,
  type Result,
  success,
} from "../../result.ts";
import type { StartContext } from "./start.ts";

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
