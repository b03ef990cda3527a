/**
 * Who but root can change what a path leads to: the file itself, or a
 * directory on the way, in which another could be put in its place.
 *
 * Owner, group and mode bits decide; access lists are not looked at.
 *
 * @module
 */

import { getent } from "../../net/getent.ts";
import { S_ISVTX, S_IWGRP, S_IWOTH } from "../../posix/headers.ts";
import { Refusal } from "../../result.ts";

/** A file, directory or link on the way to a path. */
export interface Step {
  readonly path: string;
  readonly info: Deno.FileInfo;
}

/** As many as the kernel follows. */
const LINKS_MAX = 40;

/**
 * Goes along a path as the kernel does.
 *
 * @param path An absolute path.
 * @param root The directory that counts as the root of links; the path is below
 * it.
 * @returns All that it leads through, the root directory first, what it names
 * last.
 * @throws {Error} What the runtime throws where the path cannot be followed.
 */
export function stepsTo(path: string, root = ""): Step[] {
  const steps: Step[] = [{ path: "/", info: Deno.lstatSync("/") }];
  const names = path.split("/");
  let at = "";
  let links = 0;
  for (;;) {
    const name = names.shift();
    if (name === undefined) return steps;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      at = at.slice(0, Math.max(0, at.lastIndexOf("/")));
      continue;
    }
    const next = `${at}/${name}`;
    const info = Deno.lstatSync(next);
    steps.push({ path: next, info });
    if (!info.isSymlink) {
      at = next;
      continue;
    }
    if (++links > LINKS_MAX) {
      throw new Deno.errors.FilesystemLoop(`too many links: ${path}`);
    }
    const target = Deno.readLinkSync(next);
    if (target.startsWith("/")) at = root;
    names.unshift(...target.split("/"));
  }
}

/**
 * Tells who may write to a file, directory or link.
 *
 * @param step Which.
 * @returns Who, root aside, as a phrase; `undefined` if nobody.
 */
export function writersOf({ info }: Step): string | undefined {
  const { uid, gid, mode } = info;
  const writers: string[] = [];
  // An owner can give the right back that is missing.
  if (uid !== null && uid !== 0) {
    writers.push(`user ${nameOf("passwd", uid)}`);
  }
  // Whoever may write to such a directory cannot touch what is another's.
  const isSticky = info.isDirectory && ((mode ?? 0) & S_ISVTX) !== 0;
  if (!info.isSymlink && !isSticky && mode !== null) {
    if ((mode & S_IWOTH) !== 0) writers.push("everybody");
    else if ((mode & S_IWGRP) !== 0 && gid !== null && gid !== 0) {
      writers.push(`group ${nameOf("group", gid)}`);
    }
  }
  return writers.length === 0 ? undefined : writers.join(" and ");
}

function nameOf(database: "passwd" | "group", id: number): string {
  try {
    return getent(database, `${id}`)[0]?.split(":")[0] ?? `${id}`;
  } catch (error) {
    if (error instanceof Refusal) return `${id}`;
    throw error;
  }
}
