/**
 * The configuration against Postfix's own reader of it, postconf(1), on
 * configurations made at random.
 *
 * Of every configuration, the value of each name and every line of master.cf is
 * compared to the byte, and what postconf shows in its other forms, too.
 * postconf ends at the first value that it cannot expand, so what spawnd refuses
 * is left out there and asked for alone: postconf must refuse it, too, and in
 * the same words.
 *
 * Configurations without a mistake are put together, many in one, as a process
 * for each would take most of the time; each of the others is asked about
 * alone, and in the other forms now and then. What differs is made as small as
 * it still differs.
 *
 * `SPAWND_SEED` and `SPAWND_CONFIGURATIONS` make another or a longer run.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { toBinary, toBytes } from "../../lib/config/bytes.ts";
import type { Configuration } from "../../lib/config/configuration.ts";
import { loadConfiguration } from "../../lib/config/load_configuration.ts";
import { PlacedText } from "../../lib/config/logical_lines.ts";
import { type MasterEntry, parseMasterCf } from "../../lib/config/master_cf.ts";
import { PARAMETERS, timeLimitParameter } from "../../lib/config/parameters.ts";
import type { Problem } from "../../lib/config/problems.ts";
import type { Scope } from "../../lib/config/settings.ts";
import {
  KNOWN_NAMES,
  named,
  RANDOM_CONFIGURATION,
  type RandomConfiguration,
  USER_NAMES,
} from "../unit/config/random_configuration.ts";
import { Scratch } from "../unit/scratch.ts";
import { reasonOf } from "../../lib/result.ts";

const POSTCONF = "/usr/sbin/postconf";
const SEED = Number(Deno.env.get("SPAWND_SEED") ?? 3711);
const CONFIGURATIONS = Number(Deno.env.get("SPAWND_CONFIGURATIONS") ?? 5000);

/** postconf sleeps for a second before it ends with an error. */
const AT_ONCE = 64;

/** So many configurations are put together. */
const TOGETHER = 50;

/** Of the others, one of so many is asked about in a second form. */
const FORMS_EVERY = 4;

/** Of one of so many, a value is asked for that is refused. */
const REFUSALS_EVERY = 3;

/** Parameters whose defaults are the machine's. */
const OF_THE_MACHINE: readonly string[] = [
  "mail_version",
  "mydomain",
  "myhostname",
];

/** How long to look for what is smaller and still differs. */
const SHRINK_MS = 60_000;

/** Names that all configurations share. */
const SHARED_NAMES: readonly string[] = [
  ...KNOWN_NAMES,
  "x_time_limit",
  "process_name",
  "service_name",
];

/**
 * Where Postfix is not followed, or not consistent. The first ones are
 * recognized as they come up; what the others say is left out of the random
 * configurations, or stands in this test where it is written.
 */
const DIFFERENCES = {
  crash: {
    problem: /^/,
    reason:
      "A relation whose operand leads back to it overflows the stack of " +
      "postconf, which dies of signal 11, also where another mistake comes " +
      "first. For spawnd it is a loop as any other.",
  },
  early: {
    message: /fatal: (?:macro processing error|mac_exp_eval: bad conversion)/,
    reason:
      "Whatever it is asked, postconf expands values that have a colon, " +
      "as they might name a table, and ends if one cannot be expanded. For a " +
      "daemon, as for spawnd, only the values that it reads count.",
  },
  badOverride: {
    problem: /^invalid "-o /,
    reason: "postconf leaves it out of -P and shows it in -M; the service " +
      "itself refuses to start.",
  },
  badBraces: {
    problem: /^(?:missing '}'|syntax error after '}') in /,
    reason: "postconf warns in the same words and shows a guess; master(8) " +
      "refuses to start.",
  },
  firstWord: {
    reason: "-M leaves the braces away from the first argument that is no " +
      "option, so that what it shows reads as two.",
  },
  attachedOverride: {
    reason: 'In -oNAME=VALUE without a space, postconf takes an "o" for ' +
      "another -o and shows two; the service itself, as spawnd, takes one.",
  },
  attachedBraces: {
    reason: "-o{NAME = VALUE} without a space is good for postconf and for " +
      "spawnd; master(8) leaves the braces to the service, which refuses it.",
  },
  twoLines: {
    reason: "Of two lines for one service, -P shows the overrides of both " +
      "for each; for master(8), as for spawnd, the last line counts.",
  },
  privateInet: {
    reason: "A private inet service is good for postconf; master(8) and " +
      "spawnd refuse it.",
  },
  doubtfulWakeup: {
    reason: '"?" and "-?" are good wakeup times for postconf; master(8) and ' +
      "spawnd refuse them.",
  },
  textAfterNumber: {
    reason: '"5x" is a bad number for postconf; master(8) and spawnd take ' +
      "the digits.",
  },
  noCommand: {
    reason: 'A "-" for the command is good for postconf; master(8) and ' +
      "spawnd refuse it, as there is no default.",
  },
} as const;

