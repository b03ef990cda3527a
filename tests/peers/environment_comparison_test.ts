/**
 * `export_environment` against the real spawn(8), on lists and variables made
 * at random: what a command gets, to the byte, or that it gets nothing.
 *
 * `SPAWND_SEED` and `SPAWND_CASES` make another or a longer run.
 *
 * @module
 */

import { assert } from "@std/assert";
import { toBinary, toBytes, toWord } from "../../lib/config/bytes.ts";
import { loadConfiguration } from "../../lib/config/load_configuration.ts";
import { commandEnvironment } from "../../lib/engine/environment.ts";
import { bytesOf } from "../../lib/posix/byte_text.ts";
import { peerTest } from "../e2e/load.ts";
import { Folder, output } from "../e2e/machine.ts";
import { balanced } from "../unit/config/random_configuration.ts";
import { Random } from "./random.ts";

const SPAWN = "/usr/lib/postfix/sbin/spawn";
const SEED = Number(Deno.env.get("SPAWND_SEED") ?? 8);
const CASES = Number(Deno.env.get("SPAWND_CASES") ?? 1000);

/** Cases that one shell runs. */
const GROUP = 250;

/** How many at once: spawn(8) sleeps for a second before it ends with an error. */
const AT_ONCE = 32;

const NAMES = ["TZ", "LANG", "A", "B_2", "x", "PATH", "NOT_SET"] as const;

/** Between entries; what looks like white space and is none; and what is read over. */
const GAPS = [" ", ", ", ",", "\t", "\r ", " ,,\t", "\n  "] as const;
const LOOKALIKES = ["\v", "\f", "\x85", "\xa0", "\xc2\xa0", ";"] as const;
const PIECES = [
  "a",
  "b=c",
  "=",
  "==",
  "word",
  "\xc3\xa9",
  "\xe9",
  "\xff\x80",
  "$$",
  "'",
  '"',
  "\\",
  "#",
  "-",
  "",
] as const;

/** A case: what main.cf says, and what spawn(8) is started with. */
interface Case {
  /** A binary string, and so are the values. */
  readonly list: string;
  readonly variables: ReadonlyMap<string, string>;
}

function randomCase(seed: number): Case {
  const random = new Random(seed);
  const variables = new Map(
    NAMES.filter((name) => name !== "NOT_SET" && random.chance(70))
      .map((name) => [name, text(random).replaceAll(/[\n\0]/g, "")]),
  );
  const entries = random.some(random.below(6), () => entry(random));
  return {
    list: random.chance(10)
      ? entries.join(random.of(LOOKALIKES))
      : entries.map((each) => each + random.of(GAPS)).join(""),
    variables,
  };
}

function entry(random: Random): string {
  const name = random.of(NAMES);
  if (random.chance(30)) return name;
  if (random.chance(2)) return random.of(["=x", "{=x}", "{ a b = c }", "}"]);
  if (random.chance(3)) return random.of(["{ }", "{}", `{ ${name} }`, "{a b}"]);
  const value = balanced(text(random));
  return random.of([
    () => `${name}=${value.replaceAll(/[ ,\t\r\n]+/g, "_")}`,
    () => `${name}={${value}}`,
    () => `{ ${name} = ${value} }`,
    () => `{${name}=${value}}`,
    () => `{${blank(random)}${name}${blank(random)}=${value}${blank(random)}}`,
    () => `{ ${name} = ${value} }${random.chance(10) ? "x" : ""}`,
    () => `{ ${name} = ${text(random)}`,
  ])();
}

function text(random: Random): string {
  return random.some(1 + random.below(4), () => {
    if (random.chance(20)) return blank(random);
    if (random.chance(15)) return random.of(["{", "}", "{x y}", "{a, {b}}"]);
    return random.of(PIECES);
  }).join("");
}

function blank(random: Random): string {
  return random.chance(20) ? random.of(LOOKALIKES) : random.of(GAPS);
}

function mainCf({ list }: Case, folder: Folder): string {
  return `queue_directory = ${folder.path}\nmaillog_file =\n` +
    `export_environment = ${list}\n`;
}

/** What a command of spawnd's gets, as env(1) shows it; nothing where refused. */
function ours({ variables }: Case, directory: string): string {
  const { scope, problems } = loadConfiguration(
    directory,
    (path) => Deno.readFileSync(path),
  );
  let isGood = problems.every(({ level }) => level !== "error");
  const entries = scope.value("export_environment", () => {
    isGood = false;
  });
  if (!isGood) return "";
  const words = commandEnvironment(entries ?? [], (name) => {
    const value = variables.get(name);
    return value === undefined ? undefined : toWord(value);
  });
  return words.map((word) => `${toBinary(bytesOf(word))}\0`).join("");
}

/** As a shell reads it, byte by byte. */
function quoted(binary: string): string {
  const octal = [...toBytes(binary)].map((byte) =>
    `\\${byte.toString(8).padStart(3, "0")}`
  );
  return `$'${octal.join("")}'`;
}

/** Runs spawn(8) for some cases at once; what each command got. */
async function theirs(
  folder: Folder,
  cases: readonly Case[],
): Promise<string[]> {
  const lines = cases.map((each, index) => {
    const directory = folder.join(`${index}`);
    const variables = [...each.variables].map(([name, value]) =>
      `${name}=${quoted(value)}`
    );
    return `env -i ${variables.join(" ")} MAIL_CONFIG=${directory} ${SPAWN} ` +
      `-S -n x user=nobody argv=/usr/bin/env -0 0<>${directory}/answer &\n` +
      (index < AT_ONCE ? "" : "wait -n\n");
  });
  await output("bash", await folder.file("run", `${lines.join("")}wait\n`));
  return cases.map((_, index) =>
    toBinary(Deno.readFileSync(folder.join(`${index}/answer`)))
  );
}

/** In any order, in which two environments do not differ. */
function sorted(environment: string): string {
  return environment.split("\0").sort().join("\0");
}

peerTest(
  `${CASES} lists at random, from seed ${SEED}, export what they export by spawn(8)`,
  SPAWN,
  async () => {
    await using folder = await Folder.create();
    for (let index = 0; index < GROUP; index++) {
      await Deno.mkdir(folder.join(`${index}`));
    }
    const failures: string[] = [];
    let exported = 0;
    for (let from = 0; from < CASES && failures.length < 5; from += GROUP) {
      const cases = Array.from(
        { length: Math.min(GROUP, CASES - from) },
        (_, index) => randomCase(SEED * 1_000_003 + from + index),
      );
      for (const [index, each] of cases.entries()) {
        const file = folder.join(`${index}/main.cf`);
        Deno.writeFileSync(file, toBytes(mainCf(each, folder)));
        // Postfix waits for a file that has just changed to change no more.
        Deno.utimeSync(file, 1, 1);
        Deno.writeTextFileSync(folder.join(`${index}/master.cf`), "");
        Deno.writeTextFileSync(folder.join(`${index}/answer`), "");
      }
      const answers = await theirs(folder, cases);
      for (const [index, each] of cases.entries()) {
        const [expected = "", actual] = [
          answers[index],
          ours(each, folder.join(`${index}`)),
        ];
        if (expected !== "") exported++;
        if (sorted(expected) === sorted(actual)) continue;
        failures.push(JSON.stringify({
          seed: from + index,
          list: each.list,
          variables: [...each.variables],
          expected,
          actual,
        }));
      }
    }
    assert(failures.length === 0, failures.join("\n"));
    assert(exported > CASES / 2, `lists that export: ${exported}`);
  },
);
