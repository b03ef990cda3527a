/**
 * The functions that Postfix has in values since 3.11: a domain as DNS has it,
 * and as people read it.
 *
 * @module
 */

import { domainToASCII, domainToUnicode } from "node:url";
import { fromText, toText } from "./bytes.ts";
import { ExpansionError } from "./expression.ts";
import type { PlacedText } from "./logical_lines.ts";
import type { NamedFunction } from "./reference.ts";

/** What each makes of a text; empty for what is no domain. */
const FUNCTIONS: Readonly<Record<NamedFunction, (text: string) => string>> = {
  domain_to_ascii: (text) => isAscii(text) ? text : domainToASCII(text),
  // Of what is no Punycode it would make something, and say nothing.
  domain_to_utf8: (text) =>
    !isAscii(text) ? text : domainToASCII(text) && domainToUnicode(text),
};

/**
 * Calls a function.
 *
 * @param name Which.
 * @param argument Its argument, expanded; a binary string.
 * @param written The argument as it was written.
 * @returns The result, a binary string.
 * @throws {ExpansionError} If the argument is no domain.
 */
export function callFunction(
  name: NamedFunction,
  argument: string,
  written: PlacedText,
): string {
  const text = toText(argument);
  const result = text === "" ? text : FUNCTIONS[name](text);
  if (text !== "" && result === "") {
    throw new ExpansionError(
      `bad domain argument in: '${name}{${argument}}'`,
      written.place,
      "write a domain",
    );
  }
  return fromText(result);
}

function isAscii(text: string): boolean {
  // deno-lint-ignore no-control-regex -- the range is the point
  return /^[\x00-\x7f]*$/.test(text);
}