/** What a postconf has left, as binary strings. */
interface Ended {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

function isInstalled(): boolean {
  try {
    return Deno.statSync(POSTCONF).isFile;
  } catch {
    return false;
  }
}

async function postconf(...args: string[]): Promise<Ended> {
  const { code, signal, stdout, stderr } = await new Deno.Command(POSTCONF, {
    args,
    stdin: "null",
  }).output();
  return { code, signal, stdout: toBinary(stdout), stderr: toBinary(stderr) };
}

/** Configurations, one after the other. Go with the scope: `using`. */
class Files extends Scratch {
  /** Writes a file of long ago: postconf waits for one that may still change. */
  write(name: string, binary: string): void {
    const path = this.path(name);
    Deno.writeFileSync(path, toBytes(binary));
    Deno.utimeSync(path, 1, 1);
  }
}

/** A line of master.cf that asks for values. */
function probe(service: string, values: readonly string[]): string {
  const words = values.map((value, index) => `-o ${service}${index}=${value}`);
  return [`${service} unix - - - - - ${service}`, ...words].join(" ");
}

/** What spawnd reads such a line as. */
function probeEntry(values: readonly string[]): MasterEntry {
  return certain(parseMasterCf("", probe("zz", values)).entries[0]);
}

function certain<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError("it should be there");
  return value;
}

/** How `postconf -M` writes a line, given what it makes of a setting. */
function masterLine(
  { fields, options, words }: MasterEntry,
  write: (value: PlacedText) => string,
): string {
  const columns = [0, 11, 17, 25, 33, 41, 49, 57];
  const line = fields.reduce(
    (line, { text }, index) =>
      index === 0 ? text : `${line} `.padEnd(columns[index] ?? 0) + text,
    "",
  );
  const braced = (text: string): string =>
    /[ \t\r\n]/.test(text) ? `{${text}}` : text;
  const shown = options.map((option) => {
    if (option.kind === "flags") return option.word.text;
    const setting = certain(option.setting);
    return `-o ${braced(`${setting.name.text}=${write(setting.value)}`)}`;
  });
  // It leaves the braces away from the first word, so that it reads as two.
  const [first = [], ...more] = words.map(({ text }) => text);
  return [line, ...shown].concat(first, more.map(braced)).join(" ");
}

/** White space as `postconf -n`, `-x` and `-P` show it. */
function normalized(line: string): string {
  return line.split(/[ \t\r\n]+/).filter((word) => word !== "").join(" ");
}

/** postconf's messages have `?` for what a terminal might choke on. */
function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, "?").replaceAll(/\?+/g, "?");
}

function has(
  problems: readonly Problem[],
  { problem }: { readonly problem: RegExp },
): boolean {
  return problems.some(({ text }) => problem.test(text));
}

/** The words in which postconf refuses what spawnd refuses in master(8)'s. */
function inWordsOfPostconf({ text }: Problem): string | undefined {
  if (/^missing ".*" field$/.test(text)) return "bad field count";
  const type = /^bad transport type: (.*)$/s.exec(text)?.[1];
  if (type !== undefined) return `invalid type field "${type}" in`;
  const [, field = "", value] =
    /^field "(.*)": bad value: (".*")$/s.exec(text) ??
      [];
  if (value === undefined) return undefined;
  const names = new Map([
    ["wakeup_time", "wakeup"],
    ["max_proc", "process_limit"],
  ]);
  return `invalid ${names.get(field) ?? field} field ${value} in`;
}

