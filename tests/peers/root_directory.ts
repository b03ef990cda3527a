/**
 * What a root directory needs that is to have commands of its own: programs
 * without libraries, and the accounts, which spawn(8) looks up in there.
 *
 * @module
 */

import { output } from "../e2e/machine.ts";
import type { Postfix } from "./postfix.ts";

/** What compiles programs without libraries. */
export const COMPILER = "/usr/bin/gcc";

const SOURCE = new URL("facts.c", import.meta.url).pathname;

/**
 * Furnishes an instance's queue directory: `facts` tells what it was started
 * with, stands for sh as well, and is to be found in PATH; `/script` is not
 * executable format.
 *
 * @param postfix The instance.
 */
export async function furnishRoot(postfix: Postfix): Promise<void> {
  const before = Deno.umask(0o022);
  for (const directory of ["bin", "usr", "usr/bin", "etc"]) {
    await Deno.mkdir(postfix.join(`queue/${directory}`), { recursive: true });
  }
  Deno.umask(before);
  const facts = postfix.join("queue/usr/bin/facts");
  await output("gcc", "-O2", "-static", "-o", facts, SOURCE);
  await Deno.chmod(facts, 0o755);
  await Deno.copyFile(facts, postfix.join("queue/bin/sh"));
  await postfix.file("queue/facts-root", "");
  await postfix.file("queue/script", "never read\n", 0o755);
  await postfix.file("queue/etc/passwd", await account("passwd", "nobody"));
  await postfix.file("queue/etc/group", await account("group", "nogroup"));
}

async function account(database: string, name: string): Promise<string> {
  return await output("getent", database, name);
}
