/**
 * The directories of unix services below `queue_directory`: `private` for the
 * daemon's owner alone, `public` for everybody.
 *
 * @module
 */

import type { Identity } from "../posix/credentials.ts";
import { EX, failure, type Result, success } from "../result.ts";

const PRIVATE_MODE = 0o700;
const PUBLIC_MODE = 0o755;

/** Which directory is needed. */
export interface QueueDirectoryOptions {
  readonly queueDirectory: string;
  readonly isPrivate: boolean;
  /** Whose it is to be; without, whoever starts the daemon. */
  readonly owner: Identity | undefined;
}

/**
 * Makes the directory if it is missing. One that is there is left as it is:
 * whoever made it knows who is to enter.
 *
 * @param options Which directory.
 * @returns Nothing; or why it is not there.
 */
export function prepareQueueDirectory(
  { queueDirectory, isPrivate, owner }: QueueDirectoryOptions,
): Result<void> {
  const path = `${queueDirectory}/${isPrivate ? "private" : "public"}`;
  const mode = isPrivate ? PRIVATE_MODE : PUBLIC_MODE;
  try {
    Deno.mkdirSync(path, { mode: PRIVATE_MODE });
    if (owner !== undefined) Deno.chownSync(path, owner.uid, owner.gid);
    Deno.chmodSync(path, mode);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return success(undefined);
    const reason = error instanceof Error ? error.message : String(error);
    return failure({
      text: `cannot make ${path}: ${reason}`,
      mend: `make ${queueDirectory} first, or set queue_directory`,
      exitCode: EX.OSERR,
    });
  }
  return success(undefined);
}
