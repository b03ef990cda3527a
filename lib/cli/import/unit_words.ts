/**
 * Words of systemd's settings: quotes and escapes, specifiers, and variables
 * of a command line.
 *
 * @module
 */

import { wordsOf } from "./words.ts";

/** A list of words, or what is wrong with it. */
export type Words =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly wrong: string };

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  s: " ",
  "\\": "\\",
  '"': '"',
  "'": "'",
};

/**
 * Takes a setting apart, as extract-word does with quotes and C's escapes.
 *
 * @param text A binary string.
 * @returns Its words.
 *
 * @example
 * ```ts
 * splitUnitWords(`-a "b c"`); // { ok: true, words: ["-a", "b c"] }
 * ```
 */
export function splitUnitWords(text: string): Words {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "\\") {
      const escape = readEscape(text, at + 1);
      if (escape === undefined) {
        return {
          ok: false,
          wrong: `unknown escape: ${text.slice(at, at + 2)}`,
        };
      }
      word = (word ?? "") + escape.text;
      at = escape.end - 1;
    } else if (quote !== "") {
      if (char === quote) quote = "";
      else word = (word ?? "") + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (/[ \t\n\r]/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (quote !== "") return { ok: false, wrong: `missing ${quote}` };
  if (word !== undefined) words.push(word);
  return { ok: true, words };
}

/** What stands after a backslash, and where it ends. */
function readEscape(
  text: string,
  at: number,
): { text: string; end: number } | undefined {
  const rest = text.slice(at, at + 9);
  const simple = ESCAPES[rest.charAt(0)];
  if (simple !== undefined) return { text: simple, end: at + 1 };
  const [, hex, octal, unicode4, unicode8] =
    /^(?:x([\da-f]{2})|([0-3][0-7]{2})|u([\da-f]{4})|U([\da-f]{8}))/i
      .exec(rest) ?? [];
  const byte = hex === undefined
    ? octal === undefined ? undefined : parseInt(octal, 8)
    : parseInt(hex, 16);
  if (byte !== undefined) {
    return { text: String.fromCharCode(byte), end: at + 3 };
  }
  const digits = unicode4 ?? unicode8;
  const point = digits === undefined ? NaN : parseInt(digits, 16);
  if (digits === undefined || !(point <= 0x10ffff)) return undefined;
  const utf8 = new TextEncoder().encode(String.fromCodePoint(point));
  return { text: String.fromCharCode(...utf8), end: at + 1 + digits.length };
}

/** What specifiers stand for in system units, whatever the machine. */
const FIXED: Readonly<Record<string, string>> = {
  "%": "%",
  C: "/var/cache",
  E: "/etc",
  L: "/var/log",
  S: "/var/lib",
  T: "/tmp",
  U: "0",
  G: "0",
  V: "/var/tmp",
  g: "root",
  h: "/root",
  t: "/run",
  u: "root",
};

/** A text, or the specifier in it that has no meaning here. */
export type Specified =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly specifier: string };

/**
 * Replaces specifiers.
 *
 * @param text A binary string.
 * @param unitName The unit whose setting it is.
 * @returns The text; or the first specifier that each connection, or each
 * machine, has its own value for.
 */
export function withSpecifiers(text: string, unitName: string): Specified {
  const known: Readonly<Record<string, string>> = {
    ...FIXED,
    p: unitName.replace(/@?\.[a-z]+$/, ""),
    N: unitName.replace(/\.[a-z]+$/, ""),
    n: unitName,
  };
  let unknown: string | undefined;
  const replaced = text.replaceAll(/%(.?)/gs, (specifier, letter: string) => {
    const value = known[letter];
    // The name of an instance has the connection in it.
    const isOfInstance = /[nN]/.test(letter) && unitName.includes("@.");
    if (value !== undefined && !isOfInstance) return value;
    unknown ??= specifier;
    return specifier;
  });
  return unknown === undefined
    ? { ok: true, text: replaced }
    : { ok: false, specifier: unknown };
}

/** A command line, or the variable in it that nobody sets. */
export type Expanded =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly name: string };

/**
 * Replaces variables in the arguments of a command: `${NAME}` anywhere, `$NAME`
 * as a word of its own, which is taken apart at blanks; `$$` is a `$`.
 *
 * @param words The arguments.
 * @param variables What is set.
 * @returns The arguments; or the first variable that is not set.
 */
export function withVariables(
  words: readonly string[],
  variables: ReadonlyMap<string, string>,
): Expanded {
  let unknown: string | undefined;
  const valueOf = (name: string): string => {
    const value = variables.get(name);
    if (value === undefined) unknown ??= name;
    return value ?? "";
  };
  const expanded = words.flatMap((word) => {
    const [, whole] = /^\$([A-Za-z_]\w*)$/.exec(word) ?? [];
    if (whole !== undefined) {
      return wordsOf(valueOf(whole));
    }
    return [
      word.replaceAll(
        /\$\$|\$\{([A-Za-z_]\w*)\}/g,
        (_, name?: string) => name === undefined ? "$" : valueOf(name),
      ),
    ];
  });
  return unknown === undefined
    ? { ok: true, words: expanded }
    : { ok: false, name: unknown };
}
