/**
 * Tables of clients in cidr_table(5)'s syntax: `PATTERN RESULT`, `!PATTERN
 * RESULT`, and blocks from `IF` to `ENDIF`. A pattern of one kind of address
 * says nothing about the other kind, also with `!`. A result is `allow`,
 * `deny`, or `allow` with variables for the command.
 *
 * Postfix passes over what is wrong in a table. Here a rule that is passed over
 * would let somebody in or keep somebody out, so that nothing is served.
 *
 * @module
 */

import { parseEnvironmentList } from "../environment_list.ts";
import { type PlacedText, readLogicalLines } from "../logical_lines.ts";
import { Findings, problemAt, type Report } from "../problems.ts";
import {
  ALLOWED,
  type ClientRule,
  type ClientVerdict,
  DENIED,
} from "./client_rules.ts";
import {
  type AddressRange,
  inBoth,
  othersThan,
  parseNetwork,
} from "./networks.ts";

const RESULTS = "write allow, allow NAME=value, or deny";

/** A pattern's negations, and the blanks that may follow each. */
const NEGATIONS = /^(?:![ \t\v\f\r]*)*/;

/** A block that was opened. */
interface Block {
  readonly opened: PlacedText;
  /** The addresses that its rules are about. */
  readonly ranges: readonly AddressRange[];
}

/**
 * Reads a table.
 *
 * @param file Its name, for places.
 * @param binary What it says, as a binary string.
 * @param report Where mistakes go.
 * @returns Its rules, as far as they are right.
 */
export function readCidrTable(
  file: string,
  binary: string,
  report: Report,
): ClientRule[] {
  const findings = new Findings();
  const reader = new TableReader(file, findings.report);
  for (const line of readLogicalLines(file, binary, findings.report)) {
    if (!findings.goesOn(line.placeIn(file))) break;
    reader.read(line);
  }
  reader.end();
  findings.problems.forEach(report);
  return reader.rules;
}

class TableReader {
  readonly rules: ClientRule[] = [];
  readonly #file: string;
  readonly #report: Report;
  readonly #blocks: Block[] = [];

  constructor(file: string, report: Report) {
    this.#file = file;
    this.#report = report;
  }

  read(line: PlacedText): void {
    const trimmed = line.trim();
    const [, word = ""] = /^([a-z]+)(?=[^a-z:]|$)/i.exec(trimmed.text) ?? [];
    switch (word.toLowerCase()) {
      case "if":
        return this.#open(trimmed);
      case "endif":
        return this.#close(trimmed);
      default:
        return this.#rule(trimmed);
    }
  }

  /** A block that is not closed could be meant to end anywhere. */
  end(): void {
    for (const { opened } of this.#blocks) {
      this.#wrong(opened, "IF has no matching ENDIF", "write ENDIF behind it");
    }
  }

  #open(line: PlacedText): void {
    const pattern = line.slice("if".length).trim();
    // What is wrong with it was told; its ENDIF has something to close.
    const ranges = this.#patternRanges(pattern) ?? [];
    const outer = this.#blocks.at(-1);
    this.#blocks.push({
      opened: line,
      ranges: outer === undefined ? ranges : inBoth(outer.ranges, ranges),
    });
  }

  #close(line: PlacedText): void {
    const garbage = line.slice("endif".length).trim();
    if (garbage.text !== "") {
      this.#wrong(garbage, "garbage after ENDIF", "leave it out");
    }
    if (this.#blocks.pop() !== undefined) return;
    this.#wrong(line, "ENDIF without IF", "leave it out");
  }

  #rule(line: PlacedText): void {
    const [negations] = NEGATIONS.exec(line.text) ?? [""];
    const found = line.text.slice(negations.length).search(/[ \t\n\v\f\r]|$/);
    const end = negations.length + found;
    const ranges = this.#patternRanges(line.slice(0, end));
    const verdict = this.#verdict(line.slice(end).trim(), line);
    if (ranges === undefined || verdict === undefined) return;
    const block = this.#blocks.at(-1);
    const counting = block === undefined
      ? ranges
      : inBoth(block.ranges, ranges);
    if (counting.length > 0) this.rules.push({ ranges: counting, verdict });
  }

  #patternRanges(pattern: PlacedText): AddressRange[] | undefined {
    const [negations] = NEGATIONS.exec(pattern.text) ?? [""];
    const count = negations.replaceAll(/[^!]/g, "").length;
    const network = pattern.slice(negations.length);
    const read = parseNetwork(network.text);
    if (!read.ok) {
      this.#wrong(network, read.wrong, read.mend);
      return undefined;
    }
    return count % 2 === 0 ? [read.value] : othersThan(read.value);
  }

  #verdict(result: PlacedText, line: PlacedText): ClientVerdict | undefined {
    const [, word = "", rest = ""] = /^(\S*)(.*)$/s.exec(result.text) ?? [];
    switch (word.toLowerCase()) {
      case "allow":
        return rest.trim() === ""
          ? ALLOWED
          : this.#withVariables(result.slice(word.length).trim());
      case "deny":
        if (rest.trim() === "") return DENIED;
        this.#wrong(result, "deny takes nothing behind it", RESULTS);
        return undefined;
      case "":
        this.#wrong(line, `no result: ${line.text}`, RESULTS);
        return undefined;
      default:
        this.#wrong(result, `unknown result: ${word}`, RESULTS);
        return undefined;
    }
  }

  #withVariables(list: PlacedText): ClientVerdict | undefined {
    const read = parseEnvironmentList(list.text);
    if (!read.ok) {
      this.#wrong(list, read.wrong, RESULTS);
      return undefined;
    }
    const bare = read.entries.find(({ value }) => value === undefined);
    if (bare !== undefined) {
      this.#wrong(list, `a variable without a value: ${bare.name}`, RESULTS);
      return undefined;
    }
    if (read.entries.some(({ name }) => name === "PATH")) {
      const mend = "leave it out: it is always /usr/bin:/bin";
      this.#wrong(list, "PATH cannot be set", mend);
      return undefined;
    }
    return {
      isAllowed: true,
      variables: read.entries.map(({ name, value }) => `${name}=${value}`),
    };
  }

  #wrong(word: PlacedText, text: string, mend: string): void {
    this.#report(problemAt(word.placeIn(this.#file), { text, mend }));
  }
}
