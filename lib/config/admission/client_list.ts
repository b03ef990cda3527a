/**
 * Lists of clients in the syntax of Postfix's `mynetworks`: addresses and
 * networks between commas and white space, `!` before what is excluded,
 * `/FILE` for a file with more of them, and `cidr:FILE` for a table. The first
 * one that matches counts; whoever matches none is not in the list.
 *
 * @module
 */

import { splitWords } from "../braces.ts";
import { PlacedText } from "../logical_lines.ts";
import type { Parsed } from "../values.ts";
import { ALLOWED, type ClientRule, DENIED } from "./client_rules.ts";
import { parseNetwork } from "./networks.ts";

/** What is between two items. */
const SEPARATORS = ", \t\r\n";

/** A table's type, which no address begins with. */
const TABLE_TYPE = /^([a-z_]*[g-z_][a-z_]*):(.*)$/is;

/** An item of a list: a rule, or a file with more of them. */
export type ClientListItem =
  | { readonly kind: "rule"; readonly rule: ClientRule }
  | { readonly kind: "table"; readonly path: string }
  | {
    readonly kind: "list";
    readonly path: string;
    /** Whether what is in it is excluded, and the other way round. */
    readonly negates: boolean;
  };

/**
 * Reads a list. No file is looked at.
 *
 * @param binary The list, a binary string.
 * @param negates Whether what is in it is excluded, and the other way round.
 * @returns Its items; or what is wrong with the first one that is.
 *
 * @example
 * ```ts
 * parseClientList("!192.0.2.1, 192.0.2.0/24 [2001:db8::]/32");
 * ```
 */
export function parseClientList(
  binary: string,
  negates = false,
): Parsed<readonly ClientListItem[]> {
  const items: ClientListItem[] = [];
  for (const { text: word } of splitWords(new PlacedText(binary), SEPARATORS)) {
    const [, negations = "", text = ""] = /^(!*)(.*)$/s.exec(word) ?? [];
    const isExcluded = (negations.length % 2 === 1) !== negates;
    const item = parseItem(text, isExcluded);
    if (!item.ok) return item;
    items.push(item.value);
  }
  return { ok: true, value: items };
}

function parseItem(text: string, isExcluded: boolean): Parsed<ClientListItem> {
  if (text.startsWith("/")) {
    const value = { kind: "list", path: text, negates: isExcluded } as const;
    return { ok: true, value };
  }
  const [, type, path = ""] = TABLE_TYPE.exec(text) ?? [];
  if (type !== undefined) return parseTable({ type, path, isExcluded });
  const read = parseNetwork(text);
  if (read.ok) {
    const verdict = isExcluded ? DENIED : ALLOWED;
    const rule = { ranges: [read.value], verdict };
    return { ok: true, value: { kind: "rule", rule } };
  }
  const isName = /[g-z]/i.test(text) && !text.includes(":");
  return isName
    ? {
      ...read,
      mend: "names are not looked up: write addresses and networks",
    }
    : read;
}

function parseTable(
  { type, path, isExcluded }: {
    readonly type: string;
    readonly path: string;
    readonly isExcluded: boolean;
  },
): Parsed<ClientListItem> {
  if (type !== "cidr") {
    const wrong = `no table of the type ${type} is looked up`;
    return { ok: false, wrong, mend: "write cidr:FILE" };
  }
  if (isExcluded) {
    const wrong = `! before a table: cidr:${path}`;
    return { ok: false, wrong, mend: "write deny in the table" };
  }
  if (!path.startsWith("/")) {
    const wrong = `no absolute path: cidr:${path}`;
    return { ok: false, wrong, mend: "write cidr:/PATH" };
  }
  return { ok: true, value: { kind: "table", path } };
}
