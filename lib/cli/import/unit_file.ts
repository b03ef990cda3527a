/**
 * systemd's unit files, read: settings by section, drop-ins included.
 *
 * @module
 */

import { readText, type Surroundings } from "./surroundings.ts";
import { quoted, type Tell } from "./translation.ts";
import { trimmed } from "./words.ts";

/** An assignment, where it stands. */
export interface UnitSetting {
  readonly place: string;
  readonly value: string;
}

/** A unit: what each setting of each section was given, in order. */
export interface Unit {
  /** Its file's name. */
  readonly name: string;
  readonly path: string;
  /** By `Section.Name`; an empty assignment has emptied what was before it. */
  readonly settings: ReadonlyMap<string, readonly UnitSetting[]>;
}

/** Where drop-ins of a unit can be beside its own folder. */
const FOLDERS = [
  "/etc/systemd/system",
  "/run/systemd/system",
  "/usr/local/lib/systemd/system",
  "/lib/systemd/system",
  "/usr/lib/systemd/system",
];

/**
 * Reads a unit.
 *
 * @param path Its file.
 * @param from The machine.
 * @param tell Where goes what cannot be read.
 * @returns The unit; `undefined` if there is no file to read.
 */
export function readUnit(
  path: string,
  from: Surroundings,
  tell: Tell,
): Unit | undefined {
  const text = readText(path, from, tell);
  if (text === undefined) return undefined;
  const settings = new Map<string, UnitSetting[]>();
  parse(text, path, { settings, tell });
  for (const dropIn of dropInsOf(path, from)) {
    const more = readText(dropIn, from, tell);
    if (more !== undefined) parse(more, dropIn, { settings, tell });
  }
  return { name: nameOf(path), path, settings };
}

/**
 * Finds the file of a unit that another one names.
 *
 * @param name Its name.
 * @param beside The path of the one that names it.
 * @param from The machine.
 * @returns Its path, in the same folder or where systemd looks; `undefined` if
 * there is none.
 */
export function findUnit(
  name: string,
  beside: string,
  from: Surroundings,
): string | undefined {
  return [folderOf(beside), ...FOLDERS].find((folder) =>
    namesIn(folder, from).includes(name)
  )?.concat("/", name);
}

/** A file's name. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash) || "/";
}

function namesIn(folder: string, from: Surroundings): readonly string[] {
  try {
    return from.listDirectory(folder);
  } catch {
    // It need not be there.
    return [];
  }
}

/** Of two with one name, the first folder's counts; by name, as systemd does. */
function dropInsOf(path: string, from: Surroundings): string[] {
  const found = new Map<string, string>();
  const folders = [folderOf(path), ...FOLDERS];
  for (const folder of new Set(folders)) {
    const dropIns = `${folder}/${nameOf(path)}.d`;
    for (const name of namesIn(dropIns, from)) {
      if (name.endsWith(".conf") && !found.has(name)) {
        found.set(name, `${dropIns}/${name}`);
      }
    }
  }
  return [...found].sort(([one], [other]) => one < other ? -1 : 1)
    .map(([, file]) => file);
}

interface Into {
  readonly settings: Map<string, UnitSetting[]>;
  readonly tell: Tell;
}

function parse(text: string, path: string, { settings, tell }: Into): void {
  let section: string | undefined;
  for (const { line, number } of logicalLines(text)) {
    const place = `${path}:${number}`;
    const header = /^\[(.+)\]$/.exec(line);
    const [, name, value = ""] = /^([A-Za-z0-9-]+)[ \t]*=[ \t]*(.*)$/s
      .exec(line) ?? [];
    if (header !== null) section = header[1];
    else if (name === undefined || section === undefined) {
      const mend = "write [SECTION], then NAME=VALUE";
      tell(place, `no setting: ${quoted(line)}`, mend);
    } else {
      const key = `${section}.${name}`;
      const before = settings.get(key) ?? [];
      settings.set(key, before);
      if (value === "") before.length = 0;
      else before.push({ place, value });
    }
  }
}

/** Lines with those that a backslash joins; comments in between are nothing. */
function* logicalLines(
  text: string,
): Generator<{ line: string; number: number }> {
  let joined: { parts: string[]; number: number } | undefined;
  for (const [index, raw] of text.split("\n").entries()) {
    if (/^[ \t]*[#;]/.test(raw)) continue;
    const continues = raw.endsWith("\\");
    const part = continues ? raw.slice(0, -1) : raw;
    if (joined === undefined) {
      if (trimmed(part) === "" && !continues) continue;
      joined = { parts: [], number: index + 1 };
    }
    joined.parts.push(part);
    if (continues) continue;
    yield { line: trimmed(joined.parts.join(" ")), number: joined.number };
    joined = undefined;
  }
  if (joined !== undefined) {
    yield { line: trimmed(joined.parts.join(" ")), number: joined.number };
  }
}

/** What systemd takes for true and for false. */
const TRUE = ["1", "yes", "y", "true", "t", "on"];
const FALSE = ["0", "no", "n", "false", "f", "off"];

/**
 * Reads a boolean.
 *
 * @param text What is written.
 * @returns What it means; `undefined` if it is none.
 */
export function readBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return TRUE.includes(word) ? true : FALSE.includes(word) ? false : undefined;
}

/** systemd's units of time, in milliseconds. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ...["us", "usec", "\xc2\xb5s"].map((unit) => [unit, 0.001] as const),
  ...["ms", "msec"].map((unit) => [unit, 1] as const),
  ...["", "s", "sec", "second", "seconds"].map((unit) => [unit, 1e3] as const),
  ...["m", "min", "minute", "minutes"].map((unit) => [unit, 60e3] as const),
  ...["h", "hr", "hour", "hours"].map((unit) => [unit, 3600e3] as const),
  ...["d", "day", "days"].map((unit) => [unit, 86400e3] as const),
  ...["w", "week", "weeks"].map((unit) => [unit, 604800e3] as const),
]);

/** A number with its unit. */
const SPAN = /(\d+(?:\.\d+)?) *([a-z\xc2\xb5]*)/g;

/**
 * Reads a time span.
 *
 * @param text As `5min 20s`.
 * @returns Whole seconds, of which there is at least one in any but zero;
 * `undefined` if it is no time span, or has no end.
 */
export function readSeconds(text: string): number | undefined {
  const isWhole = text !== "" && trimmed(text.replaceAll(SPAN, "")) === "";
  if (!isWhole) return undefined;
  let milliseconds = 0;
  for (
    const [, digits, unit = ""] of text.matchAll(
      SPAN,
    )
  ) {
    const factor = UNITS.get(unit);
    if (factor === undefined) return undefined;
    milliseconds += Number(digits) * factor;
  }
  return Math.ceil(milliseconds / 1000);
}
