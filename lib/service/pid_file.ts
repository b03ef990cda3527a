/**
 * The pid file: where scripts find the daemon. It is claimed while the daemon
 * can still refuse to start, and it appears, whole, when the daemon is ready;
 * from then until the daemon's end it is locked, so that two daemons never share
 * one and nobody takes a file that was left behind for a daemon's.
 *
 * Until it appears it is `FILE.new` beside it, which nobody else can open: its
 * lock is what lets one daemon at a time look whether there is another. So it is
 * not made as other files are that appear whole, under a name of its own.
 *
 * It also tells what became of a reload: another file with the same id is in
 * its place where the new configuration serves, the same file was written anew
 * where it does not.
 *
 * @module
 */

import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import type { Credentials } from "../posix/credentials.ts";
import {
  checked,
  EISDIR,
  ENOSPC,
  errorText,
  SystemError,
} from "../posix/errno.ts";
import {
  type FileFacts,
  isSameFile,
  lookAtDescriptor,
  lookIn,
  removeFrom,
} from "../posix/files.ts";
import { openFolder, weakStep } from "../posix/folders.ts";
import { O_CLOEXEC, O_CREAT, O_NONBLOCK, O_RDWR } from "../posix/headers.ts";
import { cString, type Libc } from "../posix/libc.ts";
import { lockForWriting, writeLockHolder } from "../posix/record_lock.ts";
import { EX, failure, type Mistake, type Result, success } from "../result.ts";

const NO_FD = -1;

const CLAIMED_MODE = 0o600;
const PUBLISHED_MODE = 0o644;

/** How often to begin anew where another daemon has just begun, or ended. */
const CLAIMS_MAX = 3;

/** What a daemon's pid file is claimed with. */
export interface ClaimOptions {
  /** The daemon's credentials, whenever it removes the file. */
  readonly credentials: () => Credentials;
  /** The file of a former image of this process. */
  readonly formerFd?: number | undefined;
  /** A process that may have the file: the one that this one is a trial of. */
  readonly holder?: number | undefined;
}

/**
 * Claims a pid file: all is done that can fail, but for its appearance.
 *
 * @param libc The C library.
 * @param path The file.
 * @param options What it is claimed with.
 * @returns The file; or why it cannot be had.
 */
export function claimPidFile(
  libc: Libc,
  path: string,
  options: ClaimOptions,
): Result<PidFile> {
  let folderFd: number | undefined;
  try {
    const folder = openFolder(libc, dirname(path));
    folderFd = folder.fd;
    const weak = weakStep(libc, folder);
    const claimed = weak !== undefined
      ? unsafe(path, `${weak.path} ${weak.reason}`)
      : claimIn(libc, { folderFd, path }, options);
    if (typeof claimed !== "number") return failure(claimed);
    const file = new PidFile(libc, options.credentials, {
      ...{ path, folderFd, fd: claimed, formerFd: options.formerFd },
      isPublished: false,
    });
    folderFd = undefined;
    return success(file);
  } catch (error) {
    if (error instanceof SystemError) return cannotWrite(path, error);
    throw error;
  } finally {
    if (folderFd !== undefined) libc.c.close(folderFd);
  }
}

/**
 * Finds out whether a pid file could be had, and leaves everything as it is.
 *
 * @param libc The C library.
 * @param path The file.
 * @param options What it would be claimed with.
 * @returns Nothing; or why it could not.
 */
export function checkPidFile(
  libc: Libc,
  path: string,
  options: ClaimOptions,
): Result<void> {
  const claimed = claimPidFile(libc, path, options);
  if (!claimed.ok) return claimed;
  claimed.value[Symbol.dispose]();
  return success(undefined);
}

/**
 * Goes on with a file that a former image of this process has written.
 *
 * @param libc The C library.
 * @param path The file.
 * @param options Its descriptor, and the credentials to remove it with.
 * @returns The file.
 */
