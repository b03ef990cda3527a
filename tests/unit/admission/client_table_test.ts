import { assertEquals } from "@std/assert";
import fc from "fast-check";
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

/** A word, of few values so that networks come to be in each other. */
const WORD = fc.array(fc.constantFrom<number[]>(0, 1, 127, 128, 255), {
  minLength: 4,
  maxLength: 4,
}).map((octets) => octets.reduce((word, octet) => word * 256 + octet, 0));

const ADDRESS: fc.Arbitrary<IpAddress> = fc.oneof(
  WORD.map((word) => [word]),
  fc.array(WORD, { minLength: 4, maxLength: 4 }),
);

const RULE: fc.Arbitrary<ClientRule> = fc.record({
  address: ADDRESS,
  length: fc.nat(128),
  verdict: fc.constantFrom(ALLOWED, DENIED, {
    isAllowed: true,
    variables: ["A=1"],
  }),
}).map(({ address, length, verdict }) => ({
  ranges: [{
    first: networkOf(address, length),
    last: lastOf(address, length),
  }],
  verdict,
}));

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
  fc.assert(
    fc.property(
      fc.array(RULE, { maxLength: 30 }),
      fc.array(ADDRESS, { maxLength: 30 }),
      (rules, others) => {
        // As a reload hands it on.
        const table = JSON.parse(JSON.stringify(compileClientTable(rules)));
        const verdicts = new ClientVerdicts(table);
        const ends = rules.flatMap(({ ranges: [range] }) =>
          range === undefined ? [] : [range.first, range.last]
        );
        for (const address of [...ends, ...others]) {
          assertEquals(verdicts.find(address), firstMatch(rules, address));
        }
      },
    ),
  );
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
