/**
 * The command line that master(8) gives to a daemon of its own: getopt(3)'s
 * rules, then the command attributes.
 *
 * @module
 */

import { withoutBraces } from "../../config/braces.ts";
import { fromText } from "../../config/bytes.ts";
import { PlacedText } from "../../config/logical_lines.ts";
import { type Setting, splitNameValue } from "../../config/main_cf.ts";
import { type Transport, TRANSPORTS } from "../../master/transport.ts";
import { EX, failure, type Result, success } from "../../result.ts";

/** What master(8) asks for. */
export interface MasterRequest {
  /** `undefined` where the service has the program's own name. */
  readonly serviceName: string | undefined;
  readonly transport: Transport;
  /** Settings for this service alone; the last one for a name counts. */
  readonly overrides: ReadonlyMap<string, Setting>;
  /** How many listening sockets there are. */
  readonly sockets: number;
  /** How long it may serve at all; `undefined` for no such limit. */
  readonly retireSeconds: number | undefined;
  /** Whether master.cf takes root's rights away. */
  readonly isUnprivileged: boolean;
  /** Whether commands have the queue directory as their root. */
  readonly isChrooted: boolean;
  readonly verbose: boolean;
  /** Whether a person may have started it, for a debugger say. */
  readonly isDebugged: boolean;
  /** The command attributes. */
  readonly attributes: readonly string[];
}

/** The letters that take a value. */
const WITH_VALUE = "imnorst";
/** Those that take none. */
const ALONE = "cdDlSuvVz";

/** Options that are another way to write a setting. */
const SETTINGS: Readonly<Record<string, string>> = {
  i: "max_idle",
  m: "max_use",
};

/**
 * Tells whether words are for {@linkcode parseMasterRequest}: master(8) begins
 * with a letter behind one dash, and no other command line does.
 *
 * @param words The words after the program.
 * @returns Whether they are.
 */
export function isMasterRequest([first = ""]: readonly string[]): boolean {
  return /^-[^-]/s.test(first);
}

/**
 * Reads the command line.
 *
 * @param words The words after the program.
 * @returns What it asks for, or Postfix's word for what is wrong.
 */
export function parseMasterRequest(
  words: readonly string[],
): Result<MasterRequest> {
  const options = getopt(words);
  if (!options.ok) return options;
  const { letters, values, rest } = options.value;
  const overrides = new Map<string, Setting>();
  for (const [letter, value] of values) {
    const name = SETTINGS[letter];
    if (letter !== "o" && name === undefined) continue;
    const given = letter === "o" ? value : `${name}=${value}`;
    const split = splitNameValue(withoutBraces(binary(given)).inner);
    if (!split.ok) {
      return wrong(`invalid "-o ${given}" option value: ${split.text}`);
    }
    overrides.set(split.setting.name.text, split.setting);
  }
  const last = new Map(values);
  const type = last.get("t");
  const transport = letters.has("S")
    ? "stdin"
    : TRANSPORTS.find((known) => known === type);
  if (transport === undefined) {
    return wrong(
      type === undefined
        ? "no transport type specified"
        : `unsupported transport type: ${type}`,
    );
  }
  const sockets = count(last.get("s") ?? "1");
  if (sockets === undefined) {
    return wrong(`invalid socket_count: ${last.get("s")}`);
  }
  const retire = last.get("r");
  const retireSeconds = retire === undefined ? undefined : count(retire);
  if (retire !== undefined && retireSeconds === undefined) {
    return wrong(`invalid retirement time: ${retire}`);
  }
  return success({
    serviceName: last.get("n"),
    transport,
    overrides,
    sockets,
    retireSeconds,
    isUnprivileged: letters.has("u"),
    isChrooted: letters.has("c"),
    verbose: letters.has("v"),
    isDebugged: letters.has("d"),
    attributes: rest,
  });
}

interface Options {
  readonly letters: ReadonlySet<string>;
  readonly values: readonly (readonly [letter: string, value: string])[];
  readonly rest: readonly string[];
}

/** As getopt(3) with a leading `+`: the first other word ends the options. */
function getopt(words: readonly string[]): Result<Options> {
  const letters = new Set<string>();
  const values: [string, string][] = [];
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--") {
      return success({ letters, values, rest: words.slice(at + 1) });
    }
    if (!/^-./s.test(word)) break;
    for (let place = 1; place < word.length; place++) {
      const letter = word.charAt(place);
      if (WITH_VALUE.includes(letter)) {
        const attached = word.slice(place + 1);
        const value = attached === "" ? words[++at] : attached;
        if (value === undefined) return wrong(`invalid option: ${letter}`);
        values.push([letter, value]);
        break;
      }
      if (!ALONE.includes(letter)) return wrong(`invalid option: ${letter}`);
      letters.add(letter);
    }
  }
  return success({ letters, values, rest: words.slice(at) });
}

function binary(text: string): PlacedText {
  return new PlacedText(fromText(text));
}

/** A positive number as atoi(3) reads it, which leaves what follows alone. */
function count(text: string): number | undefined {
  const [, digits = ""] = /^\s*\+?0*([1-9][0-9]*)/.exec(text) ?? [];
  return /^.{1,9}$/.test(digits) ? Number(digits) : undefined;
}

function wrong(text: string): ReturnType<typeof failure> {
  return failure({ text, exitCode: EX.USAGE });
}
