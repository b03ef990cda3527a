/**
 * Prints what was translated: parameters of main.cf and entries of master.cf,
 * as one text that says where each part goes.
 *
 * What must not be served as it stands is printed as well, as a comment, so
 * that nobody has to write it from nothing.
 *
 * @module
 */

import { fromText, toText } from "../../config/bytes.ts";
import { findParameter } from "../../config/parameters.ts";
import { printable } from "../../log/printable.ts";
import type {
  ImportedService,
  Note,
  Tell,
  Translation,
} from "./translation.ts";
import { writeSetting, writeWord } from "./words.ts";

/** Which part is wanted. */
export type Part = "main.cf" | "master.cf";

/** As long as lines get, if their words allow it. */
const LINE_BYTES = 79;

/** What the first field can hold. */
const NAME = /^[^ #{}][^ {}]*$/;

const INDENT = "    ";

/**
 * Prints a translation.
 *
 * @param translation The translation.
 * @param parts Which parts of it.
 * @param tell Where goes what turns out to have no way to be written.
 * @returns The text, a binary string; empty where there is nothing.
 */
export function printTranslation(
  translation: Translation,
  parts: readonly Part[],
  tell: Tell,
): string {
  const main = mainLines(translation);
  const entries = translation.services.map((service) =>
    entryLines(service, tell)
  );
  const master = [
    ...translation.remarks.map(remarkLine),
    ...entries.flat(),
  ];
  return [
    ...parts.includes("main.cf") && main.length > 0
      ? ["# main.cf", ...main, ""]
      : [],
    ...parts.includes("master.cf") && master.length > 0
      ? ["# master.cf", ...master, ""]
      : [],
  ].join("\n");
}

function mainLines({ importedNames }: Translation): string[] {
  if (importedNames.size === 0) return [];
  const parameter = "import_environment";
  const known = findParameter(parameter)?.default ?? "";
  return [`${parameter} = ${[known, ...importedNames].join(" ")}`];
}

function remarkLine({ place, text }: Note): string {
  return comment(`${place}: ${text}`);
}

function comment(text: string): string {
  return `# ${fromText(printable(toText(text)))}`;
}

function entryLines(service: ImportedService, tell: Tell): string[] {
  const { place, title, type, name, maxProcesses, isVerbose } = service;
  const words = [
    ...isVerbose ? ["-v"] : [],
    ...[...service.parameters].map(([parameter, value]) => {
      const setting = writeSetting(parameter, value);
      return setting === undefined ? undefined : `-o ${setting}`;
    }),
    `user=${service.user}`,
    ...service.argv.map((word, at) =>
      writeWord(at === 0 ? `argv=${word}` : word)
    ),
  ];
  const written = words.filter((word) => word !== undefined);
  const isWritten = written.length === words.length && NAME.test(name) &&
    writeWord(name) === name;
  if (!isWritten) {
    tell(
      place,
      `${title}: master.cf has no way to write control characters, blanks at ` +
        "the ends of a word, or braces without their other one",
      "let a script of your own be the command",
    );
  }
  const isHeld = service.isHeld || !isWritten;
  const lines = [
    `${name} ${type} n n n - ${maxProcesses ?? "-"} spawnd`,
    ...wrapped(written),
  ];
  const head = isHeld
    ? `${place}: ${title}: to be mended before it is served`
    : `${place}: ${title}`;
  return [comment(head), ...isHeld ? lines.map(commentedOut) : lines];
}

/** A held service has in it whatever was written there. */
function commentedOut(line: string): string {
  return `#${fromText(printable(toText(line)))}`;
}

/** Words in lines that continue an entry. */
function wrapped(words: readonly string[]): string[] {
  const lines: string[] = [];
  let line = INDENT;
  for (const word of words) {
    if (line !== INDENT && line.length + 1 + word.length > LINE_BYTES) {
      lines.push(line);
      line = INDENT;
    }
    line += line === INDENT ? word : ` ${word}`;
  }
  lines.push(line);
  return lines;
}
