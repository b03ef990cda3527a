import { assertEquals, assertThrows } from "@std/assert";
import { fill } from "../../../docs/manual/fill.ts";

const SOURCE = `\
# COMMANDS

## spawnd run

Serves one service.

@options run@

# SEE ALSO
`;

Deno.test("fill() puts tables in where they are asked for", () => {
  assertEquals(
    fill(SOURCE, { "options run": ["*--help*", "\tshow this", ""] }),
    SOURCE.replace("@options run@", "*--help*\n\tshow this\n"),
  );
});

Deno.test("fill() refuses a source that has no place for a table", () => {
  assertThrows(
    () => fill(SOURCE, { "options run": [], "options drain": [] }),
    Error,
    "not asked for: @options drain@",
  );
});

Deno.test("fill() refuses a source that asks for a table that there is not", () => {
  assertThrows(
    () => fill(SOURCE, {}),
    Error,
    "there is no table @options run@",
  );
});
