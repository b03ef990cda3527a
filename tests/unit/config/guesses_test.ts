import { assert, assertEquals } from "@std/assert";
import { Guesses } from "../../../lib/config/guesses.ts";

Deno.test("didYouMean() finds the nearest name within two changes", () => {
  const guesses = new Guesses(["max_use", "max_idle", "spawn"]);
  assertEquals(guesses.didYouMean("max_idl"), "did you mean max_idle?");
  assertEquals(guesses.didYouMean("spwan"), "did you mean spawn?");
  assertEquals(guesses.didYouMean("max"), undefined);
  assertEquals(guesses.didYouMean("max_use"), undefined);
});

Deno.test("didYouMean() gives up where it would take long", () => {
  const guesses = new Guesses(
    Array.from({ length: 5000 }, (_, index) => `name_${index}`),
  );
  const answers = Array.from(
    { length: 1000 },
    () => guesses.didYouMean("name_x"),
  );
  assert(answers[0] !== undefined);
  assertEquals(answers.at(-1), undefined);
});
