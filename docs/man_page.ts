/**
 * Manual pages in the man(7) macros.
 *
 * In texts, `` `this` `` is to be typed as it is, and `<this>` stands for
 * something else.
 *
 * @module
 */

/** What a page is called by. */
export interface Title {
  readonly name: string;
  readonly section: number;
  /** What it is about, as one phrase. */
  readonly summary: string;
  /** The day of its last change, as YYYY-MM-DD. */
  readonly date: string;
}

/** Longer lines than this are hard to compare. */
const LINE_MAX = 78;

/** Characters that troff would take for something else. */
const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
  '"': "\\(dq",
};

/** A page on the way. Its parts are added from the top down. */
export class ManPage {
  readonly #lines: string[];
  /** Whether the next paragraph follows another. */
  #continues = false;

  constructor({ name, section, summary, date }: Title) {
    this.#lines = [
      '.\\" Made by "deno task docs"; do not edit.',
      `.TH ${name.toUpperCase()} ${section} ${date} spawnd`,
      ".SH NAME",
      `${escaped(name)} \\- ${escaped(summary)}`,
    ];
  }

  /** The page, as man(1) reads it. */
  get text(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  /** Begins a section. */
  section(name: string): this {
    return this.#heading(`.SH ${name}`);
  }

  /** Begins a part of a section. */
  part(name: string): this {
    return this.#heading(`.SS ${escaped(name)}`);
  }

  /** Adds a paragraph. */
  paragraph(text: string): this {
    if (this.#continues) this.#lines.push(".PP");
    return this.#add(lines(text));
  }

  /** Adds a term and what is to be said of it. */
  item(term: string, ...texts: readonly string[]): this {
    const [first = "", ...more] = texts;
    this.#lines.push(".TP", marked(term), ...lines(first));
    for (const text of more) this.#lines.push(".IP", ...lines(text));
    this.#continues = true;
    return this;
  }

  /** Adds lines that stay as they are. */
  example(...verbatim: readonly string[]): this {
    const shown = verbatim.map((line) => guarded(escaped(line)));
    return this.#add([".PP", ".RS 4", ".nf", ...shown, ".fi", ".RE"]);
  }

  /** Adds the call of a program: one with bold and with italic words. */
  call(text: string): this {
    return this.#add([...this.#continues ? [".br"] : [], marked(text)]);
  }

  #heading(line: string): this {
    this.#lines.push(line);
    this.#continues = false;
    return this;
  }

  #add(added: readonly string[]): this {
    const [first, ...rest] = added;
    // A heading begins a paragraph itself.
    const isTwice = first === ".PP" && !this.#continues;
    this.#lines.push(
      ...isTwice || first === undefined ? rest : [first, ...rest],
    );
    this.#continues = true;
    return this;
  }
}

/** A sentence begins a line, as mandoc(1) wants it. */
function lines(text: string): string[] {
  return text.split(/(?<=[.:]) (?=[A-Z`<])/).flatMap((sentence) => {
    const wrapped: string[] = [];
    let line = "";
    for (const word of marked(sentence).split(" ")) {
      if (line !== "" && line.length + 1 + word.length > LINE_MAX) {
        wrapped.push(line);
        line = "";
      }
      line += line === "" ? guarded(word) : ` ${word}`;
    }
    return [...wrapped, line];
  });
}

function marked(text: string): string {
  return text.split(/(`[^`]+`|<[A-Z:[\].]+>)/).map((piece, index) => {
    if (index % 2 === 0) return escaped(piece);
    const inner = escaped(piece.slice(1, -1));
    return `\\f${piece.startsWith("`") ? "B" : "I"}${inner}\\fR`;
  }).join("");
}

function escaped(text: string): string {
  return text.replaceAll(
    /[\\\-'`^~"]/g,
    (character) => ESCAPES[character] ?? character,
  );
}

/** A dot at the start of a line would make it a request. */
function guarded(line: string): string {
  return line.startsWith(".") ? `\\&${line}` : line;
}
