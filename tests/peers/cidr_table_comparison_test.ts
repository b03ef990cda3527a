/**
 * Tables of clients against the real postmap(1), on tables made at random: what
 * each address is looked up to.
 *
 * `SPAWND_SEED` and `SPAWND_CASES` make another or a longer run.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  ClientVerdicts,
  compileClientTable,
} from "../../lib/admission/client_table.ts";
import { readCidrTable } from "../../lib/config/admission/cidr_table.ts";
import {
  formatIpAddress,
  type IpAddress,
  networkOf,
  parseIpAddress,
} from "../../lib/posix/ip_address.ts";
import { peerTest } from "../e2e/load.ts";
import { Folder } from "../e2e/machine.ts";
import { Random } from "./random.ts";

const SEED = Number(Deno.env.get("SPAWND_SEED") ?? 12);
const CASES = Number(Deno.env.get("SPAWND_CASES") ?? 40);

const ADDRESSES = 200;

function randomAddress(random: Random): IpAddress {
  const words = random.of([1, 4]);
  return Array.from({ length: words }, () => {
    const octets = random.some(4, () => String(random.of([0, 1, 128, 255])));
    return octets.reduce((word, octet) => word * 256 + Number(octet), 0);
  });
}

function randomPattern(random: Random): string {
  const address = randomAddress(random);
  const bits = address.length * 32;
  // Short ones, so that the addresses are in them and they are in each other.
  const length = random.chance(20) ? bits : random.below(bits / 4);
  const network = formatIpAddress(networkOf(address, length));
  const whole = length === bits ? network : `${network}/${length}`;
  return random.of([whole, whole, whole, `!${whole}`, `! !${whole}`]);
}

/** A table whose results are the numbers of their lines. */
function randomTable(random: Random): string[] {
  const lines: string[] = [];
  let depth = 0;
  const count = random.below(40);
  while (lines.length < count || depth > 0) {
    if (depth > 0 && (lines.length >= count || random.chance(20))) {
      lines.push(random.of(["endif", "ENDIF"]));
      depth--;
    } else if (random.chance(15)) {
      lines.push(`${random.of(["if", "IF"])} ${randomPattern(random)}`);
      depth++;
    } else {
      const result = `allow N=${lines.length}`;
      lines.push(`${randomPattern(random)} ${result}`);
    }
  }
  return lines;
}

async function postmap(
  table: string,
  keys: readonly string[],
): Promise<Map<string, string>> {
  const child = new Deno.Command("postmap", {
    args: ["-q", "-", `cidr:${table}`],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(keys.join("\n") + "\n"));
  await writer.close();
  const { stdout, stderr } = await child.output();
  assertEquals(new TextDecoder().decode(stderr), "");
  const lines = new TextDecoder().decode(stdout).split("\n");
  return new Map(
    lines.filter((line) => line !== "").map((line) => {
      const [key = "", result = ""] = line.split("\t");
      return [key, result];
    }),
  );
}

peerTest(
  "a table says of every address what postmap(1) says",
  "/usr/sbin/postmap",
  async () => {
    await using folder = await Folder.create();
    const random = new Random(SEED);
    let found = 0;
    for (let round = 0; round < CASES; round++) {
      const text = randomTable(random).join("\n") + "\n";
      const file = `${folder.path}/table`;
      await Deno.writeTextFile(file, text);
      const rules = readCidrTable(file, text, (problem) => {
        throw new Error(problem.text);
      });
      const verdicts = new ClientVerdicts(compileClientTable(rules));
      const keys = Array.from(
        { length: ADDRESSES },
        () => formatIpAddress(randomAddress(random)),
      );
      const theirs = await postmap(file, keys);
      for (const key of keys) {
        const address = parseIpAddress(key);
        const [variable] = (address && verdicts.find(address))?.variables ?? [];
        const expected = theirs.get(key)?.replace("allow ", "");
        assertEquals(variable, expected, `${key} in\n${text}`);
        if (expected !== undefined) found++;
      }
    }
    // Not all of them were looked up in vain.
    assert(found > CASES * ADDRESSES / 10, `${found} found`);
  },
);
