/**
 * The directories of unix services below `queue_directory`: `private` for the
 * daemon's owner alone, `public` for everybody.
 *
 * Whoever may write to `queue_directory` can put something else in the place of
 * a directory at any moment. So each is made and given away through descriptors
 * that follow no link, and by such a one a socket is put there, too, where
 * strangers could lead its path elsewhere.
 *
 * @module
 */

import type { Identity } from "../posix/credentials.ts";
import {
  checked,
  EEXIST,
  ENOENT,
  ENOTDIR,
  errno,
  isShortage,
  lastError,
  MORE_DESCRIPTORS,
  SystemError,
} from "../posix/errno.ts";
import {
  isSameFile,
  lookAt,
  lookAtDescriptor,
  removeFile,
} from "../posix/files.ts";
import {
  lookBelow,
  openFolder,
  strangersLink,
  weakStep,
} from "../posix/folders.ts";
import { AT_EMPTY_PATH, O_CLOEXEC, O_PATH } from "../posix/headers.ts";
import { cString, type Libc } from "../posix/libc.ts";
import { EX, failure, type Mistake, type Result } from "../result.ts";
import type { ListeningSocket } from "./listening.ts";

const PRIVATE_MODE = 0o700;
const PUBLIC_MODE = 0o755;

/**
 * A directory that was made and not given away yet. None but this program makes
 * one like that, so nobody can pass another of root's off as it.
 */
const UNFINISHED_MODE = 0o1700;

/** What a directory has of its own: not what it inherits, S_ISGID. */
const OWN_BITS = 0o5777;

/** Where a socket is to be. */
export interface QueueDirectoryOptions {
  readonly queueDirectory: string;
  readonly isPrivate: boolean;
  /** Whose the directory is to be; without, whoever starts the daemon. */
  readonly owner: Identity | undefined;
  /** The socket's path. */
  readonly path: string;
}

/**
 * Opens a socket in one of the directories. One that is missing is made; one
 * that is there is left as it is: whoever made it knows who is to enter.
 *
 * @param libc The C library.
 * @param options Which directory, and which socket.
 * @param open Opens the socket by a path that leads to it.
 * @returns The socket; or why there is none.
 */
export function inQueueDirectory(
  libc: Libc,
  options: QueueDirectoryOptions,
  open: (at: string) => Result<ListeningSocket>,
): Result<ListeningSocket> {
  const { queueDirectory, isPrivate, path } = options;
  const folder = `${queueDirectory}/${isPrivate ? "private" : "public"}`;
  const opened = openServiceFolder(libc, folder, options);
  if (!("fd" in opened)) return failure(opened);
  try {
    return openedIn(libc, { ...opened, folder, path }, open);
  } finally {
    libc.c.close(opened.fd);
  }
}

/**
 * Opens a socket in `queue_directory` itself, which has to be there.
 *
 * @param libc The C library.
 * @param options The directory, and the socket's path.
 * @param open Opens the socket by a path that leads to it.
 * @returns The socket; or why there is none.
 */
export function directlyInQueueDirectory(
  libc: Libc,
  { queueDirectory, path }: Pick<
    QueueDirectoryOptions,
    "queueDirectory" | "path"
  >,
  open: (at: string) => Result<ListeningSocket>,
): Result<ListeningSocket> {
  let queueFd: number | undefined;
  try {
    const queue = openFolder(libc, queueDirectory);
    queueFd = queue.fd;
    const link = strangersLink(libc, queue);
    if (link !== undefined) return failure(ledAstray(queueDirectory, link));
    const isWeak = weakStep(libc, queue) !== undefined;
    return openedIn(
      libc,
      { fd: queueFd, isWeak, folder: queueDirectory, path },
      open,
    );
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return failure({
      text: `cannot make ${path}: ${error.message}`,
      mend: isShortage(error.code)
        ? MORE_DESCRIPTORS
        : `make ${queueDirectory}, or set queue_directory`,
      exitCode: EX.OSERR,
    });
  } finally {
    if (queueFd !== undefined) libc.c.close(queueFd);
  }
}

/** A folder, open. */
interface ServiceFolder {
  readonly fd: number;
  /** Whether a stranger could lead its path elsewhere. */
  readonly isWeak: boolean;
}

