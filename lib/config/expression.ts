/**
 * Values apart: literal text, and references to names or relations, which a
 * `$` begins.
 *
 * ```text
 * value = (literal | "$$" | "$" name | "${" body "}" | "$(" body ")")*
 * ```
 *
 * Brackets are only counted here. What is within is read when its turn comes,
 * so that a part that is not needed may be malformed, as in Postfix.
 *
 * @module
 */

import type { PlacedText } from "./logical_lines.ts";
import type { Place } from "./problems.ts";

/** A value that cannot be expanded; never leaves lib/config. */
export class ExpansionError extends Error {
  /**
   * @param message The problem's text, in Postfix's words.
   * @param place Where it is, unless that is in no file.
   * @param mend What to do about it.
   */
  constructor(
    message: string,
    readonly place: Place | undefined,
    readonly mend?: string,
  ) {
    super(message);
  }
}

/** A piece of a value. */
export type Item =
  | { readonly kind: "literal"; readonly text: string; readonly at: PlacedText }
  | { readonly kind: "reference"; readonly body: PlacedText };

const CLOSING: Readonly<Record<string, string>> = { "{": "}", "(": ")" };
const BARE_NAME = /^[A-Za-z0-9_]*/;

/**
 * Takes a value apart.
 *
 * @param value The value.
 * @returns Its pieces, as they are asked for; empty ones are left out.
 * @throws {ExpansionError} At a `$` that begins nothing.
 */
export function* items(value: PlacedText): Generator<Item> {
  const { text } = value;
  let literal = "";
  let literalAt = 0;
  let at = 0;
  while (at < text.length) {
    if (literal === "") literalAt = at;
    const dollar = text.indexOf("$", at);
    const end = dollar < 0 ? text.length : dollar;
    literal += text.slice(at, end);
    if (dollar >= 0 && text.charAt(dollar + 1) === "$") {
      literal += "$";
      at = dollar + 2;
      continue;
    }
    if (literal !== "") {
      const read = value.slice(literalAt, end);
      yield { kind: "literal", text: literal, at: read };
      literal = "";
    }
    if (dollar < 0) return;
    const reference = readReference(value, dollar);
    yield { kind: "reference", body: reference.body };
    at = reference.end;
  }
  if (literal !== "") {
    yield { kind: "literal", text: literal, at: value.slice(literalAt) };
  }
}

/** What is behind one `$`. */
function readReference(
  value: PlacedText,
  dollar: number,
): { body: PlacedText; end: number } {
  const { text } = value;
  const start = dollar + 1;
  const open = text.charAt(start);
  let end: number;
  let body: PlacedText;
  const close = CLOSING[open];
  if (close !== undefined) {
    end = value.closing(start);
    if (end < 0) {
      throw new ExpansionError(
        `truncated macro reference: "${text}"`,
        value.slice(dollar).place,
        `close it with ${close}`,
      );
    }
    body = value.slice(start + 1, end - 1);
  } else {
    const [name = ""] = BARE_NAME.exec(text.slice(start)) ?? [];
    end = start + name.length;
    body = value.slice(start, end);
  }
  if (body.text === "") {
    throw new ExpansionError(
      `empty macro name: "${text}"`,
      value.slice(dollar, end).place,
      "write $$ for a dollar sign",
    );
  }
  return { body, end };
}
