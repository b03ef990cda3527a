/**
 * What is in the brackets of a reference.
 *
 * ```text
 * body    = subject (nothing | "?" branch | ":" branch | "?" branch ":" branch)
 *         | function "{" value "}"
 * subject = name | "{" value "}" operator "{" value "}"
 * branch  = "{" value "}" | value
 * ```
 *
 * @module
 */

import { ExpansionError } from "./expression.ts";
import type { PlacedText } from "./logical_lines.ts";

/** The operators of a relation. */
export const OPERATORS = ["==", "!=", "<", "<=", ">=", ">"] as const;

/** One of them. */
export type Operator = typeof OPERATORS[number];

/** The functions of a text, which Postfix has since 3.11. */
export const FUNCTIONS = ["domain_to_ascii", "domain_to_utf8"] as const;

/** One of them. */
export type NamedFunction = typeof FUNCTIONS[number];

/** What a reference asks about. */
export type Subject =
  | {
    readonly kind: "name";
    readonly name: PlacedText;
    /** What depends on the subject, operator first. */
    readonly rest: PlacedText;
  }
  | {
    readonly kind: "function";
    readonly name: NamedFunction;
    readonly argument: PlacedText;
    /** Nothing. */
    readonly rest: PlacedText;
  }
  | {
    readonly kind: "relation";
    readonly left: PlacedText;
    readonly operator: Operator;
    /** Whether compatibility levels are compared. */
    readonly isLevel: boolean;
    readonly right: PlacedText;
    readonly rest: PlacedText;
  };

/** The two things that a reference may come to; either may be left out. */
export interface Choice {
  readonly whenTrue: PlacedText | undefined;
  readonly whenFalse: PlacedText | undefined;
}

/** As many bytes of what was not expected as Postfix quotes. */
const QUOTE_BYTES = 20;

/** Postfix's list of the operators, with the quotes as it has them. */
const OPERATORS_LISTED = `"==" or "!="" or "<"" or "<="" or ">="" or ">"`;

const NAME = /^[A-Za-z0-9_]*/;
const OPERATOR = /^([<>!=?+\-*/~&|%]*)([A-Za-z0-9]*)/;

/**
 * Reads what a reference asks about.
 *
 * @param body What is in its brackets, or the bare name.
 * @returns The subject.
 * @throws {ExpansionError} If it is malformed.
 */
export function readSubject(body: PlacedText): Subject {
  const braced = withoutBlanks(body);
  if (braced.text.startsWith("{")) return readRelation(braced);
  const [text = ""] = NAME.exec(braced.text) ?? [];
  const name = braced.slice(0, text.length);
  const afterName = braced.slice(text.length);
  const rest = withoutBlanks(afterName);
  if (/^(?:$|[?:])/.test(rest.text)) return { kind: "name", name, rest };
  const known = FUNCTIONS.find((known) => known === text);
  if (known !== undefined && rest.text.startsWith("{")) {
    const { inner: argument, rest: afterAll } = readGroup(rest);
    if (afterAll.text !== "") throw unexpected(argument, afterAll);
    return { kind: "function", name: known, argument, rest: afterAll };
  }
  // Blanks after a name belong to what is wrong, as Postfix shows it.
  const good = body.text.slice(0, body.text.length - afterName.text.length);
  throw new ExpansionError(
    `attribute name syntax error at: "...${good}>>>${quote(afterName)}"`,
    afterName.place,
    "names are of letters, digits and _",
  );
}

function readRelation(braced: PlacedText): Subject {
  const { inner: left, rest: afterLeft } = readGroup(braced);
  const [all = "", signs = "", suffix = ""] = OPERATOR.exec(afterLeft.text) ??
    [];
  const operator = OPERATORS.find((known) => known === signs);
  if (operator === undefined) {
    throw notThere(OPERATORS_LISTED, `${left.text}}`, afterLeft);
  }
  if (suffix !== "" && suffix !== "level") {
    throw new ExpansionError(
      `bad operator suffix at: "...${signs}>>>${suffix}"`,
      afterLeft.slice(signs.length, all.length).place,
      `the only suffix is "level"`,
    );
  }
  const afterOperator = afterLeft.slice(all.length);
  const second = withoutBlanks(afterOperator);
  if (!second.text.startsWith("{")) {
    const read = `{${left.text}} ${signs}`;
    throw notThere(`"{expression}"`, read, afterOperator);
  }
  const { inner: right, rest } = readGroup(second);
  const isLevel = suffix !== "";
  return { kind: "relation", left, operator, isLevel, right, rest };
}

/**
 * Reads what depends on a subject.
 *
 * @param rest What is behind the subject.
 * @returns The choice, or `undefined` if there is none.
 * @throws {ExpansionError} If it is malformed.
 */
export function readChoice(rest: PlacedText): Choice | undefined {
  if (rest.text === "") return undefined;
  if (rest.text.startsWith(":")) {
    return { whenTrue: undefined, whenFalse: readLastBranch(rest) };
  }
  if (!rest.text.startsWith("?")) throw notThere(`"?" or ":"`, "}", rest);
  const { inner: whenTrue, rest: afterTrue } = readBranch(rest.slice(1));
  if (afterTrue.text === "") return { whenTrue, whenFalse: undefined };
  if (!afterTrue.text.startsWith(":")) {
    throw notThere(`":"`, `${whenTrue.text}}`, afterTrue);
  }
  return { whenTrue, whenFalse: readLastBranch(afterTrue) };
}

function readLastBranch(colon: PlacedText): PlacedText {
  const { inner, rest } = readBranch(colon.slice(1));
  if (rest.text === "") return inner;
  throw unexpected(inner, rest);
}

function unexpected(inner: PlacedText, rest: PlacedText): ExpansionError {
  return new ExpansionError(
    `unexpected input at: "...${inner.text}}>>>${quote(rest)}"`,
    rest.place,
    "nothing may follow the last braces",
  );
}

/** A part, and what is behind it. */
interface Part {
  readonly inner: PlacedText;
  readonly rest: PlacedText;
}

/** Without braces, a branch is all that is left, its blanks and colons too. */
function readBranch(text: PlacedText): Part {
  const braced = withoutBlanks(text);
  return braced.text.startsWith("{")
    ? readGroup(braced)
    : { inner: text, rest: text.slice(text.text.length) };
}

/** What is in braces, and what is behind them and the blanks after. */
function readGroup(braced: PlacedText): Part {
  const end = braced.closing(0);
  if (end < 0) {
    throw new ExpansionError(
      `unbalanced {} in attribute expression: "${braced.text}"`,
      braced.place,
      "close it with }",
    );
  }
  return {
    inner: braced.slice(1, end - 1),
    rest: withoutBlanks(braced.slice(end)),
  };
}

/** Fewer characters are blank here than around a value. */
function withoutBlanks(text: PlacedText): PlacedText {
  return text.slice(text.text.search(/[^ \t\r\n]|$/));
}

function notThere(
  wanted: string,
  read: string,
  found: PlacedText,
): ExpansionError {
  return new ExpansionError(
    `${wanted} expected at: "...${read}>>>${quote(found)}"`,
    found.place,
  );
}

function quote(text: PlacedText): string {
  return text.text.slice(0, QUOTE_BYTES);
}
