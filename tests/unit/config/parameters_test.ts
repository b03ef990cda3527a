import { assert, assertEquals } from "@std/assert";
import {
  findParameter,
  type Parameter,
  PARAMETERS,
  timeLimitParameter,
} from "../../../lib/config/parameters.ts";
import { load } from "./configuration.ts";

const ALL: readonly Parameter[] = [...PARAMETERS, timeLimitParameter("x")];

Deno.test("the table is in the order of names, and has each once", () => {
  const names = PARAMETERS.map(({ name }) => name);
  assertEquals(names, [...new Set(names)].sort());
});

Deno.test("every parameter says in whole sentences what it is for", () => {
  for (const { name, meaning } of ALL) {
    assert(/^[A-Z].*\.$/.test(meaning), `${name}: ${meaning}`);
  }
});

Deno.test("every default is a good value", () => {
  const { scope, problems } = load({});
  assertEquals(problems, []);
  for (const { name } of PARAMETERS) {
    scope.check(name, (problem) => assertEquals(problem, undefined));
  }
});

Deno.test("findParameter() finds by the whole name only", () => {
  assertEquals(findParameter("max_use")?.type, "integer");
  assertEquals(findParameter("max_us"), undefined);
  assertEquals(findParameter("toString"), undefined);
});
