/**
 * Giving root's effective ids away, as far as the kernel lets a daemon.
 *
 * @module
 */

import {
  type Credentials,
  type Identity,
  restAs,
} from "../posix/credentials.ts";
import { SystemError } from "../posix/errno.ts";
import type { Libc } from "../posix/libc.ts";
import { EX, failure, type Result, success } from "../result.ts";
import { panic } from "./panic.ts";

/**
 * Rests as the daemon's owner.
 *
 * @param libc The C library.
 * @param owner The owner.
 * @returns The credentials that the daemon has from now on; or why it cannot.
 */
export function rest(libc: Libc, owner: Identity): Result<Credentials> {
  try {
    const rested = restAs(libc, { owner, lost: panic });
    if (!("unsafe" in rested)) return success(rested);
    const { unsafe: text, mend } = rested;
    return failure({ text, mend, exitCode: EX.CONFIG });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return failure({
      text: `cannot rest as uid ${owner.uid}, gid ${owner.gid}: ` +
        error.message,
      mend: "let the daemon take these ids, or name another owner",
      exitCode: EX.NOPERM,
    });
  }
}
