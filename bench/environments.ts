/**
 * Whether the commands of all servers have the same environment: each variable
 * costs time at the command's start, and a language costs a command like cat
 * more than most servers do.
 *
 * @module
 */

import { commandPath, environmentTeller } from "./commands.ts";
import { findFreePort, readAnswer } from "./connections.ts";
import { BenchError } from "./processes.ts";
import { launch, type ServerName } from "./servers.ts";
import type { Workshop } from "./workshop.ts";

/** What a server tells its command about the connection, by its design. */
const ownVariables: Readonly<Record<ServerName, RegExp>> = {
  spawnd: /^$/,
  rules: /^$/,
  surroundings: /^(PROTO|TCP[A-Z]+|HOME|USER|LOGNAME|SHELL)$/,
  tcpserver: /^(PROTO|TCP[A-Z]+)$/,
  xinetd: /^REMOTE_HOST$/,
  minimal: /^$/,
};

/** A command's environment. */
export interface Environment<Name extends string = ServerName> {
  server: Name;
  /** `NAME=VALUE`, in order of the names: the same for all servers. */
  common: string[];
  /** The names of what the server adds by itself. */
  added: string[];
}

/**
 * Has each server run env(1), and compares what that says.
 *
 * @param names The servers.
 * @param workshop The processes and where things are.
 * @returns The environment of each server's command.
 * @throws {BenchError} When one has another than it should.
 */
export async function checkEnvironments(
  names: readonly ServerName[],
  workshop: Workshop,
): Promise<Environment[]> {
  const environments: Environment[] = [];
  for (const name of names) {
    const port = findFreePort(workshop);
    const task = { name, port, command: environmentTeller };
    const daemon = await launch(task, workshop);
    const text = await readAnswer(daemon, port);
    await workshop.processes.end(daemon.pid);
    environments.push(parseEnvironment(text, name));
  }
  compareEnvironments(environments, [`PATH=${commandPath}`]);
  return environments;
}

function parseEnvironment(text: string, server: ServerName): Environment {
  const words = splitEnvironment(text);
  const nameOf = (word: string): string => word.slice(0, word.indexOf("="));
  const isOwn = (word: string): boolean =>
    ownVariables[server].test(nameOf(word));
  return {
    server,
    common: words.filter((word) => !isOwn(word)),
    added: words.filter(isOwn).map(nameOf),
  };
}

/**
 * Reads what env(1) writes.
 *
 * @param text All of it.
 * @returns `NAME=VALUE` words, in order.
 */
export function splitEnvironment(text: string): string[] {
  return text.split("\n").filter((line) => line !== "").toSorted();
}

/**
 * Makes sure that no server's command has an advantage.
 *
 * @param environments The environment of each server's command.
 * @param wanted What each of them has to have.
 * @throws {BenchError} When one has another.
 */
export function compareEnvironments(
  environments: readonly Environment<string>[],
  wanted: readonly string[],
): void {
  for (const { server, common } of environments) {
    if (common.join("\n") === wanted.join("\n")) continue;
    throw new BenchError(
      `${server}'s command has the environment "${common.join(" ")}", ` +
        `not "${wanted.join(" ")}": the figures could not be compared`,
    );
  }
}
