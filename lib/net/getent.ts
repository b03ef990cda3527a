/**
 * The system's databases by way of getent(1), which asks whatever the name
 * service switch names: hosts and services always, accounts where the C
 * library cannot be called.
 *
 * @module
 */

import type { Accounts, Login } from "../config/attributes.ts";
import { PORT_MAX } from "../config/inet_name.ts";
import { parseCount } from "../config/values.ts";
import type { Identity } from "../posix/credentials.ts";
import { EX, reasonOf, Refusal } from "../result.ts";

/** Where Debian, Fedora, Arch and their kin have it; never searched for. */
const GETENT = "/usr/bin/getent";

/**
 * Asks one database for one key.
 *
 * @param database A database of getent(1).
 * @param key The key.
 * @returns The lines found; none if the key is not there.
 * @throws {Refusal} If getent cannot be run or does not know the database.
 */
export function getent(database: string, key: string): string[] {
  // A key that getent would take for an option is in no database.
  if (key.startsWith("-") || key === "") return [];
  const { code, stdout } = run(database, key);
  const KEY_NOT_FOUND = 2;
  if (code === KEY_NOT_FOUND) return [];
  if (code !== 0) throw refusal(`exit status ${code} for ${database}`);
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line);
}

/** What was asked for, as many services may have one host or port. */
const hostAddresses = new Map<string, readonly string[]>();
const servicePorts = new Map<string, number | undefined>();

/**
 * Finds the addresses of a host, as getaddrinfo(3) has them.
 *
 * @param host Its name.
 * @returns The addresses, in the order of the resolver; none if there is no
 * host of that name.
 */
export function findHostAddresses(host: string): readonly string[] {
  let addresses = hostAddresses.get(host);
  if (addresses === undefined) {
    addresses = getent("ahosts", host)
      .flatMap((line) => line.split(/\s/)[0] ?? []);
    hostAddresses.set(host, addresses);
  }
  return addresses;
}

/**
 * Finds a port.
 *
 * @param name Its name in services(5).
 * @param transport Of which protocol it is.
 * @returns Its number, or `undefined` if there is none of that name.
 */
export function findServicePort(
  name: string,
  transport: "tcp" | "udp" = "tcp",
): number | undefined {
  const key = `${name}/${transport}`;
  if (!servicePorts.has(key)) {
    const [line = ""] = getent("services", key);
    const [, digits = ""] = /\s(\d+)\//.exec(line) ?? [];
    servicePorts.set(key, parseCount(digits, PORT_MAX));
  }
  return servicePorts.get(key);
}

function run(database: string, key: string): Deno.CommandOutput {
  try {
    return new Deno.Command(GETENT, {
      args: [database, key],
      clearEnv: true,
      stdin: "null",
      stderr: "null",
    }).outputSync();
  } catch (error) {
    throw refusal(reasonOf(error));
  }
}

function refusal(reason: string): Refusal {
  return new Refusal({
    text: `cannot look up names with ${GETENT}: ${reason}`,
    mend: "install it, Debian's package libc-bin; or write numbers",
    exitCode: EX.OSERR,
  });
}

/** Accounts by way of getent(1). */
export const getentAccounts: Accounts = {
  findUser(name): Identity | undefined {
    // getent takes a number for an id; only names are accounts here.
    const fields = getent("passwd", name)[0]?.split(":") ?? [];
    const [found, , uid, gid] = fields;
    if (found !== name) return undefined;
    return { uid: Number(uid), gid: Number(gid) };
  },
  findGroup(name): number | undefined {
    const [found, , gid] = getent("group", name)[0]?.split(":") ?? [];
    return found === name ? Number(gid) : undefined;
  },
  findLogin(name): Login | undefined {
    const [found, , , , , home = "", shell = ""] =
      getent("passwd", name)[0]?.split(":") ?? [];
    return found === name ? { home, shell } : undefined;
  },
  groupsOf(name, gid): readonly number[] {
    const [, ...gids] = getent("initgroups", name)[0]?.split(/\s+/) ?? [];
    return [...new Set([gid, ...gids.filter((word) => word).map(Number)])];
  },
};
