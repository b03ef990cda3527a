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
import { callFunction } from "./named_functions.ts";
import { isPostfixName, RAW_NAMES } from "./postfix_names.ts";
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

/** What the value of a name came to, and what that took. */
interface Known {
  readonly text: string;
  /** How much deeper than the name itself it went. */
  readonly nesting: number;
  readonly depth: number;
  readonly references: number;
}

/** Names whose values were expanded before. */
export type KnownValues = Map<string, Known>;

/** What a value is expanded with. */
export interface ExpandContext {
  readonly lookup: Lookup;
  /** What to point at where the value itself stands in no file. */
  readonly place: Place;
  /** For contexts with one lookup to share, so that no name takes its time twice. */
  readonly known?: KnownValues;
  /**
   * Whether a name that Postfix defines and nobody has a value for is taken
   * for empty. It is a mistake otherwise.
   */
  readonly isLenient?: boolean;
}

/** Postfix's limit; what is compared in a relation begins anew. */
const NESTING_MAX = 100;

/** The same, relations included. Postfix has no such limit, and crashes. */
const DEPTH_MAX = 500;

/** Values that double at each step. Postfix has no limit, and goes on for years. */
const REFERENCES_MAX = 100_000;

/** The longest value, in bytes; as long as all of a command's arguments. */
const VALUE_BYTES_MAX = 2 ** 20;

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
 * @param context What it is expanded with.
 * @returns The text, or the first problem.
 *
 * @example
 * ```ts
 * const values = new Map([["name", new PlacedText("$$5")]]);
 * expand(new PlacedText("${name?{for $name}}"), {
 *   lookup: (name) => values.get(name),
 *   place: wholeFile("main.cf"),
 * }); // { ok: true, text: "for $5" }
 * ```
 */
export function expand(value: PlacedText, context: ExpandContext): Expansion {
  try {
    return { ok: true, text: new Expander(context).expand(value) };
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error;
    const { message: text, mend } = error;
    return {
      ok: false,
      problem: problemAt(error.place ?? context.place, { text, mend }),
    };
  }
}

/**
 * Finds the names that a value mentions, taken or not.
 *
 * @param value The value.
 * @returns The names where they stand, up to the first that is malformed.
 */
export function mentionedNames(value: PlacedText): PlacedText[] {
  const names: PlacedText[] = [];
  try {
    collectNames(value, names, 0);
  } catch (error) {
    // Expanding the value tells it; without that it does no harm.
    if (!(error instanceof ExpansionError)) throw error;
  }
  return names;
}

function collectNames(
  value: PlacedText | undefined,
  names: PlacedText[],
  depth: number,
): void {
  if (value === undefined || depth > DEPTH_MAX) return;
  for (const item of items(value)) {
    if (item.kind === "literal") continue;
    const subject = readSubject(item.body);
    if (subject.kind === "name") names.push(subject.name);
    else if (subject.kind === "function") {
      collectNames(subject.argument, names, depth + 1);
    } else {
      collectNames(subject.left, names, depth + 1);
      collectNames(subject.right, names, depth + 1);
    }
    const { whenTrue, whenFalse } = readChoice(subject.rest) ?? {};
    collectNames(whenTrue, names, depth + 1);
    collectNames(whenFalse, names, depth + 1);
  }
}

/** One value's expansion: what is on the way, and how far it got. */
class Expander {
  readonly #lookup: Lookup;
  readonly #known: KnownValues;
  readonly #isLenient: boolean;
  /** The names being expanded, outermost first. */
  readonly #names: string[] = [];
  #nesting = 0;
  #depth = 0;
  /** The most that there was of both in the name being expanded. */
  #nestingPeak = 0;
  #depthPeak = 0;
  #references = 0;

  constructor({ lookup, known, isLenient }: ExpandContext) {
    this.#lookup = lookup;
    this.#known = known ?? new Map();
    this.#isLenient = isLenient ?? false;
  }

  expand(value: PlacedText): string {
    let text = "";
    for (const item of items(value)) {
      this.#refuseTooMuch(item);
      this.#nesting++;
      this.#depth++;
      text += item.kind === "literal" ? item.text : this.#reference(item);
      this.#depth--;
      this.#nesting--;
      if (text.length > VALUE_BYTES_MAX) {
        throw new ExpansionError(
          "unreasonable length of a value",
          value.place,
          `it may have up to ${VALUE_BYTES_MAX} bytes`,
        );
      }
    }
    return text;
  }

