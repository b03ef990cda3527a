/**
 * master.cf: one service a logical line, of eight fields and the arguments of
 * the command.
 *
 * @module
 */

import { splitWords, withoutBraces } from "./braces.ts";
import type { IsDisabled } from "./disabled_services.ts";
import { splitInetName } from "./inet_name.ts";
import { PlacedText, readLogicalLines } from "./logical_lines.ts";
import { type Setting, type Settings, splitNameValue } from "./main_cf.ts";
import { Findings, type Problem, problemAt, type Report } from "./problems.ts";
import { parseCount } from "./values.ts";

const TYPES = ["inet", "unix", "unix-dgram", "fifo", "pass", "udp"] as const;

/** How clients reach a service. */
export type ServiceType = typeof TYPES[number];

/** An argument that begins with `-`, up to the first that does not. */
export type ServiceOption =
  | { readonly kind: "flags"; readonly word: PlacedText }
  | {
    readonly kind: "override";
    /** What was given after `-o`. */
    readonly word: PlacedText;
    /** `undefined` if it is no `name = value`. */
    readonly setting: Setting | undefined;
  };

/** A line of master.cf, its fields read and their defaults in place. */
export interface MasterEntry {
  readonly name: PlacedText;
  readonly type: ServiceType;
  /** The eight fields as they were written. */
  readonly fields: readonly PlacedText[];
  readonly isPrivate: boolean;
  readonly isUnprivileged: boolean;
  readonly isChrooted: boolean;
  readonly wakeupSeconds: number;
  /** 0 for no limit; `undefined` for the default. */
  readonly maxProcesses: number | undefined;
  readonly command: PlacedText;
  readonly options: readonly ServiceOption[];
  /** The other arguments, without the braces around them; `--` included. */
  readonly words: readonly PlacedText[];
}

/**
 * Gives the settings on a line.
 *
 * @param entry The line.
 * @returns All that were given, in their order.
 */
export function settingsOn({ options }: MasterEntry): Setting[] {
  return options.flatMap((option) =>
    option.kind === "override" && option.setting !== undefined
      ? [option.setting]
      : []
  );
}

/**
 * Gives the settings on a line that count.
 *
 * @param entry The line.
 * @returns The last one for each name.
 */
export function overridesOf(entry: MasterEntry): Settings {
  return new Map(
    settingsOn(entry).map((setting) => [setting.name.text, setting]),
  );
}

/** A master.cf, read. */
export interface MasterCf {
  readonly file: string;
  /** All entries that have eight good fields, in their order. */
  readonly entries: readonly MasterEntry[];
  /** Those that count: the last of each service. */
  readonly services: readonly MasterEntry[];
  readonly problems: readonly Problem[];
}

/** What a master.cf is read by. */
export interface MasterCfOptions {
  /** What `-` means in the chroot field. */
  readonly chroots?: boolean;
  /** Finds the number of a port by its name, by which one service has several. */
  readonly findPort?: (name: string) => number | undefined;
  /** Tells which entries do not count. */
  readonly isDisabled?: IsDisabled;
}

/** The fields, with the names that master(8) calls them by in messages. */
const FIELDS = [
  "service name",
  "transport type",
  "private",
  "unprivileged",
  "chroot",
  "wakeup_time",
  "max_proc",
  "command",
] as const;

/** Larger numbers than these have no room in 32 bits. */
const NUMBER_MAX = 2 ** 31 - 1;

/**
 * Reads a master.cf.
 *
 * @param file Its name, for places.
 * @param binary What it says, as a binary string.
 * @param options What it is read by.
 * @returns Its entries, and everything wrong with it.
 */
export function parseMasterCf(
  file: string,
  binary: string,
  options: MasterCfOptions = {},
): MasterCf {
  const { chroots = false, findPort, isDisabled } = options;
  const findings = new Findings();
  const { report, problems } = findings;
  const entries: MasterEntry[] = [];
  for (const line of readLogicalLines(file, binary, report)) {
    if (!findings.goesOn(line.placeIn(file))) break;
    const entry = new EntryReader(file, report, chroots).read(line);
    if (entry !== undefined) entries.push(entry);
  }
  const last = new Map<string, MasterEntry>();
  for (const entry of entries) {
    if (isDisabled?.(entry.name.text, entry.type)) continue;
    const path = servicePath(entry, findPort);
    const key = `${entry.type} ${path}`;
    const earlier = last.get(key);
    if (earlier !== undefined) {
      last.delete(key);
      report(problemAt(entry.name.placeIn(file), {
        level: "warning",
        text: `duplicate master.cf entry for service "${earlier.name.text}" ` +
          `(${path}) -- using the last entry`,
        mend: "leave one of them out",
      }));
    }
    last.set(key, entry);
  }
  return { file, entries, services: [...last.values()], problems };
}

/**
 * What tells services of one type apart: private and public ones have their
 * own names, and an address or a port may be written in several ways.
 */
function servicePath(
  { name, type, isPrivate }: MasterEntry,
  findPort: MasterCfOptions["findPort"],
): string {
  if (type !== "inet" && type !== "udp") {
    return `${isPrivate ? "private" : "public"}/${name.text}`;
  }
  const split = splitInetName(name.text);
  if (!split.ok) return name.text;
  const { host, port: text } = split.value;
  const port = /^\+?\d+$/.test(text) ? Number(text) : findPort?.(text) ?? text;
  if (host === undefined) return `${port}`;
  return `[${host.kind === "address" ? host.address : host.name}]:${port}`;
}

