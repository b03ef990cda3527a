import { assertEquals } from "@std/assert";
import {
  formatProblem,
  inOrder,
  type Place,
  problemAt,
  problemInText,
  wholeFile,
} from "../../../lib/config/problems.ts";

const place = (file: string, line: number, column = 1): Place => ({
  file,
  line,
  column,
  length: 1,
});

Deno.test("formatProblem() puts the place first and the mend last", () => {
  const problem = problemAt(place("main.cf", 3, 7), {
    text: "bad value",
    mend: "write a good one",
  });
  assertEquals(
    formatProblem(problem),
    "main.cf:3:7: error: bad value (write a good one)",
  );
});

Deno.test("formatProblem() leaves out the line of what is about a file as a whole", () => {
  const problem = problemInText(wholeFile("main.cf"), {
    level: "warning",
    text: "odd",
  });
  assertEquals(formatProblem(problem), "main.cf: warning: odd");
});

Deno.test("problemAt() makes text of what was read; problemInText() has it already", () => {
  assertEquals(
    problemAt(place("f", 1), { text: "\xc3\xa9" }).text,
    "é",
  );
  assertEquals(problemInText(place("f", 1), { text: "é" }).text, "é");
});

Deno.test("inOrder() sorts by file, line and column, and tells each problem once", () => {
  const at = (file: string, line: number, column: number) =>
    problemAt(place(file, line, column), { text: "x" });
  assertEquals(
    inOrder([
      at("master.cf", 1, 1),
      at("main.cf", 10, 1),
      at("main.cf", 2, 5),
      at("main.cf", 2, 3),
      at("main.cf", 10, 1),
    ]).map(formatProblem),
    [
      "main.cf:2:3: error: x",
      "main.cf:2:5: error: x",
      "main.cf:10:1: error: x",
      "master.cf:1:1: error: x",
    ],
  );
});
