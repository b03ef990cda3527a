import { assertEquals } from "@std/assert";
import { EX, formatMistake } from "../../lib/result.ts";

Deno.test("formatMistake() puts the place before the text and the mend behind it", () => {
  const text = "no such thing";
  assertEquals(formatMistake({ text, exitCode: EX.USAGE }), "no such thing");
  assertEquals(
    formatMistake({ text, place: "--owner", exitCode: EX.USAGE }),
    "--owner: no such thing",
  );
  assertEquals(
    formatMistake({
      text,
      place: "main.cf:3",
      mend: "make one",
      exitCode: EX.USAGE,
    }),
    "main.cf:3: no such thing (make one)",
  );
});