/** Thrown where postconf ends before its time, as {@linkcode DIFFERENCES} says. */
class Early extends Error {}

/** A configuration, or several in one, as postconf is asked about it. */
interface Asked {
  readonly main: string;
  readonly master: string;
  /** What all names have behind them that are a configuration's own. */
  readonly ends: readonly string[];
}

/** A configuration by itself. */
function alone(random: RandomConfiguration): Asked {
  const { main, master } = named(random, "");
  return { main, master: whole(master), ends: [""] };
}

/** Several that mean nothing of each other. */
function together(randoms: readonly RandomConfiguration[]): Asked {
  const ends = randoms.map((_, index) => `_${index}`);
  const all = randoms.map((each, index) => named(each, ends[index] ?? ""));
  return {
    main: all.map(({ main }) => whole(main)).join(""),
    master: all.map(({ master }) => whole(master)).join(""),
    ends,
  };
}

/** A file whose last line has an end, so that another can follow. */
function whole(text: string): string {
  return /(?:^|\n)$/.test(text) ? text : `${text}\n`;
}

/** What spawnd makes of it. */
function read({ main, master }: Asked): Configuration {
  return loadConfiguration(
    "",
    (path) => toBytes(path.endsWith("main.cf") ? main : master),
    // Since 3.11 it says "amnesiac" for the service.
    { processName: "postconf", serviceName: "" },
  );
}

/** What spawnd refuses, in words that postconf has for it, too. */
function refusalsOf({ main, master }: Configuration): string[] {
  return [
    ...main.problems.filter(({ level }) => level === "error")
      .map(({ text }) => text),
    ...master.problems.map(inWordsOfPostconf)
      .filter((text) => text !== undefined),
  ];
}

/** What is wrong with the values of the files, in whatever scope. */
function* badValuesOf(
  configuration: Configuration,
): Generator<Problem, undefined> {
  const { main, master, scope } = configuration;
  const scopes = master.entries.map((entry) => configuration.scopeOf(entry));
  const overrides = master.entries.flatMap(({ options }) =>
    options.flatMap((option) =>
      option.kind === "flags" ? [] : option.setting ?? []
    )
  );
  for (const { value } of [...main.settings.values(), ...overrides]) {
    for (const each of [scope, ...scopes]) {
      const expansion = each.expand(value);
      if (!expansion.ok) yield expansion.problem;
    }
  }
}

/** Whether postconf has nothing to end at, and is not known to differ. */
function isGood(asked: Asked): boolean {
  const configuration = read(asked);
  return refusalsOf(configuration).length === 0 &&
    configuration.master.problems.length === 0 &&
    badValuesOf(configuration).next().done === true;
}

/** What spawnd and postconf make of a configuration. */
class Comparison {
  readonly #files: Files;
  /** Which one it is; `undefined` for several, asked about in every form. */
  readonly #index: number | undefined;
  readonly #asked: Asked;
  readonly #names: readonly string[];
  readonly #configuration: Configuration;

