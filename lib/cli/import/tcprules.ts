/**
 * tcprules(1): rules about clients, as a table in cidr_table(5)'s syntax.
 *
 * tcpserver takes the rule that is nearest to the client's address, and of two
 * for the same address the first; a table's first match counts. So the nearest
 * come first. A client that no rule is about is let in by tcpserver and refused
 * by a table, which therefore ends with a rule for everybody. tcprules takes a
 * file as a whole or not at all, and so it is here.
 *
 * @module
 */

import {
  ALL_NETWORKS,
  type Network,
  networkOfNumbers,
  readNumbers,
  writeCidr,
} from "./networks.ts";
import { type Note, Notes, quoted, type Tell } from "./translation.ts";
import { readText, type Surroundings } from "./surroundings.ts";
import { trimmed, writeVariable } from "./words.ts";

/** A table, and what could not be translated. */
export interface TranslatedRules {
  /** Its text, a binary string. */
  readonly table: string;
  readonly notes: readonly Note[];
}

/** What is done with clients, as the table has it. */
type Verdict = string;

/** More than anybody has rules; a range counts for each of its networks. */
const RULES_MAX = 1_000_000;

const BY_NAME =
  "names of hosts are not translated: a name service would stand in the way " +
  "of every connection";
const BY_IDENT = "users by ident are not translated: the client's machine " +
  "would say who it is";

/**
 * Translates rules.
 *
 * @param paths The files.
 * @param from The machine.
 * @returns The table.
 */
export function translateTcprules(
  paths: readonly string[],
  from: Surroundings,
): TranslatedRules {
  const all = readRules(paths, from);
  if (all.isTooMany) {
    const place = paths[0] ?? "";
    all.notes.tell(place, `more than ${RULES_MAX} rules`, "write fewer");
  }
  const isWhole = all.isRead && !all.isBroken && !all.isTooMany;
  return { table: isWhole ? tableOf(all) : "", notes: all.notes.all };
}

function tableOf({ rules, isHeld }: Rules): string {
  const sorted = [...rules.values()].sort((one, other) =>
    other.network.prefixBits - one.network.prefixBits
  );
  const everybody = rules.has("0.0.0.0/0") ? [] : ALL_NETWORKS
    .map((network) => ({ network, verdict: "allow" }));
  const lines = [...sorted, ...everybody].map(({ network, verdict }) =>
    `${isHeld ? "#" : ""}${writeCidr(network)} ${verdict}`
  );
  return [
    "# for use as: spawnd_clients = cidr:FILE",
    ...isHeld ? ["# to be mended before it is used"] : [],
    ...lines,
    "",
  ].join("\n");
}

interface Rule {
  readonly network: Network;
  readonly verdict: Verdict;
}

/** The rules that count, and how many were seen. */
class Rules {
  readonly rules = new Map<string, Rule>();
  readonly notes = new Notes();
  #seen = 0;
  isRead = false;
  /** Whether tcprules would have refused the files as a whole. */
  isBroken = false;
  /** Whether somebody would be let in who was refused. */
  isHeld = false;

  get isTooMany(): boolean {
    return this.#seen > RULES_MAX;
  }

  add(networks: readonly Network[], verdict: Verdict): void {
    this.#seen += networks.length;
    for (const network of networks) {
      const key = `${network.address}/${network.prefixBits}`;
      if (!this.rules.has(key)) this.rules.set(key, { network, verdict });
    }
  }
}

function readRules(paths: readonly string[], from: Surroundings): Rules {
  const all = new Rules();
  for (const path of paths) {
    const text = readText(path, from, all.notes.tell);
    if (text === undefined) continue;
    all.isRead = true;
    for (const [index, line] of text.split("\n").entries()) {
      if (all.isTooMany) break;
      if (line === "" || line.startsWith("#")) continue;
      readRule(trimmed(line), `${path}:${index + 1}`, all);
    }
  }
  return all;
}

function readRule(line: string, place: string, all: Rules): void {
  const { tell } = all.notes;
  const colon = line.indexOf(":");
  if (colon < 0) {
    tell(place, `no rule: ${quoted(line)}`, "write ADDRESS:allow or :deny");
    all.isBroken = true;
    return;
  }
  const verdict = readInstructions(line.slice(colon + 1), place, tell);
  if (verdict === undefined) {
    all.isBroken = true;
    return;
  }
  const address = line.slice(0, colon);
  const why = address.includes("@")
    ? BY_IDENT
    : address.startsWith("=")
    ? BY_NAME
    : undefined;
  if (why !== undefined) {
    if (verdict === "deny") all.isHeld = true;
    const mend = verdict === "deny"
      ? "whom it refuses would be let in: name the networks, or refuse them " +
        "in the command"
      : "name the networks, or decide in the command";
    tell(place, `${quoted(address)}: ${why}`, mend);
    return;
  }
  const networks = address === "" ? ALL_NETWORKS : readAddress(address);
  if (networks === undefined) {
    tell(
      place,
      `${quoted(address)}: no address, and no beginning of one with a dot at ` +
        "its end: it is about no client",
      "write 192.0.2.1, 192.0.2. or 192.0.2.1-9",
    );
  } else all.add(networks, verdict);
}

/** An address or a beginning of one, its last number perhaps a range. */
function readAddress(address: string): Network[] | undefined {
  const isPrefix = address.endsWith(".");
  const body = isPrefix ? address.slice(0, -1) : address;
  const [, before = "", low = "", high = "", after = ""] =
    /^((?:\d+\.)*)(\d+)-(\d+)((?:\.\d+)*)$/.exec(body) ?? [];
  const bodies = low === ""
    ? [body]
    : numbersFrom(low, high).map((number) => `${before}${number}${after}`);
  const networks = bodies.flatMap((each) => {
    const numbers = readNumbers(each);
    return numbers === undefined || isPrefix === (numbers.length === 4)
      ? []
      : [networkOfNumbers(numbers)];
  });
  return networks.length === bodies.length && networks.length > 0
    ? networks
    : undefined;
}

function numbersFrom(low: string, high: string): number[] {
  const [first, last] = [Number(low), Math.min(Number(high), 256)];
  return Array.from(
    { length: Math.max(0, last - first + 1) },
    (_, at) => first + at,
  );
}

/** `allow` or `deny`, and variables with any character around their values. */
function readInstructions(
  text: string,
  place: string,
  tell: Tell,
): Verdict | undefined {
  const [, word, rest = ""] = /^(allow|deny)(,.*|)$/s.exec(text) ?? [];
  if (word === undefined) {
    tell(place, `no instructions: ${quoted(text)}`, "write allow or deny");
    return undefined;
  }
  if (word === "deny") return "deny";
  const variables: string[] = [];
  for (let at = 0; at < rest.length;) {
    const equals = rest.indexOf("=", at);
    const quote = rest.charAt(equals + 1);
    const end = quote === "" ? -1 : rest.indexOf(quote, equals + 2);
    if (equals < 0 || end < 0 || rest.charAt(at) !== ",") {
      tell(
        place,
        `no variable: ${quoted(rest.slice(at))}`,
        'write ,NAME="value"',
      );
      return undefined;
    }
    const name = rest.slice(at + 1, equals);
    const variable = writeVariable(name, rest.slice(equals + 2, end));
    if (variable === undefined) {
      tell(
        place,
        `${quoted(name)}: a table has no way to write this variable`,
        "leave out control characters, blanks at the ends and single braces",
      );
    } else variables.push(variable);
    at = end + 1;
  }
  return ["allow", ...variables].join(" ");
}
