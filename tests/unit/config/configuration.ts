/**
 * Configurations written down in a test.
 *
 * @module
 */

import { toBinary } from "../../../lib/config/bytes.ts";
import type { Configuration } from "../../../lib/config/configuration.ts";
import { loadConfiguration } from "../../../lib/config/load_configuration.ts";
import type { Accounts } from "../../../lib/config/attributes.ts";
import { formatProblem, type Problem } from "../../../lib/config/problems.ts";

/** The files of a configuration; one that is not given is empty. */
export interface Files {
  readonly "main.cf"?: string;
  readonly "master.cf"?: string;
}

/** A line of master.cf that has nothing wrong. */
export const GOOD_SERVICE =
  "echo unix - n n - - spawn user=alice argv=/bin/cat\n";

/** Reads a configuration, in a directory without a name. */
export function load(files: Files): Configuration {
  return loadConfiguration(".", (path) => {
    const name = path === "./main.cf" ? "main.cf" : "master.cf";
    return new TextEncoder().encode(files[name] ?? "");
  });
}

/** A text of a file, as it is read. */
export function binary(text: string): string {
  return toBinary(new TextEncoder().encode(text));
}

/** Problems as they are told. */
export function told(problems: readonly Problem[]): string[] {
  return problems.map(formatProblem);
}

const USERS = new Map([
  ["root", { uid: 0, gid: 0 }],
  ["alice", { uid: 1000, gid: 1000 }],
  ["daemon", { uid: 1, gid: 1 }],
]);

const GROUPS = new Map([["root", 0], ["daemon", 1], ["users", 100]]);

/** A few accounts. */
export const accounts: Accounts = {
  findUser: (name) => USERS.get(name),
  findGroup: (name) => GROUPS.get(name),
  findLogin: (name) =>
    USERS.has(name) ? { home: `/home/${name}`, shell: "/bin/sh" } : undefined,
  groupsOf: (name, gid) => name === "daemon" ? [gid, 0] : [gid, 100, 200],
};

/** The daemon's own. */
export const owner = { uid: 1, gid: 1 };