  constructor(files: Files, asked: Asked, index?: number) {
    this.#files = files;
    this.#index = index;
    this.#asked = asked;
    this.#names = [
      ...asked.ends.flatMap((end) => USER_NAMES.map((name) => name + end)),
      ...SHARED_NAMES,
    ];
    files.write("main.cf", asked.main);
    files.write("master.cf", asked.master);
    this.#configuration = read(asked);
  }

  /** Whether postconf got to its end. */
  async run(): Promise<boolean> {
    try {
      await this.#compare();
      return true;
    } catch (error) {
      if (error instanceof Early) return false;
      throw error;
    }
  }

  async #compare(): Promise<void> {
    const refusals = refusalsOf(this.#configuration);
    if (refusals.length > 0) return await this.#compareRefusal(refusals);
    const scope = this.#probeScope();
    const good: string[] = [];
    let bad: { value: string; problem: Problem } | undefined;
    for (const name of this.#names) {
      const value = `$${name}`;
      const expansion = scope.expand(new PlacedText(value));
      if (expansion.ok) good.push(value);
      else bad ??= { value, problem: expansion.problem };
    }
    this.#probe(good);
    await this.#compareBytes(good, scope);
    for (const form of this.#formsToAsk) await form();
    const isAsked = this.#index === undefined ||
      this.#index % REFUSALS_EVERY === 0;
    if (bad !== undefined && isAsked) {
      this.#probe([bad.value]);
      await this.#compareBad(bad.problem);
    }
  }

  get #formsToAsk(): readonly (() => Promise<void>)[] {
    const index = this.#index;
    if (index === undefined) return this.#forms;
    if (index % FORMS_EVERY !== 0) return [];
    const form = this.#forms[index / FORMS_EVERY % this.#forms.length];
    return form === undefined ? [] : [form];
  }

  readonly #forms = [
    () => this.#compareExpanded(),
    () => this.#compareWritten(),
    () => this.#compareMaster(["-M"], (value) => value.text),
    () => this.#compareOverrides(["-P"], (value) => value.text),
    () => this.#compareExpandedOverrides(),
  ];

  /** Adds services to master.cf that ask for values. */
  #probe(values: readonly string[]): void {
    const all = this.#names.map((name) => `$${name}`).join("");
    this.#files.write(
      "master.cf",
      // What is not expanded is still looked at: so all names are known.
      `${this.#asked.master}${probe("yy", [`\${zz?${all}}`])}\n${
        probe("zz", values)
      }`,
    );
  }

  /** What a service named as the probe sees. */
  #probeScope(): Scope {
    return this.#configuration.scopeOf(probeEntry([]));
  }

  async #compareRefusal(refusals: readonly string[]): Promise<void> {
    const { code, stderr } = await this.#postconf("-M");
    this.#check(code === 1, `postconf takes what spawnd refuses: ${refusals}`);
    const [, fatal] = /fatal: (.*)$/ms.exec(stderr) ?? [];
    this.#check(
      refusals.some((text) => printable(fatal ?? "").includes(printable(text))),
      `postconf says: ${fatal}\nspawnd says: ${refusals}`,
    );
  }

  /**
   * Every value that the probe asks for, to the byte, and every line before
   * it, unless there is something on one of them that postconf ends at.
   */
  async #compareBytes(values: readonly string[], scope: Scope): Promise<void> {
    const { main, master } = this.#configuration;
    const isAll = !this.#isDifferent() && this.#overridesAreGood();
    const form = isAll ? [] : ["zz/unix"];
    const { code, signal, stdout, stderr } = await this.#postconf(
      "-Mx",
      ...form,
    );
    this.#check(code === 0, `postconf ends with ${code} ${signal}: ${stderr}`);
    const lines = (isAll ? master.entries : []).map((entry) => {
      const own = this.#configuration.scopeOf(entry);
      return masterLine(entry, (value) => expanded(own, value));
    });
    lines.push(
      masterLine(probeEntry(values), (value) => expanded(scope, value)),
    );
    this.#sameLines(stdout, lines);
    const overriding = main.problems.map(({ text }) => text)
      .filter((text) => /^(?:overriding|logical line)/.test(text));
    const warned = stderr.matchAll(
      /main\.cf(?:, line \d+)?: ((?:overriding|logical line) .*)$/gm,
    );
    this.#same(
      [...warned].map(([, text = ""]) => printable(text)).join("\n"),
      overriding.map(printable).join("\n"),
    );
  }

  #overridesAreGood(): boolean {
    return this.#configuration.master.entries.every((entry) => {
      const scope = this.#configuration.scopeOf(entry);
      return entry.options.every((option) =>
        option.kind === "flags" || option.setting === undefined ||
        scope.expand(option.setting.value).ok
      );
    });
  }

  async #compareBad({ text }: Problem): Promise<void> {
    const { code, stderr } = await this.#postconf("-Mx", "zz/unix");
    this.#check(code === 1, `postconf takes what spawnd refuses: ${text}`);
    this.#check(
      printable(stderr).includes(printable(text)),
      `postconf says: ${stderr}\nspawnd says: ${text}`,
    );
  }

  /** `postconf -x`: what the daemon as a whole sees, without overrides. */
  async #compareExpanded(): Promise<void> {
    const { scope } = this.#configuration;
    const expected: string[] = [];
    const names: string[] = [];
    for (const name of this.#names) {
      const expansion = scope.expanded(name);
      if (expansion === undefined || !expansion.ok) continue;
      names.push(name);
      expected.push(normalized(`${name} = ${expansion.text}`));
    }
    const { stdout } = await this.#postconf("-x", ...names);
    this.#sameLines(stdout, expected);
  }

  /** `postconf -n`: what main.cf sets. */
  async #compareWritten(): Promise<void> {
    const { scope } = this.#configuration;
    const expected = this.#names.flatMap((name) => {
      const setting = scope.setting(name);
      if (setting === undefined) return [];
      return [normalized(`${name} = ${setting.value.text}`)];
    });
    const { stdout } = await this.#postconf("-n", ...this.#names);
    this.#sameLines(stdout, expected);
  }

  async #compareMaster(
    form: readonly string[],
    write: (value: PlacedText, entry: MasterEntry) => string,
  ): Promise<void> {
    const { master } = this.#configuration;
    if (this.#isDifferent()) return;
    const { stdout, stderr } = await this.#postconf(...form);
    const expected = master.entries
      .map((entry) => masterLine(entry, (value) => write(value, entry)));
    this.#check(!/fatal/.test(stderr), stderr);
    this.#sameLines(stdout, expected);
  }

  async #compareOverrides(
    form: readonly string[],
    write: (value: PlacedText, entry: MasterEntry) => string,
  ): Promise<void> {
    if (this.#isDifferent()) return;
    const { stdout, stderr } = await this.#postconf(...form);
    const expected = this.#configuration.master.entries.flatMap((entry) => {
      const values = new Map<string, string>();
      for (const option of entry.options) {
        if (option.kind === "flags") continue;
        const setting = certain(option.setting);
        values.set(setting.name.text, write(setting.value, entry));
      }
      const service = `${entry.name.text}/${entry.type}`;
      return [...values].sort(([a], [b]) => a < b ? -1 : 1)
        .map(([name, value]) => normalized(`${service}/${name} = ${value}`));
    });
    this.#check(!/fatal/.test(stderr), stderr);
    this.#sameLines(stdout, expected);
  }

  async #compareExpandedOverrides(): Promise<void> {
    if (!this.#overridesAreGood()) return;
    await this.#compareOverrides(
      ["-Px"],
      (value, entry) => expanded(this.#configuration.scopeOf(entry), value),
    );
  }

  #isDifferent(): boolean {
    const { problems } = this.#configuration.master;
    const { badOverride, badBraces } = DIFFERENCES;
    return [badOverride, badBraces]
      .some((difference) => has(problems, difference));
  }

  async #postconf(...args: string[]): Promise<Ended> {
    const ended = await postconf("-c", this.#files.folder, ...args);
    const { signal, stderr } = ended;
    const isCrash = signal === "SIGSEGV";
    if (!isCrash && !DIFFERENCES.early.message.test(stderr)) return ended;
    const known = isCrash
      ? has([...badValuesOf(this.#configuration)], DIFFERENCES.crash)
      : [...badValuesOf(this.#configuration)].some(({ text }) =>
        printable(stderr).includes(printable(text))
      );
    if (known) throw new Early();
    return ended;
  }

  #sameLines(actual: string, expected: readonly string[]): void {
    const lines = actual.split("\n").slice(0, -1)
      .filter((line) => !/^(?:yy {3}|yy\/|zz\/)/.test(line));
    const hasProbe = expected.some((line) => /^zz {3}/.test(line));
    this.#same(
      lines.filter((line) => hasProbe || !/^zz {3}/.test(line)).join("\n"),
      expected.join("\n"),
    );
  }

  #same(postconf: string, spawnd: string): void {
    if (postconf === spawnd) return;
    this.#check(
      false,
      `postconf: ${quote(postconf)}\nspawnd: ${quote(spawnd)}`,
    );
  }

  #check(isSo: boolean, what: string): void {
    if (isSo) return;
    const { main, master } = this.#asked;
    throw new Error(
      `${what}\n` +
        `main.cf: ${quote(main)}\nmaster.cf: ${quote(master)}`,
    );
  }
}

