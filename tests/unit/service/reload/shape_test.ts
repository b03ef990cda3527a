import { assertEquals, assertThrows } from "@std/assert";
import { Shape } from "../../../../lib/service/reload/shape.ts";

function shape(value: unknown): Shape {
  return new Shape({ value }, "handed").field("value");
}

Deno.test("Shape gives values of the kind that is asked for", () => {
  assertEquals(shape("x").text(), "x");
  assertEquals(shape(1.5).number(), 1.5);
  assertEquals(shape(7).count(), 7);
  assertEquals(shape(false).flag(), false);
  assertEquals(shape("18446744073709551615").long(), 2n ** 64n - 1n);
  assertEquals(shape(["a", "b"]).list().map((each) => each.text()), ["a", "b"]);
  assertEquals(shape(null).optional((each) => each.text()), undefined);
  assertEquals(shape("").optional((each) => each.text()), "");
});

Deno.test("Shape refuses all others, with their place", () => {
  const refused: [unknown, (shape: Shape) => unknown, string][] = [
    [1, (each) => each.text(), "a text"],
    ["1", (each) => each.number(), "a number"],
    [-1, (each) => each.count(), "a count"],
    [1.5, (each) => each.count(), "a count"],
    [2 ** 53, (each) => each.count(), "a count"],
    ["", (each) => each.long(), "a number"],
    ["-1", (each) => each.long(), "a number"],
    [0, (each) => each.flag(), "true or false"],
    [{ length: 0 }, (each) => each.list(), "a list"],
    [[], (each) => each.object(), "an object"],
    [null, (each) => each.object(), "an object"],
  ];
  for (const [value, read, wanted] of refused) {
    assertThrows(
      () => read(shape(value)),
      TypeError,
      `handed.value is not ${wanted}`,
    );
  }
  assertThrows(
    () => shape([1, "x"]).list().map((each) => each.count()),
    TypeError,
    "handed.value[1] is not a number",
  );
});
