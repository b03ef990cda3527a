/**
 * The attributes at the end of a service definition, `user=NAME[:GROUP]` and
 * `argv=COMMAND...`, and every reason for which spawn(8) refuses to serve.
 *
 * @module
 */

import type { Identity } from "../posix/credentials.ts";
import { EX, failure, type Mistake, type Result, success } from "../result.ts";

/** How accounts are asked for; the answers are the system's. */
export interface Accounts {
  findUser(name: string): Identity | undefined;
  findGroup(name: string): number | undefined;
  /** What an account has to log in by. */
  findLogin(name: string): Login | undefined;
  /**
   * The groups that an account is in, as initgroups(3) has them: `gid` is among
   * them.
   */
  groupsOf(name: string, gid: number): readonly number[];
}

/** What an account has to log in by. */
export interface Login {
  readonly home: string;
  readonly shell: string;
}

/** What the attributes say, checked: nothing in it was refused. */
export interface CommandAttributes {
  /** Whose rights the command has. */
  readonly identity: Identity;
  /** The user's name as it was given. */
  readonly userName: string;
  /** The command and its arguments. */
  readonly argv: readonly [string, ...string[]];
}

/** A refusal of attributes. */
export interface AttributeMistake extends Mistake {
  /** Which of the words it is about; none where one is missing. */
  readonly wordIndex?: number;
}

/** The largest id, which the kernel takes for "no id". */
const ID_NONE = 0xffffffff;

/** What reading the attributes needs beside the words. */
export interface AttributeContext {
  readonly accounts: Accounts;
  /** Whose ids the daemon itself has: no command may have them. */
  readonly owner: Identity | undefined;
  /** Whose rights a command has for which none are asked; nobody's if not there. */
  readonly self?: Identity | undefined;
}

/**
 * Reads a service's attributes and checks them in the order in which spawn(8)
 * does, so that of several mistakes the same one is told.
 *
 * @param words The attributes, in their order; all after `argv=` is the command's.
 * @param context The accounts, and the daemon's owner.
 * @returns The checked attributes, or the refusal.
 */
export function parseAttributes(
  words: readonly string[],
  context: AttributeContext,
): Result<CommandAttributes, AttributeMistake> {
  const { self } = context;
  let user: FoundUser | undefined = self &&
    { name: `${self.uid}`, identity: self };
  let argv: readonly string[] | undefined;
  for (const [index, word] of words.entries()) {
    const value = /^(?:user|argv)=(.*)$/is.exec(word)?.[1];
    if (value === undefined) {
      return refused({
        text: `unknown attribute name: ${word}`,
        mend: "attributes are user=NAME[:GROUP] and, last, argv=COMMAND...",
        exitCode: EX.USAGE,
      }, index);
    }
    if (/^argv=/i.test(word)) {
      argv = [value, ...words.slice(index + 1)];
      break;
    }
    const found = findIdentity(value, context.accounts);
    if (!found.ok) return refused(found.mistake, index);
    user = { ...found.value, wordIndex: index };
  }
  if (user === undefined) {
    return missing(
      "user",
      argv?.some((word) => /^user=/i.test(word))
        ? "write user= before argv=: what stands behind is the command's"
        : "name the account that the command runs as",
    );
  }
  const [name, ...rest] = argv ?? [];
  if (name === undefined || name === "") {
    return missing("argv", "name the command, last: argv=/bin/cat");
  }
  const refusal = refuse(user.identity, context.owner);
  if (refusal !== undefined) return refused(refusal, user.wordIndex);
  return success({
    identity: user.identity,
    userName: user.name,
    argv: [name, ...rest],
  });
}

/** Whose rights a command is to have. */
interface FoundUser {
  readonly name: string;
  readonly identity: Identity;
  /** The attribute that says so. */
  readonly wordIndex?: number;
}

function refused(
  mistake: Mistake,
  wordIndex: number | undefined,
): { ok: false; mistake: AttributeMistake } {
  return wordIndex === undefined
    ? failure(mistake)
    : { ok: false, mistake: { ...mistake, wordIndex } };
}

function missing(name: string, mend: string): Result<never> {
  const text = `missing ${name}= attribute`;
  return failure({ text, mend, exitCode: EX.USAGE });
}

/**
 * Finds an account, and a group.
 *
 * @param value `USER` or `USER:GROUP`; a group that is empty, or not there, is
 * the account's own.
 * @param accounts The accounts.
 * @returns The user's name, and the ids; or which of them there is not.
 */
export function findIdentity(
  value: string,
  accounts: Accounts,
): Result<{ name: string; identity: Identity }> {
  const colon = value.indexOf(":");
  const name = colon < 0 ? value : value.slice(0, colon);
  const groupName = colon < 0 ? "" : value.slice(colon + 1);
  const user = accounts.findUser(name);
  if (user === undefined) {
    return failure({
      text: `unknown user name: ${name}`,
      mend: /^\d+$/.test(name)
        ? "accounts are given by name, not by number"
        : undefined,
      exitCode: EX.NOUSER,
    });
  }
  if (groupName === "") return success({ name, identity: user });
  const gid = accounts.findGroup(groupName);
  if (gid === undefined) {
    return failure({
      text: `unknown group name: ${groupName}`,
      exitCode: EX.NOUSER,
    });
  }
  return success({ name, identity: { uid: user.uid, gid } });
}

function refuse(
  { uid, gid }: Identity,
  owner: Identity | undefined,
): Mistake | undefined {
  const refusal = (
    text: string,
    mend = "use an account that has no other purpose",
  ): Mistake => ({ text, mend, exitCode: EX.CONFIG });
  if (uid === 0) return refusal("request to deliver as root");
  if (uid === owner?.uid) {
    return {
      ...refusal("request to deliver as mail system owner"),
      mend: "that is the daemon's own account: use one that is the command's",
    };
  }
  if (gid === 0) {
    return refusal(`request to use privileged group id ${gid}`);
  }
  if (gid === owner?.gid) {
    return refusal(`request to use mail system owner group id ${gid}`);
  }
  if (uid === ID_NONE) return refusal("user must not have user ID -1");
  if (gid === ID_NONE) return refusal("user must not have group ID -1");
  return undefined;
}