  #refuseTooMuch(item: Item): void {
    if (this.#nesting > NESTING_MAX || this.#depth > DEPTH_MAX) {
      throw new ExpansionError(
        `unreasonable macro call nesting: "${textOf(item)}"`,
        readAt(item).place,
        this.#loop() ?? "let fewer names lead to names",
      );
    }
    this.#nestingPeak = Math.max(this.#nestingPeak, this.#nesting);
    this.#depthPeak = Math.max(this.#depthPeak, this.#depth);
    this.#count(1, item);
  }

  #count(references: number, item: Item): void {
    this.#references += references;
    if (this.#references <= REFERENCES_MAX) return;
    throw new ExpansionError(
      `unreasonable number of macro calls: "${textOf(item)}"`,
      readAt(item).place,
      `one value may take up to ${REFERENCES_MAX}`,
    );
  }

  /** How the innermost name leads back to itself, if it does. */
  #loop(): string | undefined {
    const names = this.#names;
    const before = names.lastIndexOf(names.at(-1) ?? "", names.length - 2);
    if (names.length < 2 || before < 0) return undefined;
    return `it is a loop: ${names.slice(before).join(" -> ")}`;
  }

  #reference(item: Item & { kind: "reference" }): string {
    const subject = readSubject(item.body);
    if (subject.kind === "name") {
      const value = this.#find(subject.name);
      const choice = readChoice(subject.rest);
      if (choice !== undefined) {
        return this.#choose(value !== undefined && value.text !== "", choice);
      }
      return value === undefined
        ? ""
        : this.#value(subject.name.text, value, item);
    }
    if (subject.kind === "function") {
      const { name, argument } = subject;
      return callFunction(name, this.expand(argument), argument);
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

  #find(name: PlacedText): PlacedText | undefined {
    const value = this.#lookup(name.text);
    if (value !== undefined || this.#isLenient || !isPostfixName(name.text)) {
      return value;
    }
    throw new ExpansionError(
      `no value known for Postfix's parameter ${name.text}`,
      name.place,
      "write its value here, or set it in main.cf",
    );
  }

  #value(name: string, value: PlacedText, item: Item): string {
    if (RAW_NAMES.has(name)) return value.text;
    const known = this.#known.get(name);
    if (known !== undefined && this.#hasRoomFor(known)) {
      this.#count(known.references, item);
      this.#nestingPeak = Math.max(
        this.#nestingPeak,
        this.#nesting + known.nesting,
      );
      this.#depthPeak = Math.max(this.#depthPeak, this.#depth + known.depth);
      return known.text;
    }
    const [nestingPeak, depthPeak] = [this.#nestingPeak, this.#depthPeak];
    const before = this.#references;
    this.#nestingPeak = this.#nesting;
    this.#depthPeak = this.#depth;
    this.#names.push(name);
    const text = this.expand(value);
    this.#names.pop();
    this.#known.set(name, {
      text,
      nesting: this.#nestingPeak - this.#nesting,
      depth: this.#depthPeak - this.#depth,
      references: this.#references - before,
    });
    this.#nestingPeak = Math.max(nestingPeak, this.#nestingPeak);
    this.#depthPeak = Math.max(depthPeak, this.#depthPeak);
    return text;
  }

  /** Else it is gone through again, to where it goes too deep. */
  #hasRoomFor({ nesting, depth }: Known): boolean {
    return this.#nesting + nesting <= NESTING_MAX &&
      this.#depth + depth <= DEPTH_MAX;
  }

  #choose(isTrue: boolean, { whenTrue, whenFalse }: Choice): string {
    const branch = isTrue ? whenTrue : whenFalse;
    return branch === undefined ? "" : this.expand(branch);
  }

  #operand(operand: PlacedText): string {
    const [nesting, nestingPeak] = [this.#nesting, this.#nestingPeak];
    this.#nesting = 0;
    const text = this.expand(operand);
    this.#nesting = nesting;
    this.#nestingPeak = nestingPeak;
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

/** An item as it is told. */
function textOf(item: Item): string {
  return item.kind === "literal" ? item.text : item.body.text;
}

function readAt(item: Item): PlacedText {
  return item.kind === "literal" ? item.at : item.body;
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
