/**
 * Folders where a root process must not be led astray: gone to by descriptors,
 * step by step, so that what was looked at is what is used, whatever is put in
 * its place meanwhile.
 *
 * @module
 */

import {
  checked,
  ELOOP,
  ENOTDIR,
  errorText,
  lastError,
  SystemError,
} from "./errno.ts";
import { type FileFacts, lookAtDescriptor } from "./files.ts";
import {
  O_CLOEXEC,
  O_PATH,
  PATH_MAX,
  S_ISVTX,
  S_IWGRP,
  S_IWOTH,
} from "./headers.ts";
import { cString, type Libc } from "./libc.ts";

/** As many as the kernel follows. */
const LINKS_MAX = 40;

/** What a path leads through. */
export interface Step {
  readonly path: string;
  readonly facts: FileFacts;
}

/** A folder that was gone to. */
export interface OpenFolder {
  /** A descriptor that only names it: O_PATH. */
  readonly fd: number;
  /** All that was gone through, links too; the folder is the last. */
  readonly steps: readonly Step[];
}

/**
 * Goes to a folder.
 *
 * @param libc The C library.
 * @param path An absolute path.
 * @returns The folder; its descriptor is the caller's to close.
 * @throws {SystemError} If it cannot be gone to.
 */
export function openFolder(libc: Libc, path: string): OpenFolder {
  const steps: Step[] = [];
  const names = path.split("/");
  let at = openRoot(libc);
  let links = 0;
  try {
    for (;;) {
      const name = names.shift();
      if (name === undefined) break;
      if (name === "" || name === ".") continue;
      const next = openStep(libc, at, name);
      const { path: reached, facts } = next.step;
      steps.push(next.step);
      if (facts.kind !== "link") {
        libc.c.close(at.fd);
        at = { fd: next.fd, path: reached };
        continue;
      }
      const target = readLink(libc, next.fd);
      libc.c.close(next.fd);
      if (++links > LINKS_MAX) throw systemError(libc, reached, ELOOP);
      if (target.startsWith("/")) {
        libc.c.close(at.fd);
        at = openRoot(libc);
      }
      names.unshift(...target.split("/"));
    }
    const { facts, path: reached } = whereItEnds(steps);
    if (facts.kind !== "folder") throw systemError(libc, reached, ENOTDIR);
    return { fd: at.fd, steps };
  } catch (error) {
    libc.c.close(at.fd);
    throw error;
  }

  function openRoot(libc: Libc): Place {
    const flags = O_PATH | O_CLOEXEC;
    const fd = checked(libc, "/", libc.c.open(cString("/"), flags, 0));
    steps.push({ path: "/", facts: factsOf(libc, { fd, path: "/" }) });
    return { fd, path: "" };
  }
}

/** A link may lead to where one is already, so that it is the last step. */
function whereItEnds(steps: readonly Step[]): Step {
  const end = steps.findLast(({ facts: { kind } }) => kind !== "link");
  if (end === undefined) throw new TypeError("a way without a beginning");
  return end;
}

/** Where one is. */
interface Place {
  readonly fd: number;
  readonly path: string;
}

function openStep(
  libc: Libc,
  at: Place,
  name: string,
): { fd: number; step: Step } {
  const path = name === ".."
    ? at.path.slice(0, Math.max(0, at.path.lastIndexOf("/")))
    : `${at.path}/${name}`;
  const flags = O_PATH | libc.abi.openFlags.O_NOFOLLOW | O_CLOEXEC;
  const opened = libc.c.openat(at.fd, cString(name), flags, 0);
  const fd = checked(libc, path === "" ? "/" : path, opened);
  return { fd, step: { path, facts: factsOf(libc, { fd, path }) } };
}

function factsOf(libc: Libc, { fd, path }: Place): FileFacts {
  const facts = lookAtDescriptor(libc, fd);
  if (facts !== undefined) return facts;
  const error = lastError(libc, path === "" ? "/" : path);
  libc.c.close(fd);
  throw error;
}

function readLink(libc: Libc, fd: number): string {
  const target = new Uint8Array(PATH_MAX);
  const size = libc.c.readlinkat(fd, cString(""), target, BigInt(PATH_MAX));
  const length = checked(libc, "readlink", Number(size));
  return new TextDecoder().decode(target.subarray(0, length));
}

function systemError(libc: Libc, path: string, code: number): SystemError {
  return new SystemError(path, code, errorText(libc, code));
}

/**
 * Looks at a file below a folder, and follows no link on the way to it.
 *
 * @param libc The C library.
 * @param folderFd The folder.
 * @param path The file's path below it.
 * @returns The facts; `undefined` if nothing is there, or only by a link.
 */
export function lookBelow(
  libc: Libc,
  folderFd: number,
  path: string,
): FileFacts | undefined {
  const { O_NOFOLLOW } = libc.abi.openFlags;
  const opened: number[] = [];
  try {
    let at = folderFd;
    for (const name of path.split("/")) {
      const flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
      const next = libc.c.openat(at, cString(name), flags, 0);
      if (next < 0) return undefined;
      opened.push(next);
      at = next;
    }
    return lookAtDescriptor(libc, at);
  } finally {
    for (const fd of opened) libc.c.close(fd);
  }
}

/** Where somebody could lead a path elsewhere. */
export interface Weakness {
  readonly path: string;
  /** What is wrong with it, as the rest of a sentence. */
  readonly reason: string;
}

/**
 * Looks for a link on the way that a stranger has laid: neither root, nor who
 * this process is.
 *
 * @param libc The C library.
 * @param folder The folder.
 * @returns The first one; `undefined` if there is none.
 */
export function strangersLink(
  libc: Libc,
  { steps }: OpenFolder,
): Weakness | undefined {
  const self = libc.c.geteuid();
  const link = steps.find(({ facts: { kind, uid } }) =>
    kind === "link" && uid !== 0 && uid !== self
  );
  return link &&
    { path: link.path, reason: `is a link of user id ${link.facts.uid}` };
}

/**
 * Looks for a step at which a stranger, neither root nor who this process is,
 * could have put something else, or could put it.
 *
 * @param libc The C library.
 * @param folder The folder, in which no stranger may write at all. On the way,
 * a sticky one will do: nobody there can touch what is another's.
 * @returns The first one; `undefined` if there is none.
 */
export function weakStep(
  libc: Libc,
  { steps }: OpenFolder,
): Weakness | undefined {
  const self = libc.c.geteuid();
  const end = whereItEnds(steps);
  for (const step of steps) {
    const { path, facts: { kind, uid, mode } } = step;
    if (uid !== 0 && uid !== self) {
      const what = kind === "link" ? "is a link of" : "belongs to";
      return { path, reason: `${what} user id ${uid}` };
    }
    if (kind === "link") continue;
    const isSticky = (mode & S_ISVTX) !== 0 && step.path !== end.path;
    if (!isSticky && (mode & (S_IWGRP | S_IWOTH)) !== 0) {
      return { path, reason: "is writable by others" };
    }
  }
  return undefined;
}
