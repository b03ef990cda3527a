/**
 * The attributes on a service's line: checked by what spawn(8) refuses, each
 * refusal with the word that it is about.
 *
 * @module
 */

import {
  type Accounts,
  type CommandAttributes,
  parseAttributes,
} from "./attributes.ts";
import { isUtf8 } from "../posix/byte_text.ts";
import type { Identity } from "../posix/credentials.ts";
import { toWord } from "./bytes.ts";
import type { Configuration } from "./configuration.ts";
import type { PlacedText } from "./logical_lines.ts";
import type { MasterEntry } from "./master_cf.ts";
import { problemInText, type Report } from "./problems.ts";

/** What checking needs beside the configuration. */
export interface CheckContext {
  readonly accounts: Accounts;
  /** Whose ids the daemon itself has: no command may have them. */
  readonly owner: Identity | undefined;
  /** Whether master(8) may start the services by their lines. */
  readonly isBelowMaster?: boolean;
  /** Whose rights a command has for which none are asked; nobody's if not there. */
  readonly self?: Identity | undefined;
}

/** What checking the attributes of one entry needs. */
export interface AttributeCheck extends CheckContext {
  /** The file of the entry. */
  readonly file: string;
  /** Where that was read: what is in no file stays as it is. */
  readonly origin: Configuration["origin"];
  /** Where the refusal goes. */
  readonly report: Report;
}

/** Attributes that were not refused. */
export interface CheckedAttributes {
  readonly attributes: CommandAttributes;
  /** The `user=` that counts. */
  readonly user: PlacedText;
  /** The `argv=`. */
  readonly command: PlacedText;
}

/** An attribute as text, and where it stands. */
interface Attribute {
  readonly text: string;
  readonly word: PlacedText;
}

/**
 * Checks the attributes of an entry.
 *
 * @param entry The entry.
 * @param check What that needs.
 * @returns The attributes, unless they were refused.
 */
export function checkAttributes(
  entry: MasterEntry,
  { file, origin, report, ...context }: AttributeCheck,
): CheckedAttributes | undefined {
  const { words, command } = entry;
  const [first, ...rest] = words;
  const all = (first?.text === "--" ? rest : words)
    .map((word) => ({ text: toWord(word.text), word }));
  const strange = context.isBelowMaster ? strangeWord(entry) : undefined;
  if (strange !== undefined) {
    report(problemInText(strange.placeIn(file), {
      level: "warning",
      text: `not UTF-8: ${toWord(strange.text)}`,
      mend: "master(8) cannot start spawnd with it: save the file as UTF-8",
    }));
  }
  const texts = all.map(({ text }) => text);
  const ours = beforeCommand(all);
  const users = ours.filter((each) => valueOf("user", each) !== undefined);
  for (const { word, text } of origin === "files" ? users.slice(0, -1) : []) {
    report(problemInText(word.placeIn(file), {
      level: "warning",
      text: `overridden by a later user=: ${text}`,
      mend: "leave it out",
    }));
  }
  const parsed = parseAttributes(texts, context);
  if (!parsed.ok) {
    const { wordIndex = -1 } = parsed.mistake;
    const about = all[wordIndex]?.word ?? command;
    report(problemInText(about.placeIn(file), parsed.mistake));
    return undefined;
  }
  return {
    attributes: parsed.value,
    user: lastOf("user", ours)?.word ?? command,
    command: lastOf("argv", ours)?.word ?? command,
  };
}

/**
 * Finds a word of an entry that master(8) cannot start spawnd with: the runtime
 * reads its arguments as UTF-8 before any of this program runs.
 *
 * @param entry The entry.
 * @returns The word, if there is one.
 */
export function strangeWord(
  { name, options, words }: MasterEntry,
): PlacedText | undefined {
  return [name, ...options.map(({ word }) => word), ...words]
    .find(({ text }) => !isUtf8(toWord(text)));
}

/** The attributes up to `argv=`; the words after it are the command's. */
function beforeCommand(all: readonly Attribute[]): readonly Attribute[] {
  const at = all.findIndex((each) => valueOf("argv", each) !== undefined);
  return at < 0 ? all : all.slice(0, at + 1);
}

function lastOf(
  name: "user" | "argv",
  attributes: readonly Attribute[],
): Attribute | undefined {
  return attributes.findLast((each) => valueOf(name, each) !== undefined);
}

function valueOf(
  name: "user" | "argv",
  { text }: Attribute,
): string | undefined {
  return text.toLowerCase().startsWith(`${name}=`)
    ? text.slice(name.length + 1)
    : undefined;
}
