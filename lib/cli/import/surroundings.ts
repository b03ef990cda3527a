/**
 * The machine that a configuration is translated on: its files and accounts,
 * and the rules of TCP wrappers.
 *
 * @module
 */

import { fromText, toBinary, toText } from "../../config/bytes.ts";
import { RefusedFile } from "../../config/refused_file.ts";
import { getent } from "../../net/getent.ts";
import { readFile } from "../shared/read_file.ts";
import { PORT_MAX } from "../../config/inet_name.ts";
import { parseCount } from "../../config/values.ts";
import {
  type ImportedType,
  quoted,
  type ServiceDraft,
  type Tell,
} from "./translation.ts";
import { wordsOf } from "./words.ts";

/** An account or a group. */
export interface NamedId {
  readonly name: string;
  readonly id: number;
  /** Of an account: its own group. */
  readonly gid?: number;
}

/** What translating needs to know of the machine. */
export interface Surroundings {
  /** What a file holds, a binary string; throws what the system says. */
  readFile(path: string): string;
  /** The names in a directory; throws what the system says. */
  listDirectory(path: string): readonly string[];
  isDirectory(path: string): boolean;
  /** By name or number. */
  findUser(key: string): NamedId | undefined;
  findGroup(key: string): NamedId | undefined;
  /** The names of the groups that an account is in, beside its own. */
  groupsOf(user: string): readonly string[];
  /** Whether services(5) has a port by that name. */
  hasPort(name: string, protocol: "tcp" | "udp"): boolean;
}

/** This machine. */
export const thisMachine: Surroundings = {
  readFile: (path) => toBinary(readFile(toText(path))),
  listDirectory: (path) =>
    [...Deno.readDirSync(toText(path))].map(({ name }) => fromText(name)),
  isDirectory(path): boolean {
    try {
      return Deno.statSync(toText(path)).isDirectory;
    } catch {
      return false;
    }
  },
  findUser(key): NamedId | undefined {
    const [name, , uid, gid] = fields("passwd", key);
    return name === undefined
      ? undefined
      : { name, id: Number(uid), gid: Number(gid) };
  },
  findGroup(key): NamedId | undefined {
    const [name, , gid] = fields("group", key);
    return name === undefined ? undefined : { name, id: Number(gid) };
  },
  groupsOf(user): string[] {
    const [, ...gids] = wordsOf(lookUp("initgroups", user)[0] ?? "");
    return gids.flatMap((gid) => thisMachine.findGroup(gid)?.name ?? []);
  },
  hasPort: (name, protocol) =>
    lookUp("services", `${name}/${protocol}`).length > 0,
};

/** As many names as anybody has; each takes the time of a process. */
const LOOKUPS_MAX = 2000;

const found = new Map<string, readonly string[]>();

/** What getent(1) says of a key, asked once; nothing, of too many keys. */
function lookUp(database: string, key: string): readonly string[] {
  const which = `${database} ${key}`;
  const known = found.get(which);
  if (known !== undefined || found.size >= LOOKUPS_MAX) return known ?? [];
  const lines = getent(database, toText(key));
  found.set(which, lines);
  return lines;
}

function fields(database: string, key: string): string[] {
  return lookUp(database, key)[0]?.split(":") ?? [];
}

/**
 * Reads a file to translate.
 *
 * @param path Its path.
 * @param from The machine.
 * @param tell Where goes why it is not read.
 * @returns What it says, a binary string; `undefined` if it is none that a
 * person wrote.
 */
export function readText(
  path: string,
  from: Surroundings,
  tell: Tell,
): string | undefined {
  try {
    const text = from.readFile(path);
    if (!text.includes("\0")) return text.replaceAll("\r\n", "\n");
    tell(path, "not a text file: it has NUL bytes", "name another file");
  } catch (error) {
    tell(path, `cannot be read: ${reasonOf(error)}`, mendOf(error));
  }
  return undefined;
}

