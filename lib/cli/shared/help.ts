/**
 * Help, made from the table of subcommands: examples first, then what is done,
 * the options, and all else that is to be known.
 *
 * @module
 */

import { optionLines } from "./options.ts";
import type { Item, Program, Subcommand } from "./subcommand.ts";
import { itemLines, wrapped } from "./wrapped.ts";

/** The width of a screen. */
const COLUMNS = 80;

/**
 * Makes the help of the program as a whole.
 *
 * @param program The program.
 * @returns The text.
 */
export function mainHelp({ options, subcommands }: Program): string {
  const words = [
    ...subcommands.map(({ name, summary }) => ({ term: name, text: summary })),
    ...options.map(({ name, help }) => ({ term: `--${name}`, text: help })),
  ].map(({ term, text }) => ({ term: `spawnd ${term}`, text }));
  return `\
spawnd runs a command for every connection, as an unprivileged user.

  spawnd run inet 127.0.0.1:7007 user=nobody argv=/bin/cat
  spawnd serve -c /etc/spawnd

Usage:
${itemLines(words)}

"spawnd run --help" tells about types, names and options, and so for the others.
Exit codes: 0 as asked, 64 bad words, 71 refused, 77 not root, 78 bad setting.
`;
}

/**
 * Makes the help of a subcommand.
 *
 * @param which The subcommand.
 * @returns The text.
 */
export function helpOf(
  { name, synopsis, examples, about, options }: Subcommand,
): string {
  const [what = "", ...more] = about;
  const itemCount = more.findIndex((each) => typeof each === "string");
  const items = itemCount < 0 ? more : more.slice(0, itemCount);
  const rest = itemCount < 0 ? [] : more.slice(itemCount);
  const usage = `Usage: spawnd ${name} [options] ${synopsis}`.trimEnd();
  const blocks = [
    examples.map((example) => `  spawnd ${example}`).join("\n"),
    [usage, shown(what), ...items.map(shown)].join("\n"),
    optionLines(options),
    ...rest.map(shown),
  ];
  return `${blocks.join("\n\n")}\n`;
}

/** A text without the marks that the manual has of it. */
function shown(text: string | Item): string {
  if (typeof text !== "string") {
    const { term, text: said } = text;
    return itemLines([{ term: unmarked(term), text: unmarked(said) }]);
  }
  return wrapped(unmarked(text), COLUMNS).join("\n");
}

function unmarked(text: string): string {
  return text.replaceAll(/`([^`]+)`/g, "$1")
    .replaceAll(/<([A-Z:[\].]+)>/g, "$1");
}
