import { assertEquals } from "@std/assert";
import { parseQuestion } from "../../../lib/observe/status_record.ts";

Deno.test("parseQuestion() reads what can be asked, and nothing else", () => {
  assertEquals(parseQuestion('{"ask":"status","more":1}'), { ask: "status" });
  assertEquals(parseQuestion('{"ask":"drain","graceMs":5}'), {
    ask: "drain",
    graceMs: 5,
  });
  assertEquals(parseQuestion('{"ask":"kill","what":"25"}'), {
    ask: "kill",
    what: "25",
  });
  for (
    const line of [
      ...["", "status", "null", "[]", '"status"', "{}", '{"ask":"kill"}'],
      ...['{"ask":"drain"}', '{"ask":"drain","graceMs":-1}'],
      ...['{"ask":"drain","graceMs":1e99}', '{"ask":"kill","what":25}'],
      ...['{"ask":"stop"}', '{"ask":["status"]}'],
    ]
  ) {
    assertEquals(parseQuestion(line), undefined, line);
  }
});
