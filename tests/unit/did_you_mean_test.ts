import { assert, assertEquals } from "@std/assert";
import { didYouMean, Guesses, nearestWord } from "../../lib/did_you_mean.ts";

Deno.test("Guesses finds the nearest name within two changes", () => {
  const guesses = new Guesses(["max_use", "max_idle", "spawn"]);
  assertEquals(guesses.didYouMean("max_idl"), "did you mean max_idle?");
  assertEquals(guesses.didYouMean("spwan"), "did you mean spawn?");
  assertEquals(guesses.didYouMean("max"), undefined);
  assertEquals(guesses.didYouMean("max_use"), undefined);
});

Deno.test("Guesses gives up where it would take long", () => {
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

const WORDS = ["inet", "unix"];

Deno.test("nearestWord() finds what a slip of the keys has become of", () => {
  assertEquals(nearestWord("inte", WORDS), "inet");
  assertEquals(nearestWord("unx", WORDS), "unix");
  assertEquals(nearestWord("relais", ["direct", "relay"]), "relay");
});

Deno.test("nearestWord() finds a word by how it begins", () => {
  assertEquals(
    nearestWord("export", ["engine", "export-environment"]),
    "export-environment",
  );
});

Deno.test("nearestWord() finds nothing where nothing is near", () => {
  assertEquals(nearestWord("datagram", WORDS), undefined);
  assertEquals(nearestWord("", WORDS), undefined);
});

Deno.test("nearestWord() takes no short word for a slip when most of it is different", () => {
  assertEquals(nearestWord("udp", WORDS), undefined);
  assertEquals(nearestWord("foo", ["run", "--version", "--help"]), undefined);
});

Deno.test("didYouMean() asks for the nearest word", () => {
  assertEquals(didYouMean("inte", WORDS), "did you mean inet?");
  assertEquals(didYouMean("inte", WORDS, "--"), "did you mean --inet?");
  assertEquals(didYouMean("datagram", WORDS), undefined);
  assertEquals(didYouMean("inet", []), undefined);
});
