/**
 * The files that a list of clients names, read: what comes of it are rules
 * alone.
 *
 * @module
 */

import { toBinary } from "../bytes.ts";
import { readLogicalLines } from "../logical_lines.ts";
import { type Place, problemAt, type Report } from "../problems.ts";
import { RefusedFile, whyUnread } from "../refused_file.ts";
import { readCidrTable } from "./cidr_table.ts";
import { type ClientListItem, parseClientList } from "./client_list.ts";
import type { ClientRule } from "./client_rules.ts";

/** What reading needs. */
export interface ClientFilesOptions {
  /** The parameter whose list it is. */
  readonly name: string;
  /** Where the list stands. */
  readonly place: Place;
  /** How files are read; what it throws is told as the file's problem. */
  readonly readFile: (path: string) => Uint8Array;
  readonly report: Report;
}

/**
 * Reads the files of a list.
 *
 * @param items The list.
 * @param options What reading needs.
 * @returns All rules in their order, as far as they are right.
 */
export function readClientFiles(
  items: readonly ClientListItem[],
  options: ClientFilesOptions,
): ClientRule[] {
  const read = new Set<string>();
  return items.flatMap((item) => rulesOf(item, { ...options, read }));
}

/** With the files that were read already. */
interface NamedOptions extends ClientFilesOptions {
  readonly read: Set<string>;
}

function rulesOf(item: ClientListItem, options: NamedOptions): ClientRule[] {
  switch (item.kind) {
    case "rule":
      return [item.rule];
    case "table": {
      const binary = contents(item.path, options);
      return binary === undefined
        ? []
        : readCidrTable(item.path, binary, options.report);
    }
    case "list":
      return rulesInFile(item, options);
  }
}

function rulesInFile(
  { path, negates }: ClientListItem & { kind: "list" },
  options: NamedOptions,
): ClientRule[] {
  const { report, read } = options;
  // Whatever it matches was matched before; and it may name itself.
  const key = `${negates} ${path}`;
  if (read.has(key)) return [];
  read.add(key);
  const binary = contents(path, options);
  const rules: ClientRule[] = [];
  for (const line of readLogicalLines(path, binary ?? "", report)) {
    const place = line.placeIn(path);
    const list = parseClientList(line.text, negates);
    if (!list.ok) {
      const { wrong: text, mend } = list;
      report(problemAt(place, { text, mend }));
      // A file that is something else entirely is not told line by line.
      return rules;
    }
    for (const item of list.value) {
      for (const rule of rulesOf(item, { ...options, place })) rules.push(rule);
    }
  }
  return rules;
}

function contents(
  path: string,
  { name, place, readFile, report }: NamedOptions,
): string | undefined {
  try {
    return toBinary(readFile(path));
  } catch (error) {
    const text = `${name}: open ${path}: ${whyUnread(error)}`;
    const mend = error instanceof RefusedFile
      ? error.mend
      : "make it, or correct its name";
    report(problemAt(place, { text, mend }));
    return undefined;
  }
}