export function keepPidFile(
  libc: Libc,
  path: string,
  { fd, credentials }: { fd: number } & Pick<ClaimOptions, "credentials">,
): PidFile {
  return new PidFile(libc, credentials, {
    ...{ path, fd, isPublished: true },
    folderFd: folderOrNone(libc, path),
  });
}

/** Where it has gone, the file has gone with it. */
function folderOrNone(libc: Libc, path: string): number {
  try {
    return openFolder(libc, dirname(path)).fd;
  } catch (error) {
    if (error instanceof SystemError) return NO_FD;
    throw error;
  }
}

/** Where a pid file is. */
interface PidFilePlace {
  readonly path: string;
  readonly folderFd: number;
  readonly fd: number;
  readonly isPublished: boolean;
  /** What is there until it appears. */
  readonly formerFd?: number | undefined;
}

/**
 * A pid file of this daemon's own. Whatever there is of it goes with the
 * scope, unless another daemon has put its own in its place: `using`.
 */
export class PidFile implements Disposable {
  readonly #libc: Libc;
  readonly #credentials: () => Credentials;
  #place: PidFilePlace;

  /**
   * @param libc The C library.
   * @param credentials The daemon's credentials, whenever it removes the file.
   * @param place Where it is; both descriptors are its own from now on.
   */
  constructor(
    libc: Libc,
    credentials: () => Credentials,
    place: PidFilePlace,
  ) {
    this.#libc = libc;
    this.#credentials = credentials;
    this.#place = place;
  }

  /** It, open for writing. */
  get fd(): number {
    return this.#place.fd;
  }

  /**
   * Lets it appear, in the place of a former one.
   *
   * @returns Nothing; or why it does not: then a former one goes on.
   */
  publish(): Result<void> {
    const { path, isPublished, formerFd, ...place } = this.#place;
    if (isPublished) return success(undefined);
    try {
      this.#credentials().asRoot(() => this.#rename());
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (formerFd !== undefined) {
        this.#remove();
        this.#libc.c.close(place.fd);
        this.#place = { ...place, path, fd: formerFd, isPublished: true };
      }
      return cannotWrite(path, error);
    }
    if (formerFd !== undefined) this.#libc.c.close(formerFd);
    this.#place = { ...place, path, isPublished: true };
    return success(undefined);
  }

