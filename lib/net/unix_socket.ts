/**
 * A unix service's socket in the file system: a stale one is replaced, a live
 * one is respected, its mode is right from its first instant, and it is
 * removed at the end if it is still ours.
 *
 * @module
 */

import { resolve } from "@std/path/posix/resolve";
import type { Credentials } from "../posix/credentials.ts";
import { ECONNREFUSED, ENOENT, errorText } from "../posix/errno.ts";
import {
  type FileId,
  giveSocketAway,
  isSameFile,
  lookAt,
  removeFile,
} from "../posix/files.ts";
import type { Libc } from "../posix/libc.ts";
import { UNIX_PATH_BYTES_MAX, whoListens } from "../posix/sockets.ts";
import { EX, failure, type Mistake, type Result, success } from "../result.ts";
import {
  given,
  listenFailure,
  type ListeningSocket,
  type ListenOptions,
  openListener,
} from "./listening.ts";

/** How a unix socket is to listen. */
export interface UnixListenOptions extends ListenOptions {
  /** Another path that leads there; for as long as it takes. */
  readonly at?: string;
  /** The permission bits of the socket. */
  readonly mode: number;
  /** Whom it is to belong to; without, whoever starts the daemon. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** The daemon's credentials when it comes to remove the socket. */
  readonly credentials: () => Credentials;
}

/**
 * Listens on a unix socket.
 *
 * @param name The socket's path.
 * @param options How to listen.
 * @returns The socket.
 */
export function listenUnix(
  name: string,
  options: UnixListenOptions,
): Result<ListeningSocket> {
  const { libc, acceptFrom, mode, owner } = options;
  if (libc === undefined) {
    return failure({
      text: "unix sockets need the C library",
      mend: "use an inet service, or a system with glibc",
      exitCode: EX.OSERR,
    });
  }
  const path = resolve(name);
  const { isGiven = false } = options;
  const inherited = options.inherited?.take(path, { isGiven });
  if (inherited !== undefined) return success(inherited);
  if (options.inherited?.wasGiven(path, { isGiven })) return given(path);
  const { at = path } = options;
  const obstacle = refuseSocketPath(path) ?? refuseSocketPath(at) ??
    clearTheWay(libc, { path, at });
  if (obstacle !== undefined) return failure(obstacle);
  try {
    const { listener, fd } = withUmask(
      libc,
      // With another owner to come, nobody may connect before it has.
      owner === undefined ? ~mode & 0o777 : 0o777,
      () =>
        openListener(
          libc,
          () => Deno.listen({ transport: "unix", path: at }),
          options.backlogConnections,
        ),
    );
    if (owner !== undefined) giveSocketAway(libc, at, { ...owner, mode });
    const file = lookAt(libc, at);
    // The runtime's listener is never closed: it would remove whatever has
    // the path by then. Its descriptor is closed beneath it.
    const close = () =>
      closeSocket(libc, { path, file, fd }, options.credentials);
    const source = acceptFrom === "listener" ? { listener } : { fd };
    return success({ address: path, file, isGiven, source, close });
  } catch (error) {
    return listenFailure(error, path);
  }
}

/** A socket of the daemon's own, in its directory. */
export interface OwnSocket {
  readonly path: string;
  /** What the path meant when the socket was made. */
  readonly file: FileId | undefined;
  readonly fd: number;
}

/**
 * Removes a socket of the daemon's own from its directory, and closes it.
 *
 * @param libc The C library.
 * @param socket The socket.
 * @param credentials The daemon's credentials by now.
 */
export function closeSocket(
  libc: Libc,
  { path, file, fd }: OwnSocket,
  credentials: () => Credentials,
): void {
  const remove = (): boolean =>
    credentials().asRoot(() => removeFile(libc, path, file));
  // Removed while it is open: no other file can have its inode then. With the
  // last descriptor taken, its own is what there is to remove it with.
  const isLeft = !remove() && isSameFile(lookAt(libc, path), file);
  libc.c.close(fd);
  if (isLeft) remove();
}

/**
 * Tells what is wrong with a path as that of a socket.
 *
 * @param name The path.
 * @returns The mistake, if it is one.
 */
export function refuseSocketPath(name: string): Mistake | undefined {
  const path = resolve(name);
  const bytes = new TextEncoder().encode(path).length;
  if (bytes <= UNIX_PATH_BYTES_MAX && !path.includes("\0")) return undefined;
  return {
    text: `bad socket path: ${path}`,
    mend: `a socket's path has ${UNIX_PATH_BYTES_MAX} bytes at the most`,
    exitCode: EX.USAGE,
  };
}

/** Removes a socket on which nobody answers; anything else is an obstacle. */
function clearTheWay(
  libc: Libc,
  { path, at }: { readonly path: string; readonly at: string },
): Mistake | undefined {
  const facts = lookAt(libc, at);
  if (facts === undefined) return undefined;
  if (facts.kind !== "socket") {
    return {
      text: `${path} exists and is not a socket`,
      mend: "move it away, or choose another path",
      exitCode: EX.OSERR,
    };
  }
  const answer = whoListens(libc, at);
  if ("listener" in answer) {
    const { listener } = answer;
    const holder = listener === undefined
      ? "a process"
      : `process id ${listener.pid} of user id ${listener.uid}`;
    return {
      text: `${path} is in use: ${holder} listens on it`,
      mend: "stop that process, or choose another path",
      exitCode: EX.OSERR,
    };
  }
  if (answer.code === ENOENT) return undefined;
  if (answer.code !== ECONNREFUSED) {
    return {
      text:
        `${path} exists, and whether anybody listens on it cannot be told: ` +
        errorText(libc, answer.code),
      mend: "remove it if nobody does",
      exitCode: EX.OSERR,
    };
  }
  if (removeFile(libc, at, facts)) return undefined;
  return {
    text: `${path} is a stale socket and cannot be removed`,
    mend: "start as root",
    exitCode: EX.NOPERM,
  };
}

function withUmask<T>(libc: Libc, mask: number, action: () => T): T {
  const before = libc.c.umask(mask);
  try {
    return action();
  } finally {
    libc.c.umask(before);
  }
}
