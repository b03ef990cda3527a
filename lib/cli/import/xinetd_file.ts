/**
 * xinetd.conf(5), read: entries of attributes, from files and all that these
 * include.
 *
 * @module
 */

import { readText, reasonOf, type Surroundings } from "./surroundings.ts";
import { quoted, type Tell } from "./translation.ts";
import { trimmed } from "./words.ts";

/** What an attribute comes to, and where it was last assigned. */
export interface Assignment {
  readonly place: string;
  readonly values: readonly string[];
}

/** An assignment as it is written. */
interface Operation extends Assignment {
  readonly operator: "=" | "+=" | "-=";
}

/** An entry, or the defaults. */
export interface XinetdEntry {
  readonly place: string;
  /** Of the service; empty for the defaults. */
  readonly name: string;
  readonly operations: ReadonlyMap<string, readonly Operation[]>;
  /** Whether a line of it could not be read, whatever that was to say. */
  readonly isBroken: boolean;
}

/** All that was read. */
export interface XinetdFiles {
  readonly defaults: XinetdEntry;
  readonly services: readonly XinetdEntry[];
}

/** Attributes whose values are sets, which += and -= change. */
const SETS = new Set([
  "disabled",
  "enabled",
  "env",
  "log_on_failure",
  "log_on_success",
  "no_access",
  "only_from",
  "passenv",
]);

/** Attributes that count in the defaults. */
export const OF_DEFAULTS = new Set([
  ...["banner", "banner_fail", "banner_success", "bind", "cps", "disabled"],
  ...["enabled", "groups", "instances", "interface", "log_on_failure"],
  ...["log_on_success", "log_type", "max_load", "mdns", "no_access"],
  ...["only_from", "passenv", "per_source", "umask", "v6only"],
]);

/** As deep as anybody nests files, and as many as a directory of them has. */
const DEPTH_MAX = 16;
const FILES_MAX = 10_000;

const NO_DEFAULTS: XinetdEntry = {
  place: "",
  name: "",
  operations: new Map(),
  isBroken: false,
};

/**
 * Reads xinetd's files.
 *
 * @param paths The files, or directories of them.
 * @param from The machine.
 * @param tell Where goes what cannot be read.
 * @returns The entries.
 */
export function readXinetd(
  paths: readonly string[],
  from: Surroundings,
  tell: Tell,
): XinetdFiles {
  const reader = new Reader(from, tell);
  for (const path of paths) {
    if (from.isDirectory(path)) reader.readDirectory(path, path, 0);
    else reader.readFile(path, path, 0);
  }
  return {
    defaults: reader.defaults ?? NO_DEFAULTS,
    services: reader.services,
  };
}

/**
 * Finds what an attribute of an entry comes to. A set that is only changed
 * starts from the defaults; one that is assigned starts anew.
 *
 * @param name The attribute.
 * @param entry The entry.
 * @param defaults What counts where the entry says nothing.
 * @returns Its values; `undefined` if nobody says anything.
 */
export function valueOf(
  name: string,
  entry: XinetdEntry,
  defaults: XinetdEntry,
): Assignment | undefined {
  const own = entry.operations.get(name);
  const base = entry !== defaults && OF_DEFAULTS.has(name)
    ? valueOf(name, defaults, defaults)
    : undefined;
  if (own === undefined) return base;
  let values = base?.values ?? [];
  for (const operation of own) {
    values = applied(operation, values);
  }
  return { place: own.at(-1)?.place ?? entry.place, values };
}

function applied(
  { operator, values }: Operation,
  before: readonly string[],
): readonly string[] {
  switch (operator) {
    case "=":
      return values;
    case "+=":
      return [...before, ...values];
    case "-=":
      return before.filter((value) => !values.includes(value));
  }
}

class Reader {
  defaults: XinetdEntry | undefined;
  readonly services: XinetdEntry[] = [];
  readonly #from: Surroundings;
  readonly #tell: Tell;
  readonly #read = new Set<string>();

  constructor(from: Surroundings, tell: Tell) {
    this.#from = from;
    this.#tell = tell;
  }

