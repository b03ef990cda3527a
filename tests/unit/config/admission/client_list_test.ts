import { assertEquals } from "@std/assert";
import { readClientFiles } from "../../../../lib/config/admission/client_files.ts";
import { parseClientList } from "../../../../lib/config/admission/client_list.ts";
import type { ClientRule } from "../../../../lib/config/admission/client_rules.ts";
import {
  formatProblem,
  type Problem,
} from "../../../../lib/config/problems.ts";
import { formatIpAddress } from "../../../../lib/posix/ip_address.ts";

const PLACE = { file: "main.cf", line: 3, column: 18, length: 9 };

/** What a list with its files comes to: rules as text, and what is wrong. */
function read(
  list: string,
  files: Readonly<Record<string, string>> = {},
): { rules: string[]; wrong: string[] } {
  const problems: Problem[] = [];
  const parsed = parseClientList(list);
  if (!parsed.ok) {
    return { rules: [], wrong: [`${parsed.wrong} (${parsed.mend})`] };
  }
  const rules = readClientFiles(parsed.value, {
    name: "spawnd_clients",
    place: PLACE,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Deno.errors.NotFound(path);
      return new TextEncoder().encode(text);
    },
    report: (problem) => problems.push(problem),
  });
  return { rules: rules.map(shown), wrong: problems.map(formatProblem) };
}

function shown({ ranges: [range], verdict }: ClientRule): string {
  const { isAllowed, variables } = verdict;
  const from = range === undefined ? "" : formatIpAddress(range.first);
  return [isAllowed ? "+" : "-", from, ...variables].join(" ").replace(" ", "");
}

Deno.test("parseClientList() takes mynetworks' items, and ! before those excluded", () => {
  const list =
    "!10.0.0.1, 10.0.0.0/8\t[::1]/128,!!192.0.2.0/24\n  [2001:db8::]";
  assertEquals(read(list), {
    rules: ["-10.0.0.1", "+10.0.0.0", "+::1", "+192.0.2.0", "+2001:db8::"],
    wrong: [],
  });
  assertEquals(read(" , "), { rules: [], wrong: [] });
});

Deno.test("parseClientList() says what is no item of a list", () => {
  const rows = {
    ".example.org":
      "bad network: .example.org (names are not looked up: write addresses and networks)",
    "localhost":
      "bad network: localhost (names are not looked up: write addresses and networks)",
    "hash:/etc/clients":
      "no table of the type hash is looked up (write cidr:FILE)",
    "!cidr:/etc/clients":
      "! before a table: cidr:/etc/clients (write deny in the table)",
    "cidr:clients": "no absolute path: cidr:clients (write cidr:/PATH)",
    "10.0.0.0/8 10/8":
      "bad network: 10/8 (write 192.0.2.1, 192.0.2.0/24 or [2001:db8::]/32)",
  };
  for (const [list, wrong] of Object.entries(rows)) {
    assertEquals(read(list).wrong, [wrong], list);
  }
});

Deno.test("readClientFiles() puts what is in files where they are named", () => {
  const files = {
    "/list": "# ours\n10.0.0.1 !10.0.0.2\n  10.0.0.3,\n\n/more\n",
    "/more": "10.0.0.4",
    "/table": "10.0.0.5 allow WHO=us\n10.0.0.6 deny\n",
  };
  assertEquals(read("192.0.2.1 /list cidr:/table 192.0.2.2", files), {
    rules: [
      "+192.0.2.1",
      "+10.0.0.1",
      "-10.0.0.2",
      "+10.0.0.3",
      "+10.0.0.4",
      "+10.0.0.5 WHO=us",
      "-10.0.0.6",
      "+192.0.2.2",
    ],
    wrong: [],
  });
});

Deno.test("readClientFiles() turns everything round in a file after !", () => {
  const files = { "/list": "10.0.0.1 !10.0.0.2 !/more", "/more": "10.0.0.3" };
  assertEquals(read("!/list", files).rules, [
    "-10.0.0.1",
    "+10.0.0.2",
    "+10.0.0.3",
  ]);
});

Deno.test("readClientFiles() comes to an end where files name each other", () => {
  const one = "10.0.0.1 /two /two /one\n".repeat(100);
  const files = { "/one": one, "/two": "!/one 10.0.0.2 !/two" };
  const { rules, wrong } = read("/one", files);
  assertEquals(wrong, []);
  assertEquals(rules.slice(0, 2), ["+10.0.0.1", "-10.0.0.1"]);
});

Deno.test("readClientFiles() tells each mistake at its place", () => {
  const files = { "/list": "10.0.0.1\n  10.0.0.256\n10.0.0.2" };
  assertEquals(read("/list", files).wrong, [
    "/list:1:1: error: bad network: 10.0.0.256 " +
    "(write 192.0.2.1, 192.0.2.0/24 or [2001:db8::]/32)",
  ]);
  assertEquals(read("cidr:/none").wrong, [
    "main.cf:3:18: error: spawnd_clients: open /none: " +
    "No such file or directory (make it, or correct its name)",
  ]);
});
