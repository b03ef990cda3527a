import { assertEquals } from "@std/assert";
import {
  ClientVerdicts,
  compileClientTable,
} from "../../../lib/admission/client_table.ts";
import {
  ALLOWED,
  type ClientRule,
  DENIED,
} from "../../../lib/config/admission/client_rules.ts";
import {
  compareIpAddresses,
  type IpAddress,
  lastOf,
  networkOf,
} from "../../../lib/posix/ip_address.ts";
import { Random } from "../config/random_configuration.ts";

/** A word, of few values so that networks come to be in each other. */
function randomWord(random: Random): number {
  const octet = (): number => random.of([0, 1, 127, 128, 255]);
  return Array.from({ length: 4 }, octet)
    .reduce((word, each) => word * 256 + each, 0);
}

function randomAddress(random: Random, words: number): IpAddress {
  return Array.from({ length: words }, () => randomWord(random));
}

function randomRule(random: Random): ClientRule {
  const words = random.of([1, 4]);
  const length = random.below(32 * words + 1);
  const address = randomAddress(random, words);
  const range = {
    first: networkOf(address, length),
    last: lastOf(address, length),
  };
  const verdict = random.of([
    ALLOWED,
    DENIED,
    { isAllowed: true, variables: ["A=1"] },
  ]);
  return { ranges: [range], verdict };
}

/** What rules say of an address, one after the other. */
function firstMatch(
  rules: readonly ClientRule[],
  address: IpAddress,
): unknown {
  return rules.find(({ ranges }) =>
    ranges.some(({ first, last }) =>
      first.length === address.length &&
      compareIpAddresses(first, address) <= 0 &&
      compareIpAddresses(address, last) <= 0
    )
  )?.verdict;
}

Deno.test("a table says of every address what its first matching rule says", () => {
  const random = new Random(7);
  for (let round = 0; round < 100; round++) {
    const rules = Array.from(
      { length: random.below(30) },
      () => randomRule(random),
    );
    // As a reload hands it on.
    const table = JSON.parse(JSON.stringify(compileClientTable(rules)));
    const verdicts = new ClientVerdicts(table);
    const ends = rules.flatMap(({ ranges: [range] }) =>
      range === undefined ? [] : [range.first, range.last]
    );
    const others = Array.from(
      { length: 100 },
      () => randomAddress(random, random.of([1, 4])),
    );
    for (const address of [...ends, ...others]) {
      assertEquals(verdicts.find(address), firstMatch(rules, address));
    }
  }
});

Deno.test("an empty table says nothing of anybody", () => {
  const verdicts = new ClientVerdicts(compileClientTable([]));
  assertEquals(verdicts.find([0]), undefined);
  assertEquals(verdicts.find([0xffffffff]), undefined);
  assertEquals(verdicts.find([0, 0, 0, 0]), undefined);
});

Deno.test("10,000 networks are as many ranges, and no more", () => {
  const rules: ClientRule[] = Array.from({ length: 10_000 }, (_, index) => {
    const first = [index * 2 ** 18];
    return { ranges: [{ first, last: lastOf(first, 24) }], verdict: ALLOWED };
  });
  // Each network, and what is behind it.
  const table = compileClientTable(rules);
  assertEquals(table.inet4.starts.length, 20_000);
  assertEquals(table.verdicts, [ALLOWED]);
  const verdicts = new ClientVerdicts(table);
  assertEquals(verdicts.find([9_999 * 2 ** 18 + 255]), ALLOWED);
  assertEquals(verdicts.find([9_999 * 2 ** 18 + 256]), undefined);
});