  /** All files of a directory but those that editors and packages leave. */
  readDirectory(path: string, place: string, depth: number): void {
    let names: readonly string[] = [];
    try {
      names = this.#from.listDirectory(path);
    } catch (error) {
      const text = `${quoted(path)} cannot be read: ${reasonOf(error)}`;
      this.#tell(place, text, "name another directory");
    }
    const folder = path.replace(/\/+$/, "");
    for (const name of [...names].sort()) {
      if (name.includes(".") || name.endsWith("~")) continue;
      const file = `${folder}/${name}`;
      if (!this.#from.isDirectory(file)) this.readFile(file, place, depth);
    }
  }

  readFile(path: string, place: string, depth: number): void {
    if (this.#read.has(path)) return;
    if (this.#read.size >= FILES_MAX || depth > DEPTH_MAX) {
      const limit = depth > DEPTH_MAX
        ? `more than ${DEPTH_MAX} files include each other`
        : `more than ${FILES_MAX} files`;
      this.#tell(place, `${limit}: the rest is not read`, "name fewer files");
      return;
    }
    this.#read.add(path);
    const text = readText(path, this.#from, this.#tell);
    if (text === undefined) return;
    const parser = new Parser(path, this.#tell);
    for (const [index, line] of text.split("\n").entries()) {
      const found = parser.read(trimmed(line), index + 1);
      if (found === undefined) continue;
      if (found.kind === "include") {
        this.#include(found.words, `${path}:${index + 1}`, depth + 1);
      } else this.#add(found);
    }
    parser.end();
  }

  #include(
    [word = "", path = ""]: readonly string[],
    place: string,
    depth: number,
  ): void {
    if (word === "includedir") this.readDirectory(path, place, depth);
    else this.readFile(path, place, depth);
  }

  #add({ kind, entry }: Completed): void {
    if (kind === "service") this.services.push(entry);
    else if (this.defaults === undefined) this.defaults = entry;
    else {
      const text = "a second defaults entry does not count";
      this.#tell(entry.place, text, "put all into the first");
    }
  }
}

/** An entry that a line completes. */
interface Completed {
  readonly kind: "defaults" | "service";
  readonly entry: XinetdEntry;
}

/** What a line completes. */
type Found = Completed | {
  readonly kind: "include";
  readonly words: readonly string[];
};

/** An entry that is being read. */
interface Open {
  readonly kind: "defaults" | "service";
  readonly place: string;
  readonly name: string;
  readonly operations: Map<string, Operation[]>;
  isBroken: boolean;
  isBegun: boolean;
}

/** Reads one file, line by line. */
class Parser {
  readonly #path: string;
  readonly #tell: Tell;
  #open: Open | undefined;

  constructor(path: string, tell: Tell) {
    this.#path = path;
    this.#tell = tell;
  }

  read(line: string, number: number): Found | undefined {
    if (line === "" || line.startsWith("#")) return undefined;
    const place = `${this.#path}:${number}`;
    if (this.#open === undefined) return this.#outside(line, place);
    if (line === "{" && !this.#open.isBegun) {
      this.#open.isBegun = true;
      return undefined;
    }
    if (line !== "}") {
      this.#assign(line, place, this.#open);
      return undefined;
    }
    const { kind, ...entry } = this.#open;
    this.#open = undefined;
    return { kind, entry };
  }

  end(): void {
    if (this.#open === undefined) return;
    const { place, name } = this.#open;
    const text = `${
      quoted(name) || "defaults"
    }: no } closes it: not translated`;
    this.#tell(place, text, "write a line with } behind it");
  }

  #outside(line: string, place: string): Found | undefined {
    const [word = "", name = "", ...rest] = line.split(/[ \t]+/);
    if (word === "include" || word === "includedir") {
      return { kind: "include", words: [word, name] };
    }
    const isDefaults = /^defaults$/.test(word);
    if (!isDefaults && (word !== "service" || name === "")) {
      const text = `outside of an entry: ${quoted(line)}`;
      const mend = "write service NAME, defaults, include or includedir";
      this.#tell(place, text, mend);
      return undefined;
    }
    const isBegun = (isDefaults ? name : rest[0]) === "{";
    this.#open = {
      kind: isDefaults ? "defaults" : "service",
      place,
      name: isDefaults ? "" : name,
      operations: new Map(),
      isBroken: false,
      isBegun,
    };
    return undefined;
  }

  #assign(line: string, place: string, open: Open): void {
    const { operations } = open;
    const [, name, sign, text = ""] =
      /^([^ \t]+)[ \t]+(\+=|-=|=)(?:[ \t]+(.*)|)$/s.exec(line) ?? [];
    if (name === undefined || sign === undefined) {
      const mend = "write NAME = VALUE, with blanks around the operator";
      this.#tell(place, `no attribute: ${quoted(line)}`, mend);
      open.isBroken = true;
      return;
    }
    const operator = sign as Operation["operator"]; // as matched
    const values = text.split(/[ \t]+/).filter((value) => value !== "");
    const earlier = operations.get(name) ?? [];
    if (earlier.length > 0 && !SETS.has(name)) {
      const text = `${quoted(name)} is assigned already: the first counts`;
      this.#tell(place, text, "leave one of them out");
    } else operations.set(name, [...earlier, { place, operator, values }]);
  }
}