function expanded(scope: Scope, value: PlacedText): string {
  const expansion = scope.expand(value);
  if (!expansion.ok) throw new Error(expansion.problem.text);
  return expansion.text;
}

function quote(text: string): string {
  return JSON.stringify(text).replaceAll("\\n", "\\n\n  ");
}

function postfixTest(name: string, fn: () => Promise<void>): void {
  const ignore = !isInstalled() && Deno.env.get("CI") === undefined;
  Deno.test({ name, ignore, fn });
}

postfixTest(
  "every default of Postfix's parameters is postconf's, to the byte",
  async () => {
    using files = new Files();
    files.write("main.cf", "");
    files.write("master.cf", "x unix - n n - - spawn");
    const postfix = [...PARAMETERS, timeLimitParameter("x")].filter((
      { origin, ...rest },
    ) => origin === "Postfix" && !("readOnly" in rest))
      .filter(({ name }) => !OF_THE_MACHINE.includes(name));
    const { stdout } = await postconf(
      "-c",
      files.folder,
      "-d",
      ...postfix.map(({ name }) => name),
    );
    assertEquals(
      stdout.split("\n"),
      [...postfix.map((each) => `${each.name} = ${each.default}`.trim()), ""],
    );
  },
);

/** Whether postconf got to its end; fails where the two differ. */
async function compare(asked: Asked, index?: number): Promise<boolean> {
  using files = new Files();
  return await new Comparison(files, asked, index).run();
}

