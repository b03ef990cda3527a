/**
 * Making a manual page by scdoc(1).
 *
 * @module
 */

import { wrapped } from "./markup.ts";

/** Above this line scdoc names its own version. */
const BEGIN = '.\\" Begin generated content:\n';

/** Characters that troff shows as others, which cannot be pasted. */
const ESCAPES: Readonly<Record<string, string>> = {
  "-": "\\-",
  "^": "\\(ha",
  "~": "\\(ti",
};

/**
 * Makes a page.
 *
 * @param text The page in scdoc(5)'s markup. Its first line is
 * `; changed YYYY-MM-DD`, the day that the page has at its foot.
 * @returns The page, as man(1) reads it.
 * @throws {Error} If scdoc is missing, or refuses the text.
 */
export async function manualPage(text: string): Promise<string> {
  const [line = "", day] = /^; changed (\d{4}-\d\d-\d\d)\n/.exec(text) ?? [];
  if (day === undefined) throw new Error("the page does not say its day");
  const { code, stdout, stderr } = await scdoc(text.slice(line.length), day);
  if (code !== 0) throw new Error(`scdoc: ${stderr.trim()}`);
  const at = stdout.indexOf(BEGIN);
  if (at < 0) throw new Error("scdoc's page begins in another way");
  return '.\\" Made by "deno task docs"; do not edit.\n' +
    tidied(stdout.slice(at + BEGIN.length));
}

async function scdoc(
  text: string,
  day: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = startScdoc(day);
  const [{ code, stdout, stderr }] = await Promise.all([
    child.output(),
    // What it refuses it does not read to the end; its exit code tells.
    new Blob([text]).stream().pipeTo(child.stdin).catch(() => undefined),
  ]);
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

function startScdoc(day: string): Deno.ChildProcess {
  try {
    return new Deno.Command("scdoc", {
      clearEnv: true,
      env: { SOURCE_DATE_EPOCH: `${Date.parse(day) / 1000}`, TZ: "UTC" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error("scdoc is missing: install the package scdoc");
  }
}

/** An indented text below a line of its own; none of scdoc's examples. */
const ITEM = /(?:^\.P\n)?^([^.\n].*\n)\.RS 4\n((?:(?!\.R[SE]\b).*\n)+)\.RE\n/gm;

/**
 * Has items be what man(7) knows as such, and mends what mandoc(1) complains
 * about: paragraphs without a text, and long lines; and what man(1) would
 * hyphenate, names of parameters among it. Some versions of scdoc escape what
 * others do not.
 */
function tidied(page: string): string {
  return refilled(
    page
      .replaceAll(ITEM, (_, term: string, text: string) => {
        const paragraphs = text.split(/^\.P\n/m).filter((one) => one !== "");
        return `.TP\n${term}${paragraphs.join(".IP\n")}.P\n`;
      })
      .replaceAll(/^(?:\.P\n)+(?=\.(?:S[HS]|TP|P)\b)/gm, "")
      .replace(/(?:\.P\n)+$/, "")
      .replaceAll(/^(\.S[HS] .*\n)\.P\n/gm, "$1")
      .replace(
        /^\.TH .*\n/,
        (title) => `${title.replaceAll("\\-", "-")}.nh\n.ad l\n`,
      )
      .replaceAll(
        /^(?:\.S[HS] |(?!\.[A-Za-z])).+/gm,
        (line) =>
          line.replaceAll(/(?<!\\)[-^~]/g, (one) => ESCAPES[one] ?? one),
      ),
  );
}

/** Breaks lines anew, but terms and what is shown as it is. */
function refilled(page: string): string {
  const lines: string[] = [];
  let text: string[] = [];
  let isVerbatim = false;
  for (const line of page.trimEnd().split("\n")) {
    const isRequest = /^\.[A-Za-z]/.test(line);
    if (!isRequest && !isVerbatim && lines.at(-1) !== ".TP") {
      text.push(line);
      continue;
    }
    lines.push(...broken(text), line);
    text = [];
    if (line === ".nf" || line === ".fi") isVerbatim = line === ".nf";
  }
  return [...lines, ...broken(text), ""].join("\n");
}

/** A line that begins with a dot would be a request. */
function broken(text: readonly string[]): string[] {
  if (text.length === 0) return [];
  return wrapped(text.join(" "))
    .map((line) => /^[.']/.test(line) ? `\\&${line}` : line);
}
