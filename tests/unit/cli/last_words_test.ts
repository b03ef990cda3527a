import { assert, assertEquals, assertMatch } from "@std/assert";
import { tellLast } from "../../../lib/cli/last_words.ts";
import { EMFILE, SystemError } from "../../../lib/posix/errno.ts";
import { EX, Refusal } from "../../../lib/result.ts";

/** What is told of an error, and the exit code. */
function told(error: unknown): { lines: string[]; code: number } {
  const lines: string[] = [];
  const before = console.error;
  console.error = (line: string) => lines.push(line);
  try {
    return { lines, code: tellLast(error) };
  } finally {
    console.error = before;
  }
}

Deno.test("tellLast() tells a refusal as it is", () => {
  const mistake = { text: "no way", mend: "turn", exitCode: EX.CONFIG };
  assertEquals(told(new Refusal(mistake)), {
    lines: ["spawnd: no way (turn)"],
    code: EX.CONFIG,
  });
});

Deno.test("tellLast() tells what the system refused, and what to do about a shortage", () => {
  assertEquals(told(new SystemError("eventfd", 1, "Not permitted")), {
    lines: ["spawnd: eventfd: Not permitted"],
    code: EX.OSERR,
  });
  const { lines, code } = told(new SystemError("eventfd", EMFILE, "Too many"));
  assertMatch(lines.join("\n"), /^spawnd: eventfd: Too many \(let the daemon /);
  assertEquals(code, EX.OSERR);
});

Deno.test("tellLast() tells a bug on one line, with where it is", () => {
  for (const error of [new TypeError("one\ntwo"), "three\nfour", undefined]) {
    const { lines, code } = told(error);
    assertEquals([lines.length, code], [1, EX.SOFTWARE]);
    assert(!lines.join().includes("\n"), lines.join());
    assertMatch(lines.join(), /^spawnd: internal error: .* \(report it, with /);
  }
  const { lines } = told(new TypeError("one\ntwo"));
  assertMatch(lines.join(), /TypeError: one two \(.*last_words_test\.ts:\d+/);
});