/** Refuses, and takes back, a socket to which its path does not lead. */
function openedIn(
  libc: Libc,
  { fd, isWeak, folder, path }: ServiceFolder & {
    readonly folder: string;
    readonly path: string;
  },
  open: (at: string) => Result<ListeningSocket>,
): Result<ListeningSocket> {
  const name = path.slice(folder.length + 1);
  const at = isWeak ? `/proc/self/fd/${fd}/${name}` : path;
  const socket = open(at);
  if (!socket.ok) return socket;
  const { value: { file, close } } = socket;
  if (isSameFile(lookBelow(libc, fd, name), file)) {
    if (!isWeak || isSameFile(lookAt(libc, path), file)) return socket;
    removeFile(libc, at, file);
  }
  close();
  return failure({
    text: `${path} is not in ${folder}: something else was put in the way`,
    mend: `let only root write to ${folder}, and to what it is in`,
    exitCode: EX.CONFIG,
  });
}

function ledAstray(
  queueDirectory: string,
  { path, reason }: { readonly path: string; readonly reason: string },
): Mistake {
  return {
    text: `refused queue_directory ${queueDirectory}: ${path} ${reason}`,
    mend: "write the path that it leads to, or have root make the link",
    exitCode: EX.CONFIG,
  };
}

/** The directory; or why there is none. */
function openServiceFolder(
  libc: Libc,
  path: string,
  { queueDirectory, isPrivate, owner }: QueueDirectoryOptions,
): ServiceFolder | Mistake {
  let queueFd: number | undefined;
  try {
    const queue = openFolder(libc, queueDirectory);
    queueFd = queue.fd;
    const link = strangersLink(libc, queue);
    if (link !== undefined) return ledAstray(queueDirectory, link);
    const name = isPrivate ? "private" : "public";
    const mode = isPrivate ? PRIVATE_MODE : PUBLIC_MODE;
    const fd = makeFolder(libc, { queueFd, name, path, mode, owner });
    return { fd, isWeak: weakStep(libc, queue) !== undefined };
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return {
      text: `cannot make ${path}: ${error.message}`,
      mend: error.code === ENOENT
        ? `make ${queueDirectory} first, or set queue_directory`
        : isShortage(error.code)
        ? MORE_DESCRIPTORS
        : error.code === ENOTDIR
        ? "make it a directory, and no link to one"
        : "set queue_directory to one that the daemon may write to",
      exitCode: EX.OSERR,
    };
  } finally {
    if (queueFd !== undefined) libc.c.close(queueFd);
  }
}

/** What to make, where it is missing. */
interface FolderOptions {
  readonly queueFd: number;
  readonly name: string;
  readonly path: string;
  readonly mode: number;
  readonly owner: Identity | undefined;
}

function makeFolder(
  libc: Libc,
  { queueFd, name, path, mode, owner }: FolderOptions,
): number {
  const { c, abi: { openFlags: { O_DIRECTORY, O_NOFOLLOW } } } = libc;
  if (
    c.mkdirat(queueFd, cString(name), UNFINISHED_MODE) < 0 &&
    errno(libc) !== EEXIST
  ) throw lastError(libc, path);
  const naming = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const fd = checked(libc, path, c.openat(queueFd, cString(name), naming, 0));
  let open: number | undefined;
  try {
    const facts = lookAtDescriptor(libc, fd);
    const isUnfinished = facts?.uid === c.geteuid() &&
      (facts.mode & OWN_BITS) === UNFINISHED_MODE;
    if (!isUnfinished) return fd;
    // To change it takes a descriptor that does more than name it.
    const reading = O_DIRECTORY | O_CLOEXEC;
    open = checked(libc, path, c.openat(fd, cString("."), reading, 0));
    if (owner !== undefined) {
      const { uid, gid } = owner;
      const given = c.fchownat(open, cString(""), uid, gid, AT_EMPTY_PATH);
      checked(libc, path, given);
    }
    checked(libc, path, c.fchmod(open, mode));
    return fd;
  } catch (error) {
    c.close(fd);
    throw error;
  } finally {
    if (open !== undefined) c.close(open);
  }
}
