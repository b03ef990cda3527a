/**
 * The command line of `spawnd import`.
 *
 * @module
 */

import { EX, failure, type Result, success } from "../../result.ts";
import {
  nearestWord,
  optionLines,
  type OptionSpec,
  parseOptions,
} from "../options.ts";
import type { Part } from "./print.ts";

/** The formats there are. */
export const IMPORT_FORMATS = [
  "xinetd",
  "inetd",
  "systemd",
  "tcprules",
] as const;

/** A format. */
export type ImportFormat = typeof IMPORT_FORMATS[number];

/** The options of `spawnd import`. */
export const IMPORT_OPTIONS: readonly OptionSpec[] = [
  { name: "main", help: "print the parameters alone, for main.cf" },
  { name: "master", help: "print the entries alone, for master.cf" },
  { name: "help", help: "show this" },
];

/** The help of `spawnd import`. */
export const IMPORT_HELP = `\
  spawnd import xinetd /etc/xinetd.conf
  spawnd import --master inetd /etc/inetd.conf >>/etc/spawnd/master.cf
  spawnd import tcprules /etc/tcp.smtp >/etc/spawnd/smtp_clients.cidr

Usage: spawnd import [options] ${IMPORT_FORMATS.join("|")} FILE...
Prints what the files of another super-server come to: parameters of main.cf
and entries of master.cf; of tcprules, a table for spawnd_clients. Standard
error has what could not be translated, with its place and what to do about it.
What would be refused, or let in more clients than before, is printed as a
comment. Of xinetd, FILE may be a directory; of systemd, it is the .socket.

Exit codes: 1 something could not be translated, 78 nothing could; others as
usual.

${optionLines(IMPORT_OPTIONS)}
`;

/** What a command line asks for. */
export interface ImportRequest {
  readonly format: ImportFormat;
  readonly files: readonly string[];
  readonly parts: readonly Part[];
}

/**
 * Reads the command line.
 *
 * @param args The words after `import`.
 * @returns The request, or `"help"` where that was asked for.
 */
export function parseImportRequest(
  args: readonly string[],
): Result<ImportRequest | "help"> {
  const parsed = parseOptions(args, IMPORT_OPTIONS);
  if (!parsed.ok) return parsed;
  const { flags, words: [word, ...files] } = parsed.value;
  if (flags.has("help")) return success("help");
  const format = IMPORT_FORMATS.find((known) => known === word);
  if (format === undefined) {
    const nearest = nearestWord(word ?? "", IMPORT_FORMATS);
    return failure({
      text: word === undefined ? "no format given" : `unknown format: ${word}`,
      mend: nearest === undefined || word === undefined
        ? `it is ${IMPORT_FORMATS.join(", ")}`
        : `did you mean ${nearest}?`,
      exitCode: EX.USAGE,
    });
  }
  if (files.length === 0) {
    return failure({
      text: "no file given",
      mend: `write spawnd import ${format} FILE...`,
      exitCode: EX.USAGE,
    });
  }
  const [main, master] = [flags.has("main"), flags.has("master")];
  const parts = main === master
    ? ["main.cf", "master.cf"] as const
    : [main ? "main.cf" : "master.cf"] as const;
  return success({ format, files, parts });
}