/** Why a file could not be read, as the system says it. */
export function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "No such file or directory";
  if (error instanceof Deno.errors.PermissionDenied) return "Permission denied";
  return error instanceof Error ? error.message : String(error);
}

function mendOf(error: unknown): string {
  return error instanceof RefusedFile ? error.mend : "name another file";
}

/**
 * Makes sure that there is a port of that name or number.
 *
 * @param draft The service.
 * @param port What its configuration says.
 * @param place Where it says so.
 * @param options The machine, and whether the port is one of udp's.
 */
export function checkPort(
  draft: ServiceDraft,
  port: string,
  place: string,
  { from, type }: { from: Surroundings; type: ImportedType },
): void {
  const protocol = type === "udp" ? "udp" : "tcp";
  const isThere = /^\d/.test(port)
    ? parseCount(port, PORT_MAX) !== undefined && Number(port) > 0
    : /^[\w-]+$/.test(port) && from.hasPort(port, protocol);
  if (isThere) return;
  const text = `${quoted(port)} is no port of ${protocol} here`;
  draft.hold(place, text, "write its number");
}

/** The account of spawnd's own, which no command may run as. */
const OWNER = "daemon";

const OF_ITS_OWN = "put an account of its own after user=";

/** Whose rights a command is to have, as its configuration says it. */
export interface UserWords {
  readonly place: string;
  /** A name or a number. */
  readonly user: string;
  /** The same; the account's own group, if nothing is said. */
  readonly group?: string | undefined;
}

/**
 * Settles whose rights a command has: accounts by name, none of them root's.
 *
 * @param draft The service.
 * @param words What its configuration says.
 * @param from The machine.
 */
export function setUser(
  draft: ServiceDraft,
  { place, user, group }: UserWords,
  from: Surroundings,
): void {
  const account = from.findUser(user);
  const found = group === undefined ? undefined : from.findGroup(group);
  draft.user = (account?.name ?? user) +
    (group === undefined ? "" : `:${found?.name ?? group}`);
  if (account === undefined) {
    draft.hold(place, `unknown user: ${quoted(user)}`, OF_ITS_OWN);
  } else if (account.id === 0) {
    draft.hold(place, "runs as root, which spawnd refuses", OF_ITS_OWN);
  } else if (account.name === OWNER) {
    draft.hold(place, `${OWNER} is spawnd's own account`, OF_ITS_OWN);
  } else if (group !== undefined && found === undefined) {
    draft.hold(
      place,
      `unknown group: ${quoted(group)}`,
      "put a group that there is after user=NAME:",
    );
  } else if ((found?.id ?? account.gid) === 0) {
    draft.hold(
      place,
      "runs with root's group, which spawnd refuses",
      "put a group of its own after user=NAME:",
    );
  }
}

/** The files of TCP wrappers, hosts_access(5). */
const HOSTS_ACCESS = ["/etc/hosts.allow", "/etc/hosts.deny"];

/**
 * Finds out whether TCP wrappers keep anybody out on this machine.
 *
 * @param from The machine.
 * @returns The first file that has a rule, if there is one.
 */
function findHostsAccess(from: Surroundings): string | undefined {
  return HOSTS_ACCESS.find((path) => {
    try {
      return /^[ \t]*[^# \t\r\n]/m.test(from.readFile(path));
    } catch (error) {
      // What cannot be read may hold anything.
      return !(error instanceof Deno.errors.NotFound);
    }
  });
}

/**
 * Holds a service whose clients TCP wrappers have chosen until now.
 *
 * @param draft The service.
 * @param place Where that is said.
 * @param from The machine.
 */
export function holdWrapped(
  draft: ServiceDraft,
  place: string,
  from: Surroundings,
): void {
  const file = findHostsAccess(from);
  if (file === undefined) return;
  draft.hold(
    place,
    `the rules of TCP wrappers in ${file} are not translated`,
    "write them as -o spawnd_clients=LIST",
  );
}
