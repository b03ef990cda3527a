/**
 * The versions of what is measured, and what to do where something is missing.
 *
 * @module
 */

import { BenchError, type Processes } from "./processes.ts";
import type { ServerName } from "./servers.ts";
import type { Workshop } from "./workshop.ts";

/** The Debian package of each peer that is not compiled here. */
const packages = {
  tcpserver: "ucspi-tcp",
  xinetd: "xinetd",
} as const;

/**
 * Tells the version of each server, or which one is missing.
 *
 * @param names The servers to measure.
 * @param workshop The processes and where things are.
 * @returns One version text a server.
 * @throws {BenchError} When a server is missing, with what to do about it.
 */
export async function findVersions(
  names: readonly ServerName[],
  workshop: Workshop,
): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const name of names) versions[name] = await findVersion(name, workshop);
  return versions;
}

async function findVersion(
  name: ServerName,
  { processes, spawnd }: Workshop,
): Promise<string> {
  switch (name) {
    case "spawnd":
    case "rules":
    case "surroundings":
      return firstLine(
        await orMend(
          processes.capture([spawnd, "--version"]),
          `${spawnd} is missing: run ./build.sh`,
        ),
      );
    case "minimal":
      return firstLine(
        await orMend(
          processes.capture(["cc", "--version"]),
          "a C compiler is missing: apt-get install gcc libc6-dev",
        ),
      );
    case "tcpserver":
    case "xinetd": {
      const mend = `${name} is missing: apt-get install ${packages[name]}`;
      // Both end with a usage text: that they start at all is what counts.
      await orMend(processes.run([name, "-version"]), mend);
      return await packageVersion(processes, packages[name]);
    }
  }
}

/**
 * Tells what to do when a program is missing.
 *
 * @param attempt Something for which it has to be there.
 * @param mend What to do if it is not.
 * @returns What the attempt came to.
 */
export async function orMend<T>(attempt: Promise<T>, mend: string): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    throw error instanceof BenchError
      ? new BenchError(`${mend} (${error.message})`)
      : error;
  }
}

async function packageVersion(
  processes: Processes,
  name: string,
): Promise<string> {
  try {
    const format = "--showformat=${Package} ${Version}";
    return await processes.capture(["dpkg-query", "--show", format, name]);
  } catch (error) {
    // Another distribution: the server is there, its package is not Debian's.
    if (error instanceof BenchError) return "unknown";
    throw error;
  }
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
