/**
 * Text to logical lines, as main.cf and master.cf have them: a line that
 * starts with white space continues the last one, and comments and blank lines
 * count for nothing, also in between.
 *
 * A logical line is made of pieces of several lines. Every part of it keeps
 * the way back, so that a slip deep inside a continuation is pointed at where
 * it was written and not where the line began.
 *
 * @module
 */

import { Brackets } from "./brackets.ts";
import { toText } from "./bytes.ts";
import {
  type Place,
  type Problem,
  problemAt,
  type Report,
  wholeFile,
} from "./problems.ts";

/** What counts as white space at the start of a line and around a value. */
const SPACE = /[ \t\n\v\f\r]/;
const STARTS_WITH_SPACE = /^[ \t\n\v\f\r]/;
const BLANK_OR_COMMENT = /^[ \t\n\v\f\r]*(?:#|$)/;

/** What some editors put before UTF-8. */
const BYTE_ORDER_MARK = "\xef\xbb\xbf";

/** How much of a line is quoted at most, in bytes. */
const QUOTE_BYTES = 30;

/** One line of the file within a logical one. */
interface Piece {
  /** Where it begins in the logical line. */
  readonly start: number;
  /** Its number in the file. */
  readonly line: number;
  readonly text: string;
}

/** The pieces of a logical line. */
interface Origin {
  readonly file: string;
  readonly pieces: readonly [Piece, ...Piece[]];
}

/** What all parts of a logical line share. */
interface Whole {
  /** Where it was read; what stands in no file, as a default does, has none. */
  readonly origin: Origin | undefined;
  readonly brackets: Brackets;
}

/** A part of a logical line: a binary string that knows where it was read. */
export class PlacedText {
  /** A binary string. */
  readonly text: string;
  readonly #whole: Whole;
  readonly #offset: number;

  /**
   * @param text A binary string.
   * @param whole What it is a part of, if it is.
   * @param offset Where it begins there.
   */
  constructor(text: string, whole?: Whole, offset = 0) {
    this.text = text;
    this.#whole = whole ??
      { origin: undefined, brackets: new Brackets(text) };
    this.#offset = offset;
  }

  /**
   * Makes a text that stands in no file, but somewhere that has a name.
   *
   * @param text A binary string.
   * @param name The name, by which an option is told, say.
   * @returns It.
   */
  static within(text: string, name: string): PlacedText {
    const pieces: Origin["pieces"] = [{ start: 0, line: 0, text }];
    const brackets = new Brackets(text);
    return new PlacedText(text, { origin: { file: name, pieces }, brackets });
  }

  /** A part of it. */
  slice(start: number, end?: number): PlacedText {
    const text = this.text.slice(start, end);
    return new PlacedText(text, this.#whole, this.#offset + start);
  }

  /**
   * Finds the end of what is in brackets.
   *
   * @param at Where the bracket is opened.
   * @returns Past the one that closes it, or -1.
   */
  closing(at: number): number {
    const end = this.#whole.brackets.end(this.#offset + at) - this.#offset;
    return end > at && end <= this.text.length ? end : -1;
  }

  /** It without white space at both ends. */
  trim(): PlacedText {
    let start = 0;
    let end = this.text.length;
    while (start < end && SPACE.test(this.text.charAt(start))) start++;
    while (end > start && SPACE.test(this.text.charAt(end - 1))) end--;
    return this.slice(start, end);
  }

  /** Where it begins, and how much of it is on that line. */
  placeIn(file: string): Place {
    return this.place ?? wholeFile(file);
  }

  /** The same; none for what stands in no file. */
  get place(): Place | undefined {
    const { origin } = this.#whole;
    if (origin === undefined) return undefined;
    const { file, pieces } = origin;
    const piece = pieceAt(pieces, this.#offset);
    if (piece.line === 0) return wholeFile(file);
    const at = this.#offset - piece.start;
    return {
      file,
      line: piece.line,
      column: characters(piece.text.slice(0, at)) + 1,
      length: characters(piece.text.slice(at, at + this.text.length)),
    };
  }
}

/** The last piece that begins at an offset or before it. */
function pieceAt(pieces: Origin["pieces"], offset: number): Piece {
  let [found, low, high] = [pieces[0], 0, pieces.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const piece = pieces[middle];
    if (piece !== undefined && piece.start <= offset) {
      found = piece;
      low = middle + 1;
    } else high = middle;
  }
  return found;
}

/** Beyond this many bytes nobody counts characters any more. */
const COUNTED_BYTES_MAX = 10_000;

function characters(binary: string): number {
  return binary.length > COUNTED_BYTES_MAX
    ? binary.length
    : [...toText(binary)].length;
}

/**
 * Takes a file apart, line by line as they are asked for.
 *
 * @param file Its name, for places.
 * @param binary What it says, as a binary string.
 * @param report Where goes what is odd about it.
 * @returns Its logical lines.
 */
export function* readLogicalLines(
  file: string,
  binary: string,
  report: Report,
): Generator<PlacedText> {
  let pieces: Piece[] = [];
  let text = "";
  const finish = (): PlacedText | undefined => {
    const [first, ...rest] = pieces;
    if (first === undefined) return undefined;
    const line = new PlacedText(text, {
      origin: { file, pieces: [first, ...rest] },
      brackets: new Brackets(text),
    });
    pieces = [];
    text = "";
    return withoutOddities(line, file, report);
  };
  for (const [number, line] of numberedLines(file, binary, report)) {
    const continues = line === "" || line.startsWith("#") ||
      STARTS_WITH_SPACE.test(line);
    if (!continues) {
      const finished = finish();
      if (finished !== undefined) yield finished;
    }
    if (BLANK_OR_COMMENT.test(line)) continue;
    pieces.push({ start: text.length, line: number, text: line });
    text += line;
  }
  const finished = finish();
  if (finished !== undefined) yield finished;
}

/** The lines of a file, counted from 1. */
function* numberedLines(
  file: string,
  binary: string,
  report: Report,
): Generator<readonly [number, string]> {
  const hasMark = binary.startsWith(BYTE_ORDER_MARK);
  if (hasMark) report(withMark(file));
  let start = hasMark ? BYTE_ORDER_MARK.length : 0;
  for (let number = 1; start <= binary.length; number++) {
    const newline = binary.indexOf("\n", start);
    const end = newline < 0 ? binary.length : newline;
    yield [number, binary.slice(start, end)];
    start = end + 1;
  }
}

/** The line as far as it counts; none of it, if it continues nothing. */
function withoutOddities(
  line: PlacedText,
  file: string,
  report: Report,
): PlacedText | undefined {
  if (STARTS_WITH_SPACE.test(line.text)) {
    report(withoutStart(line, file));
    return undefined;
  }
  const nul = line.text.indexOf("\0");
  if (nul < 0) return line;
  report(withNul(line.slice(nul), file));
  return line.slice(0, nul);
}

/** For Postfix, it belongs to the first word. */
function withMark(file: string): Problem {
  return problemAt({ file, line: 1, column: 1, length: 1 }, {
    text: "the file begins with a byte order mark",
    mend: "save it as UTF-8 without one",
  });
}

/** There is nothing that it could continue; Postfix ignores it, too. */
function withoutStart(line: PlacedText, file: string): Problem {
  const quote = line.text.slice(0, QUOTE_BYTES) +
    (line.text.length > QUOTE_BYTES ? "..." : "");
  return problemAt(line.placeIn(file), {
    level: "warning",
    text: `logical line must not start with whitespace: "${quote}"`,
    mend: "it is ignored: move it to the start of the line",
  });
}

/** For Postfix, a NUL byte ends the whole logical line. */
function withNul(rest: PlacedText, file: string): Problem {
  return problemAt(rest.placeIn(file), {
    level: "warning",
    text: "NUL byte: the rest of the logical line is ignored",
    mend: "remove it",
  });
}