/** Compares some at once, until enough differ. */
class Comparisons {
  /** Which ones differ. */
  readonly different: number[] = [];
  /** How many postconf did not get to the end of. */
  early = 0;
  readonly #all: readonly RandomConfiguration[];

  constructor(all: readonly RandomConfiguration[]) {
    this.#all = all;
  }

  async run(): Promise<void> {
    const groups = this.#groups();
    const work = async (): Promise<void> => {
      while (this.different.length < 5) {
        const group = groups.shift();
        if (group === undefined) return;
        await this.#compare(group);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /** By their numbers. */
  #groups(): number[][] {
    const numbers = [...this.#all.keys()];
    const { good = [], bad = [] } = Object.groupBy(
      numbers,
      (number) => isGood(alone(this.#at(number))) ? "good" : "bad",
    );
    const groups = bad.map((number) => [number]);
    for (let from = 0; from < good.length; from += TOGETHER) {
      groups.push(good.slice(from, from + TOGETHER));
    }
    return groups;
  }

  async #compare(group: readonly number[]): Promise<void> {
    const [first = 0, ...others] = group;
    try {
      const isThrough = others.length === 0
        ? await compare(alone(this.#at(first)), first)
        : await compare(together(group.map((each) => this.#at(each))));
      if (isThrough) return;
      if (others.length === 0) this.early++;
      else await this.#compareEach(group);
    } catch (error) {
      if (others.length === 0) this.different.push(first);
      else await this.#find(group, error);
    }
  }

  async #compareEach(group: readonly number[]): Promise<void> {
    for (const each of group) await this.#compare([each]);
  }

  /** Finds which of several differs. */
  async #find(group: readonly number[], error: unknown): Promise<void> {
    const before = this.different.length;
    await this.#compareEach(group);
    if (this.different.length === before) throw error;
  }

  #at(number: number): RandomConfiguration {
    return this.#all[number] ?? { main: "", master: "" };
  }
}

/** What is left of a configuration that differs when it is as small as can be. */
async function smallest(number: number): Promise<string> {
  let last = "";
  const property = fc.asyncProperty(RANDOM_CONFIGURATION, async (random) => {
    try {
      await compare(alone(random), 0);
    } catch (error) {
      last = reasonOf(error);
      throw error;
    }
  });
  const { numShrinks } = await fc.check(property, {
    seed: SEED,
    path: `${number}`,
    interruptAfterTimeLimit: SHRINK_MS,
  });
  return `configuration ${number}, after ${numShrinks} steps: ${last}`;
}

postfixTest(
  `${CONFIGURATIONS} configurations at random, from seed ${SEED}, mean to spawnd what they mean to postconf`,
  async () => {
    const comparisons = new Comparisons(
      fc.sample(RANDOM_CONFIGURATION, { numRuns: CONFIGURATIONS, seed: SEED }),
    );
    await comparisons.run();
    const { different: [one], early } = comparisons;
    if (one !== undefined) throw new Error(await smallest(one));
    assert(early <= 5 + CONFIGURATIONS / 10, `postconf ended early: ${early}`);
  },
);
