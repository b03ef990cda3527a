/**
 * `spawnd self-test`: takes the locks as a daemon does and then tries to break
 * them from within. The tests call it on the compiled binary.
 *
 * @module
 */

import { findUser } from "../../posix/accounts.ts";
import { restAs, startedAs } from "../../posix/credentials.ts";
import { isLibc, LIBC_PATHS, openLibc } from "../../posix/libc.ts";
import { lockDown } from "../../service/lock_down.ts";
import { panic } from "../../service/panic.ts";
import { EX, success } from "../../result.ts";
import type { Outcome } from "../shared/subcommand.ts";

/** What is tried, by name; each must throw once the locks have fallen. */
const ATTEMPTS: Readonly<Record<string, () => unknown>> = {
  dlopen: () => openAnyLibrary(),
  pointer: () => Deno.UnsafePointer.create(1n),
  connect: () => Deno.connect({ hostname: "127.0.0.1", port: 9 }),
  listen: () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  read: () => Deno.readTextFileSync("/etc/passwd"),
  write: () => Deno.writeTextFileSync("/dev/null", ""),
  environment: () => Deno.env.get("PATH"),
  run: () => new Deno.Command("/bin/true").outputSync(),
  system: () => Deno.uid(),
};

/**
 * Runs the self-test as root.
 *
 * @returns 0 if every attempt was refused for want of permission.
 */
export async function selfTest(): Promise<Outcome> {
  const before = await refusals();
  const libc = openLibc();
  if (!isLibc(libc)) throw new Error(libc.unavailable);
  const owner = findUser(libc, "daemon");
  if (owner === undefined) throw new Error("no account daemon");
  restAs(libc, { owner, lost: panic });
  lockDown("direct");
  const after = await refusals();
  const ids = startedAs(libc);
  console.log(JSON.stringify({ before, after, ids }, null, 2));
  const held = Object.values(after).every((refused) => refused);
  return success(held ? EX.OK : EX.OSERR);
}

async function refusals(): Promise<Record<string, boolean>> {
  const refused: Record<string, boolean> = {};
  for (const [name, attempt] of Object.entries(ATTEMPTS)) {
    try {
      await attempt();
      refused[name] = false;
    } catch (error) {
      refused[name] = error instanceof Deno.errors.NotCapable;
    }
  }
  return refused;
}

function openAnyLibrary(): void {
  const symbols = { getpid: { parameters: [], result: "i32" } } as const;
  const failures = LIBC_PATHS.map((path) => {
    try {
      Deno.dlopen(path, symbols).close();
      return undefined;
    } catch (error) {
      return error;
    }
  });
  if (failures.every((failure) => failure !== undefined)) throw failures[0];
}
