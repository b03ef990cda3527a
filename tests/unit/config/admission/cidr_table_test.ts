import { assertEquals } from "@std/assert";
import {
  ClientVerdicts,
  compileClientTable,
} from "../../../../lib/admission/client_table.ts";
import { readCidrTable } from "../../../../lib/config/admission/cidr_table.ts";
import {
  formatProblem,
  type Problem,
} from "../../../../lib/config/problems.ts";
import { parseIpAddress } from "../../../../lib/posix/ip_address.ts";

/** What a table says of an address: `allow` with variables, `deny` or nothing. */
function lookups(table: string): (address: string) => string {
  const problems: Problem[] = [];
  const rules = readCidrTable("t", table, (problem) => problems.push(problem));
  assertEquals(problems, []);
  const verdicts = new ClientVerdicts(compileClientTable(rules));
  return (text) => {
    const address = parseIpAddress(text);
    const verdict = address && verdicts.find(address);
    if (verdict === undefined) return "";
    return [verdict.isAllowed ? "allow" : "deny", ...verdict.variables]
      .join(" ");
  };
}

function wrong(table: string): string[] {
  const problems: Problem[] = [];
  readCidrTable("t", table, (problem) => problems.push(problem));
  return problems.map(formatProblem);
}

Deno.test("readCidrTable() has the first rule count that matches", () => {
  const look = lookups(
    "10.1.0.0/16 deny\n10.0.0.0/8\tALLOW\n10.1.2.3 allow\n2001:db8::/32 allow\n",
  );
  assertEquals(look("10.1.2.3"), "deny");
  assertEquals(look("10.2.0.0"), "allow");
  assertEquals(look("11.0.0.0"), "");
  assertEquals(look("2001:db8::1"), "allow");
  assertEquals(look("2001:db9::1"), "");
});

Deno.test("readCidrTable() gives variables to the command", () => {
  const look = lookups(
    "10.0.0.1 allow WHO=us { TEXT = a b }\n 10.0.0.2=x\n10.0.0.3   allow  \n",
  );
  assertEquals(look("10.0.0.1"), "allow WHO=us TEXT=a b 10.0.0.2=x");
  assertEquals(look("10.0.0.3"), "allow");
});

Deno.test("readCidrTable() takes ! for all others of the same kind of address", () => {
  const look = lookups("!10.0.0.0/8 deny\n! ! 10.0.0.0/9 allow\n");
  assertEquals(look("11.0.0.1"), "deny");
  assertEquals(look("::1"), "");
  assertEquals(look("10.1.0.0"), "allow");
  assertEquals(look("10.128.0.0"), "");
});

Deno.test("readCidrTable() looks into a block only for what it is opened for", () => {
  const look = lookups(
    [
      "IF 10.0.0.0/8",
      "if !10.1.0.0/16",
      "10.2.0.0/16 deny",
      "11.0.0.0/8 deny",
      "!10.3.0.0/16 allow A=1",
      "endif",
      "10.1.0.0/24 allow A=2",
      "ENDIF",
      "0.0.0.0/0 allow A=3",
      "::/0 allow A=4",
    ].join("\n"),
  );
  assertEquals(look("10.2.0.1"), "deny");
  assertEquals(look("10.4.0.1"), "allow A=1");
  assertEquals(look("10.1.0.1"), "allow A=2");
  assertEquals(look("10.1.1.1"), "allow A=3");
  assertEquals(look("10.3.0.1"), "allow A=3");
  assertEquals(look("11.0.0.1"), "allow A=3");
  assertEquals(look("::1"), "allow A=4");
});

Deno.test("readCidrTable() says where it is wrong and how to mend it", () => {
  const rows = {
    "10.0.0.1/8 allow":
      "t:1:1: error: not the first address of its network: 10.0.0.1/8 (write 10.0.0.0/8)",
    "10.0.0.1":
      "t:1:1: error: no result: 10.0.0.1 (write allow, allow NAME=value, or deny)",
    "10.0.0.1 REJECT":
      "t:1:10: error: unknown result: REJECT (write allow, allow NAME=value, or deny)",
    "10.0.0.1 deny A=1":
      "t:1:10: error: deny takes nothing behind it (write allow, allow NAME=value, or deny)",
    "10.0.0.1 allow TZ":
      "t:1:16: error: a variable without a value: TZ (write allow, allow NAME=value, or deny)",
    "10.0.0.1 allow A=1 PATH=/":
      "t:1:16: error: PATH cannot be set (leave it out: it is always /usr/bin:/bin)",
    "if 10.0.0.1\n10.0.0.1 allow":
      "t:1:1: error: IF has no matching ENDIF (write ENDIF behind it)",
    "10.0.0.1 allow\nendif": "t:2:1: error: ENDIF without IF (leave it out)",
    "if 10.0.0.0/8\nendif x":
      "t:2:7: error: garbage after ENDIF (leave it out)",
    "if 10.0.0.0/8 x\nendif":
      "t:1:4: error: bad network length: 10.0.0.0/8 x (write a number from 0 to 32 after the slash)",
    "localhost allow":
      "t:1:1: error: bad network: localhost (write 192.0.2.1, 192.0.2.0/24 or [2001:db8::]/32)",
  };
  for (const [table, expected] of Object.entries(rows)) {
    assertEquals(wrong(table), [expected], table);
  }
});

Deno.test("readCidrTable() gives a hopeless table up", () => {
  assertEquals(wrong("x\n".repeat(2_000)).length, 2 * 500 + 1);
});