  #rename(): void {
    const { c } = this.#libc;
    const { path, folderFd, fd } = this.#place;
    const name = basename(path);
    checked(this.#libc, "chmod", c.fchmod(fd, PUBLISHED_MODE));
    const [from, to] = [cString(claimedName(name)), cString(name)];
    const renamed = c.renameat(folderFd, from, folderFd, to);
    checked(this.#libc, "rename", renamed);
  }

  /** Writes the id anew, into the same file. */
  touch(): void {
    const bytes = idLine();
    this.#libc.c.pwrite(this.#place.fd, bytes, BigInt(bytes.length), 0n);
  }

  [Symbol.dispose](): void {
    const { folderFd, fd } = this.#place;
    this.#remove();
    this.#libc.c.close(fd);
    this.#libc.c.close(folderFd);
  }

  #remove(): void {
    const { path, folderFd, fd, isPublished } = this.#place;
    const meant = lookAtDescriptor(this.#libc, fd);
    if (meant === undefined) return;
    const published = basename(path);
    const name = isPublished ? published : claimedName(published);
    this.#credentials().asRoot(() =>
      removeFrom(this.#libc, folderFd, { name, meant })
    );
  }
}

function claimedName(name: string): string {
  return `${name}.new`;
}

/** The descriptor of a file that is claimed; or why there is none. */
function claimIn(
  libc: Libc,
  { folderFd, path }: { folderFd: number; path: string },
  { formerFd, holder }: ClaimOptions,
): number | Mistake {
  const name = claimedName(basename(path));
  for (let count = 0; count < CLAIMS_MAX; count++) {
    const flags = O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC |
      libc.abi.openFlags.O_NOFOLLOW;
    const opened = libc.c.openat(folderFd, cString(name), flags, CLAIMED_MODE);
    const fd = checked(libc, name, opened);
    const facts = lookAtDescriptor(libc, fd);
    let isClaimed = false;
    try {
      if (!lockForWriting(libc, fd)) {
        const other = writeLockHolder(libc, fd);
        if (other !== undefined) return taken(path, other);
        // A reader's lock, on a file that was about to appear when its daemon
        // was killed.
        removeMeant(facts);
        continue;
      }
      // Whoever had it locked may have let it appear, or removed it.
      if (!isSameFile(lookIn(libc, folderFd, name), facts)) continue;
      const other = otherDaemon(libc, { folderFd, path, formerFd });
      if (other !== undefined && other !== holder) {
        removeMeant(facts);
        return taken(path, other);
      }
      writeId(libc, fd);
      isClaimed = true;
      return fd;
    } catch (error) {
      removeMeant(facts);
      throw error;
    } finally {
      if (!isClaimed) libc.c.close(fd);
    }
  }
  throw new Error(`${path}.new is another file each time`);

  function removeMeant(meant: FileFacts | undefined): void {
    if (meant !== undefined) removeFrom(libc, folderFd, { name, meant });
  }
}

/** The process that has the file locked, if it is not this one. */
function otherDaemon(
  libc: Libc,
  { folderFd, path, formerFd }: {
    folderFd: number;
    path: string;
    formerFd: number | undefined;
  },
): number | undefined {
  const name = basename(path);
  const facts = lookIn(libc, folderFd, name);
  if (facts?.kind === "folder") throw isDirectory(libc, name);
  if (facts?.kind !== "file") return undefined;
  // To open and close this process's own would unlock it.
  const former = formerFd === undefined
    ? undefined
    : lookAtDescriptor(libc, formerFd);
  if (isSameFile(facts, former)) return undefined;
  const flags = O_NONBLOCK | O_CLOEXEC | libc.abi.openFlags.O_NOFOLLOW;
  const opened = libc.c.openat(folderFd, cString(name), flags, 0);
  const fd = checked(libc, name, opened);
  try {
    return writeLockHolder(libc, fd);
  } finally {
    libc.c.close(fd);
  }
}

function writeId(libc: Libc, fd: number): void {
  const bytes = idLine();
  checked(libc, "truncate", libc.c.ftruncate(fd, 0n));
  const size = libc.c.pwrite(fd, bytes, BigInt(bytes.length), 0n);
  const count = checked(libc, "write", Number(size));
  if (count < bytes.length) {
    throw new SystemError("write", ENOSPC, errorText(libc, ENOSPC));
  }
}

function idLine(): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${Deno.pid}\n`);
}

function isDirectory(libc: Libc, name: string): SystemError {
  return new SystemError(name, EISDIR, errorText(libc, EISDIR));
}

function cannotWrite(
  path: string,
  { message }: SystemError,
): { ok: false; mistake: Mistake } {
  return failure({
    text: `cannot write the pid file ${path}: ${message}`,
    mend: "name a file in a directory of root's, such as /run/spawnd",
    exitCode: EX.OSERR,
  });
}

function unsafe(path: string, reason: string): Mistake {
  return {
    text: `refused to write the pid file ${path}: ${reason}`,
    mend: "use a directory of root's, such as /run/spawnd, with mode 0755",
    exitCode: EX.CONFIG,
  };
}

function taken(path: string, pid: number): Mistake {
  const who = pid > 0 ? `process id ${pid}` : "a process in another namespace";
  return {
    text: `refused to write the pid file ${path}: it is that of ${who}`,
    mend: "stop that daemon first, or give this one a file of its own",
    exitCode: EX.OSERR,
  };
}