/** Reads one line. */
class EntryReader {
  readonly #file: string;
  readonly #report: Report;
  readonly #chroots: boolean;
  #isGood = true;

  constructor(file: string, report: Report, chroots: boolean) {
    this.#file = file;
    this.#report = report;
    this.#chroots = chroots;
  }

  /** The entry, unless a field is missing or bad. */
  read(line: PlacedText): MasterEntry | undefined {
    const words = splitWords(line);
    const missing = FIELDS[words.length];
    if (missing !== undefined) {
      this.#wrong(words.at(-1) ?? line, `missing "${missing}" field`);
      return undefined;
    }
    const [name, type, isPrivate, unprivileged, chroot, wakeup, max, command] =
      words;
    const entry = {
      name: name ?? line,
      type: this.#type(type),
      fields: words.slice(0, FIELDS.length),
      isPrivate: this.#isYes("private", isPrivate, true),
      isUnprivileged: this.#isYes("unprivileged", unprivileged, true),
      isChrooted: this.#isYes("chroot", chroot, this.#chroots),
      wakeupSeconds: this.#number("wakeup_time", wakeup, /\?$/) ?? 0,
      maxProcesses: this.#number("max_proc", max, /$/),
      command: this.#command(command),
      ...this.#arguments(words.slice(FIELDS.length)),
    };
    const isInet = entry.type === "inet" || entry.type === "udp";
    if (isInet && entry.isPrivate) {
      this.#report(problemAt((isPrivate ?? line).placeIn(this.#file), {
        text: `${entry.type} service cannot be private`,
        mend: "write n in its third field",
      }));
    }
    return this.#isGood ? entry : undefined;
  }

  #type(word: PlacedText = new PlacedText("-")): ServiceType {
    const type = TYPES.find((known) => known === word.text);
    if (type !== undefined) return type;
    if (word.text === "-") this.#noDefault("transport type", word);
    else {
      const mend = "it is inet, unix or udp, or pass below master(8)";
      this.#wrong(word, `bad transport type: ${word.text}`, mend);
    }
    return "unix";
  }

  #isYes(
    field: typeof FIELDS[number],
    word: PlacedText | undefined,
    byDefault: boolean,
  ): boolean {
    if (word === undefined || word.text === "-") return byDefault;
    if (word.text !== "y" && word.text !== "n") {
      this.#badValue(field, word, "write y, n or -");
    }
    return word.text === "y";
  }

  #number(
    field: typeof FIELDS[number],
    word: PlacedText | undefined,
    suffix: RegExp,
  ): number | undefined {
    if (word === undefined || word.text === "-") return undefined;
    const [digits = ""] = /^\d*/.exec(word.text) ?? [];
    const number = parseCount(digits, NUMBER_MAX);
    if (number === undefined) {
      this.#badValue(field, word, "write a whole number or -");
      return undefined;
    }
    const rest = word.text.slice(digits.length).replace(suffix, "");
    if (rest !== "") {
      this.#report(problemAt(word.placeIn(this.#file), {
        level: "warning",
        text: `field "${field}": text after the number: "${word.text}"`,
        mend: `it is ignored: the number is ${number}`,
      }));
    }
    return number;
  }

  #command(word: PlacedText = new PlacedText("-")): PlacedText {
    if (word.text === "-") this.#noDefault("command", word);
    return word;
  }

  #arguments(
    words: readonly PlacedText[],
  ): Pick<MasterEntry, "options" | "words"> {
    const options: ServiceOption[] = [];
    let at = 0;
    for (; at < words.length; at++) {
      const word = words[at];
      if (word === undefined || !/^-(?!-$)./s.test(word.text)) break;
      const override = word.text.indexOf("o", 1);
      const flags = override < 0 ? word.text.length : override;
      if (flags > 1) {
        options.push({ kind: "flags", word: word.slice(0, flags) });
      }
      if (override < 0) continue;
      const attached = word.slice(override + 1);
      const given = attached.text === "" ? words[++at] : attached;
      options.push(this.#override(given ?? attached));
    }
    const rest = words.slice(at).map((word) => this.#withoutBraces(word));
    return { options, words: rest };
  }

  #override(given: PlacedText): ServiceOption {
    const word = this.#withoutBraces(given);
    const split = splitNameValue(word);
    if (split.ok) return { kind: "override", word, setting: split.setting };
    this.#report(problemAt(given.placeIn(this.#file), {
      text: `invalid "-o ${word.text}" option value: ${split.text}`,
      mend: "write -o name=value or -o { name = value }",
    }));
    return { kind: "override", word, setting: undefined };
  }

  #withoutBraces(word: PlacedText): PlacedText {
    const { inner, wrong: text } = withoutBraces(word);
    if (text !== undefined) {
      const mend = "braces go around a whole argument";
      this.#report(problemAt(word.placeIn(this.#file), { text, mend }));
    }
    return inner;
  }

  #noDefault(field: typeof FIELDS[number], word: PlacedText): void {
    this.#wrong(word, `field "${field}" has no default value`);
  }

  #badValue(
    field: typeof FIELDS[number],
    word: PlacedText,
    mend: string,
  ): void {
    this.#wrong(word, `field "${field}": bad value: "${word.text}"`, mend);
  }

  #wrong(word: PlacedText | undefined, text: string, mend?: string): void {
    this.#isGood = false;
    const place = (word ?? new PlacedText("")).placeIn(this.#file);
    this.#report(problemAt(place, { text, mend }));
  }
}
