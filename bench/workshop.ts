/**
 * What all parts of the benchmark share: the processes, the places, the account
 * of the commands, and the C programs, compiled.
 *
 * @module
 */

import type { Patience } from "./machine.ts";
import { BenchError, type Processes } from "./processes.ts";

/** What the start of a server needs to know. */
export interface Workshop {
  processes: Processes;
  /** The benchmark's own temporary directory, which everybody may enter. */
  directory: string;
  /** The compiled daemon. */
  spawnd: string;
  /** The account that every command runs as. */
  user: { name: string; uid: number; gid: number };
  /** Below this start the ports that the load client's own end may take. */
  firstEphemeralPort: number;
  /** Whether the run may wait for the machine to be quiet. */
  patience: Patience;
}

/** The sources, without `.c`, and what each needs beside the usual flags. */
const programs: Readonly<Record<string, readonly string[]>> = {
  minimal_server: [],
  load_client: [],
  start_clock: [],
  echo_command: [
    ...["-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector"],
    // The kernel aligns the stack for a start, not for a call.
    "-mgeneral-regs-only",
  ],
};

/**
 * Compiles the benchmark's C programs into the temporary directory.
 *
 * @param workshop The processes and where things are.
 * @throws {BenchError} When the compiler refuses one, or the commands' account
 * cannot reach them.
 */
export async function compilePrograms(
  { processes, directory, user }: Workshop,
): Promise<void> {
  for (const [name, flags] of Object.entries(programs)) {
    await processes.capture([
      ...["cc", "-O2", "-Wall", "-Wextra", ...flags],
      ...["-o", `${directory}/${name}`, `${import.meta.dirname}/${name}.c`],
    ]);
  }
  const { code, stderr } = await processes.run([
    ...["setpriv", `--reuid=${user.uid}`, `--regid=${user.gid}`],
    ...["--clear-groups", "--", `${directory}/echo_command`],
  ]);
  if (code !== 0) {
    throw new BenchError(
      `${user.name} cannot run a program below ${directory}: measure in a ` +
        `checkout that everybody may enter (${stderr})`,
    );
  }
}
