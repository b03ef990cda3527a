/**
 * What `$name`, `${name?text}` and their kin in a value stand for.
 *
 * A value may name others, which may name others in turn. A slip is pointed at
 * in the value that has it, however many names lead there, and a loop is an
 * error, not a hang.
 *
 * @module
 */

import { compareLevels } from "./compatibility_level.ts";
import { ExpansionError, type Item, items } from "./expression.ts";
import { PlacedText } from "./logical_lines.ts";
import { type Place, type Problem, problemAt } from "./problems.ts";
import {
  type Choice,
  type Operator,
  readChoice,
  readSubject,
} from "./reference.ts";

/** How values are asked for; `undefined` where a name has none. */
export type Lookup = (name: string) => PlacedText | undefined;

/** A value without `$`, or why there is none. */
export type Expansion =
  | { ok: true; text: string }
  | { ok: false; problem: Problem };

/** Postfix's limit; what is compared in a relation begins anew. */
const NESTING_MAX = 100;

/** The same, relations included. Postfix has no such limit, and crashes. */
const DEPTH_MAX = 500;

/** Values that double at each step. Postfix has no limit, and goes on for years. */
const REFERENCES_MAX = 100_000;

/** What a relation that holds stands for. */
const TRUE = new PlacedText("true");

/** The largest number that Postfix compares. */
const NUMBER_MAX = 2n ** 63n - 1n;

const HOLDS: Readonly<Record<Operator, (order: number) => boolean>> = {
  "==": (order) => order === 0,
  "!=": (order) => order !== 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">=": (order) => order >= 0,
  ">": (order) => order > 0,
};

/**
 * Expands a value.
 *
 * @param value The value.
 * @param lookup Where names have their values from.
 * @param place What to point at where the value itself stands in no file.
 * @returns The text, or the first problem.
 *
 * @example
 * ```ts
 * const values = new Map([["name", new PlacedText("$$5")]]);
 * expand(
 *   new PlacedText("${name?{for $name}}"),
 *   (name) => values.get(name),
 *   wholeFile("main.cf"),
 * ); // { ok: true, text: "for $5" }
 * ```
 */
export function expand(
  value: PlacedText,
  lookup: Lookup,
  place: Place,
): Expansion {
  try {
    return { ok: true, text: new Expander(lookup).expand(value) };
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error;
    const { message: text, mend } = error;
    return {
      ok: false,
      problem: problemAt(error.place ?? place, { text, mend }),
    };
  }
}

/**
 * Finds the names that a value mentions, taken or not.
 *
 * @param value The value.
 * @returns The names where they stand, up to the first that is malformed.
 */
export function* mentionedNames(value: PlacedText): Generator<PlacedText> {
  try {
    for (const item of items(value)) {
      if (item.kind === "literal") continue;
      const subject = readSubject(item.body);
      if (subject.kind === "name") yield subject.name;
      else {
        yield* mentionedNames(subject.left);
        yield* mentionedNames(subject.right);
      }
      const { whenTrue, whenFalse } = readChoice(subject.rest) ?? {};
      if (whenTrue !== undefined) yield* mentionedNames(whenTrue);
      if (whenFalse !== undefined) yield* mentionedNames(whenFalse);
    }
  } catch (error) {
    // Expanding the value tells it; without that it does no harm.
    if (!(error instanceof ExpansionError)) throw error;
  }
}

/** One value's expansion: what is on the way, and how far it got. */
class Expander {
  readonly #lookup: Lookup;
  /** The names being expanded, outermost first. */
  readonly #names: string[] = [];
  #nesting = 0;
  #depth = 0;
  #references = 0;

  constructor(lookup: Lookup) {
    this.#lookup = lookup;
  }

  expand(value: PlacedText): string {
    let text = "";
    for (const item of items(value)) {
      this.#refuseTooMuch(item);
      this.#nesting++;
      this.#depth++;
      text += item.kind === "literal" ? item.text : this.#reference(item.body);
      this.#depth--;
      this.#nesting--;
    }
    return text;
  }

  #refuseTooMuch(item: Item): void {
    const [text, { place }] = item.kind === "literal"
      ? [item.text, item.at]
      : [item.body.text, item.body];
    if (this.#nesting > NESTING_MAX || this.#depth > DEPTH_MAX) {
      throw new ExpansionError(
        `unreasonable macro call nesting: "${text}"`,
        place,
        this.#loop() ?? "let fewer names lead to names",
      );
    }
    if (++this.#references > REFERENCES_MAX) {
      throw new ExpansionError(
        `unreasonable number of macro calls: "${text}"`,
        place,
        `one value may take up to ${REFERENCES_MAX}`,
      );
    }
  }

  /** How the innermost name leads back to itself, if it does. */
  #loop(): string | undefined {
    const names = this.#names;
    const before = names.lastIndexOf(names.at(-1) ?? "", names.length - 2);
    if (names.length < 2 || before < 0) return undefined;
    return `it is a loop: ${names.slice(before).join(" -> ")}`;
  }

  #reference(body: PlacedText): string {
    const subject = readSubject(body);
    if (subject.kind === "name") {
      const name = subject.name.text;
      const value = this.#lookup(name);
      const choice = readChoice(subject.rest);
      if (choice !== undefined) {
        return this.#choose(value !== undefined && value.text !== "", choice);
      }
      return value === undefined ? "" : this.#value(name, value);
    }
    const { left, operator, isLevel, right } = subject;
    const order = isLevel
      ? this.#compareLevels(left, right)
      : this.#compare(left, right);
    const isTrue = HOLDS[operator](order);
    const choice = readChoice(subject.rest);
    if (choice !== undefined) return this.#choose(isTrue, choice);
    return isTrue ? this.expand(TRUE) : "";
  }

  #value(name: string, value: PlacedText): string {
    this.#names.push(name);
    const text = this.expand(value);
    this.#names.pop();
    return text;
  }

  #choose(isTrue: boolean, { whenTrue, whenFalse }: Choice): string {
    const branch = isTrue ? whenTrue : whenFalse;
    return branch === undefined ? "" : this.expand(branch);
  }

  #operand(operand: PlacedText): string {
    const nesting = this.#nesting;
    this.#nesting = 0;
    const text = this.expand(operand);
    this.#nesting = nesting;
    return text;
  }

  /** Numbers as numbers, anything else byte by byte. */
  #compare(left: PlacedText, right: PlacedText): number {
    const a = this.#operand(left);
    const b = this.#operand(right);
    return /^\d+$/.test(a) && /^\d+$/.test(b)
      ? order(toNumber(a, left), toNumber(b, right))
      : order(a, b);
  }

  #compareLevels(left: PlacedText, right: PlacedText): number {
    const order = compareLevels(this.#operand(left), this.#operand(right));
    if (typeof order === "number") return order;
    throw new ExpansionError(
      `malformed compatibility level syntax: "${order.malformed}"`,
      left.place,
      "write MAJOR, MAJOR.MINOR or MAJOR.MINOR.PATCH",
    );
  }
}

function order<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function toNumber(digits: string, { place }: PlacedText): bigint {
  const number = BigInt(digits);
  if (number <= NUMBER_MAX) return number;
  throw new ExpansionError(
    `mac_exp_eval: bad conversion: ${digits}`,
    place,
    `numbers end at ${NUMBER_MAX}`,
  );
}
