/** `spawnd import tcprules` beside tcprules(1) and tcprulescheck(1). */

import { assert, assertEquals } from "@std/assert";
import { runToEnd } from "../e2e/daemon.ts";
import { peerTest } from "../e2e/load.ts";
import { Folder } from "../e2e/machine.ts";

const PROGRAMS = ["/usr/bin/tcprules", "/usr/bin/tcprulescheck"];

/** Of its manual page, with all that an address alone can decide. */
const OF_THE_PAGE = `\
# comments are ignored
18.23.0.32:deny
127.:allow
1.2.3.37-53:deny
10.2-3.:allow,RANGE="yes"
10.0.:allow,RELAYCLIENT="@fix.me"
10.1.:allow,RELAYCLIENT=/@fix.me/
127.0.0.1:allow,RELAYCLIENT="",TCPLOCALHOST="movie.edu"
:deny
`;

const ADDRESSES = [
  ...["18.23.0.32", "18.23.0.33", "127.0.0.1", "127.0.0.2", "1.2.3.36"],
  ...["1.2.3.37", "1.2.3.53", "1.2.3.54", "10.2.9.9", "10.3.9.9", "10.4.9.9"],
  ...["10.0.7.7", "10.1.7.7", "0.0.0.0", "255.255.255.255"],
];

/** What becomes of a client: refused, or let in with variables. */
type Verdict = string;

/** What tcpserver would do, as tcprulescheck tells it. */
async function theirVerdict(cdb: string, address: string): Promise<Verdict> {
  const { stdout } = await new Deno.Command("/usr/bin/tcprulescheck", {
    args: [cdb, address],
    env: { TCPREMOTEIP: address },
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (text.includes("deny connection")) return "deny";
  assert(/allow connection/.test(text), text);
  const variables = [...text.matchAll(/^set environment variable (.*)$/gm)]
    .map(([, variable = ""]) => variable);
  return ["allow", ...variables].join(" ");
}

/** What a table says, whose first match counts. */
function ourVerdict(table: string, address: string): Verdict {
  for (const line of table.split("\n")) {
    const [network = "", ...verdict] = line.split(" ");
    const [first = "", length = "32"] = network.split("/");
    if (!/^\d+\./.test(first)) continue;
    const bits = (text: string): string =>
      text.split(".").map((part) => Number(part).toString(2).padStart(8, "0"))
        .join("").slice(0, Number(length));
    if (bits(first) === bits(address)) return verdict.join(" ");
  }
  return "no match";
}

async function compare(
  rules: string,
  addresses: readonly string[],
): Promise<void> {
  await using folder = await Folder.create();
  const file = await folder.file("rules", rules);
  const cdb = folder.join("cdb");
  const compiled = await new Deno.Command("/bin/sh", {
    args: ["-c", `exec tcprules "$1" "$1.tmp" <"$2"`, "sh", cdb, file],
  }).output();
  assertEquals(new TextDecoder().decode(compiled.stderr), "", rules);
  const { code, stdout, stderr } = await runToEnd(["import", "tcprules", file]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" }, rules);
  for (const address of addresses) {
    assertEquals(
      ourVerdict(stdout, address),
      await theirVerdict(cdb, address),
      `${address} in\n${rules}`,
    );
  }
}

peerTest(
  "a table decides as the rules of tcprules' manual page do",
  PROGRAMS,
  async () => {
    await compare(OF_THE_PAGE, ADDRESSES);
  },
);

peerTest(
  "a table decides as random rules do, with and without a last one",
  PROGRAMS,
  async () => {
    const some = (below: number): number => Math.floor(Math.random() * below);
    const number = (): number => [0, 1, 2, 9, 10, 99, 100, 255][some(8)] ?? 0;
    for (let round = 0; round < 10; round++) {
      const rules = Array.from({ length: 12 }, () => {
        const count = 1 + some(4);
        const numbers = Array.from({ length: count }, number);
        const last = numbers.at(-1) ?? 0;
        const range = some(3) === 0
          ? `${last}-${Math.min(255, last + some(4))}`
          : `${last}`;
        const address = [...numbers.slice(0, -1), range].join(".") +
          (count === 4 ? "" : ".");
        const verdict = ["allow", "deny", `allow,N="${some(9)}"`][some(3)] ??
          "";
        return `${address}:${verdict}`;
      });
      if (round % 2 === 0) rules.push(":deny");
      const addresses = Array.from(
        { length: 30 },
        () => Array.from({ length: 4 }, number).join("."),
      );
      await compare(`${rules.join("\n")}\n`, addresses);
    }
  },
);
