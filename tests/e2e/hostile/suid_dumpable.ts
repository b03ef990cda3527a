/**
 * The setting fs.suid_dumpable of the whole machine, for the tests that change it.
 *
 * @module
 */

import { output } from "../machine.ts";
import { attackTest } from "./attacker.ts";

/** Whether a process whose ids change dumps core; of the whole machine. */
const SUID_DUMPABLE_FILE = "/proc/sys/fs/suid_dumpable";

/** Its value; `undefined` where it cannot be written. */
export const SUID_DUMPABLE = readSuidDumpable();

/** Sets it until the scope ends. */
export async function withSuidDumpable(
  value: number,
): Promise<AsyncDisposable> {
  await writeSuidDumpable(value);
  return {
    [Symbol.asyncDispose]: () => writeSuidDumpable(SUID_DUMPABLE ?? 0),
  };
}

function readSuidDumpable(): number | undefined {
  const script = 'value="$(cat "$0")" && echo "$value" >"$0" && echo "$value"';
  const { success, stdout } = new Deno.Command("sh", {
    args: ["-c", script, SUID_DUMPABLE_FILE],
    stderr: "null",
  }).outputSync();
  return success ? Number(new TextDecoder().decode(stdout)) : undefined;
}

async function writeSuidDumpable(value: number): Promise<void> {
  await output("sh", "-c", `echo ${value} >"$0"`, SUID_DUMPABLE_FILE);
}

/** A test that changes a setting of the whole machine, where that can be. */
export function dumpableTest(name: string, fn: () => Promise<void>): void {
  if (SUID_DUMPABLE === undefined) {
    Deno.test({ name, ignore: true, fn });
  } else attackTest(name, fn);
}
