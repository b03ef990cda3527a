import { assertEquals } from "@std/assert";
import {
  PlacedText,
  readLogicalLines,
} from "../../../lib/config/logical_lines.ts";
import type { Problem } from "../../../lib/config/problems.ts";
import { binary, told } from "./configuration.ts";

/** A file's logical lines, and what is odd about it. */
function read(text: string): { lines: PlacedText[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const lines = [
    ...readLogicalLines("f", text, (problem) => problems.push(problem)),
  ];
  return { lines, problems };
}

function lines(text: string): string[] {
  return read(text).lines.map((line) => line.text);
}

Deno.test("readLogicalLines() joins a line that starts with white space to the last", () => {
  assertEquals(lines("a\n b\n\tc\nd\n"), ["a b\tc", "d"]);
});

Deno.test("readLogicalLines() passes over comments and blank lines, also in between", () => {
  assertEquals(
    lines("# x\n\na\n# x\n  # x\n\n \t\n b\n#x\nc # no comment\n"),
    ["a b", "c # no comment"],
  );
});

Deno.test("readLogicalLines() takes a vertical tab and a form feed for white space", () => {
  assertEquals(lines("a\n\vb\n\fc\n\v\f\nd"), ["a\vb\fc", "d"]);
});

Deno.test("readLogicalLines() keeps carriage returns, but takes one alone for blank", () => {
  assertEquals(lines("a\r\n b\r\n\r\nc\r\n"), ["a\r b\r", "c\r"]);
});

Deno.test("readLogicalLines() needs no newline at the end", () => {
  assertEquals(lines("a\n b"), ["a b"]);
  assertEquals(lines(""), []);
  assertEquals(lines("# only a comment"), []);
});

Deno.test("readLogicalLines() ignores text that continues nothing, and says so", () => {
  const { lines, problems } = read(
    "# x\n  lost, and rather long for a quote\n too\na\n",
  );
  assertEquals(lines.map(({ text }) => text), ["a"]);
  assertEquals(told(problems), [
    'f:2:1: warning: logical line must not start with whitespace: "  lost, ' +
    'and rather long for a ..." (it is ignored: move it to the start of the line)',
  ]);
});

Deno.test("readLogicalLines() ends a logical line at a NUL byte, and says so", () => {
  const { lines, problems } = read("a\n b\0c\n d\ne\n");
  assertEquals(lines.map(({ text }) => text), ["a b", "e"]);
  assertEquals(told(problems), [
    "f:2:3: warning: NUL byte: the rest of the logical line is ignored " +
    "(remove it)",
  ]);
});

Deno.test("a part of a logical line knows the line that it was written on", () => {
  const [line = new PlacedText("")] = read(
    "\nname = one\n# x\n  two\n   three\n",
  ).lines;
  const at = line.text.indexOf("two");
  assertEquals(line.slice(at, at + 3).place, {
    file: "f",
    line: 4,
    column: 3,
    length: 3,
  });
  assertEquals(line.place, { file: "f", line: 2, column: 1, length: 10 });
});

Deno.test("a part that goes over the end of a line is placed on its first", () => {
  const [line = new PlacedText("")] = read("one\n two\n").lines;
  assertEquals(line.slice(1).place?.length, 2);
});

Deno.test("columns and lengths are in characters, not in bytes", () => {
  const [line = new PlacedText("")] = read(
    binary("é = 😀 été\n"),
  ).lines;
  const at = line.text.indexOf(binary("été"));
  assertEquals(line.slice(at).place, {
    file: "f",
    line: 1,
    column: 7,
    length: 3,
  });
});

Deno.test("trim() takes white space off both ends, and keeps the place", () => {
  const [line = new PlacedText("")] = read("= \t\v\fx y \r\n")
    .lines;
  const value = line.slice(1).trim();
  assertEquals(value.text, "x y");
  assertEquals(value.place?.column, 6);
  assertEquals(new PlacedText(" \t").trim().text, "");
});

Deno.test("a byte order mark is told, and is not part of the first word", () => {
  const { lines, problems } = read("\xef\xbb\xbfa\n");
  assertEquals(lines.map(({ text }) => text), ["a"]);
  assertEquals(told(problems), [
    "f:1:1: error: the file begins with a byte order mark " +
    "(save it as UTF-8 without one)",
  ]);
  assertEquals(read("a\n\xef\xbb\xbfb\n").problems, []);
});

Deno.test("a line of very many pieces is quick to be placed in", () => {
  const [line = new PlacedText("")] =
    read(`a\n${" b\n".repeat(200_000)}`).lines;
  assertEquals(line.slice(line.text.length - 1).place?.line, 200_001);
  assertEquals(line.slice(1).place?.line, 2);
});
