import { assertEquals } from "@std/assert";
import {
  writeSetting,
  writeVariable,
  writeWord,
} from "../../../../lib/cli/import/words.ts";
import { parseEnvironmentList } from "../../../../lib/config/environment_list.ts";
import { importedFrom } from "./machine.ts";

Deno.test("writeWord() puts braces around what would be taken apart", () => {
  const written = ["plain", "a b", "", "#x", "{a}", "a{b", "a}b", " a", "a\tb"]
    .map(writeWord);
  assertEquals(written, [
    "plain",
    "{ a b }",
    "{  }",
    "{ #x }",
    "{ {a} }",
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("writeSetting() keeps a $ from being a reference", () => {
  assertEquals(
    writeSetting("spawnd_directory", "/$HOME"),
    "spawnd_directory=/$$HOME",
  );
});

Deno.test("writeVariable() writes what an environment list reads again", () => {
  for (const value of ["", "x", "a b", "a,b", "{x} y", "a=b"]) {
    const list = parseEnvironmentList(writeVariable("V", value) ?? "?");
    assertEquals(list, { ok: true, entries: [{ name: "V", value }] });
  }
  assertEquals(writeVariable("V", "{"), undefined);
  assertEquals(writeVariable("V W", "x"), undefined);
  assertEquals(writeVariable("V", "a\nb"), undefined);
});

Deno.test("whatever words a command has, master.cf has the same or tells", () => {
  const parts = [
    "a",
    " ",
    "{",
    "}",
    "#",
    "$",
    "=",
    "-o",
    "\\",
    "é",
    "à",
    "'",
    '"',
  ];
  let seed = 1;
  const next = (below: number): number => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  for (let round = 0; round < 2000; round++) {
    const argument = Array.from(
      { length: 1 + next(5) },
      () => parts[next(parts.length)] ?? "",
    ).join("");
    const quoted = argument.replaceAll("\\", "\\\\").replaceAll('"', '\\"')
      .replaceAll("$", "$$$$");
    const { entries, notes } = importedFrom("systemd", {
      "x.socket": "[Socket]\nListenStream=1\nAccept=yes\n",
      "./x@.service": "[Service]\nUser=nobody\nStandardInput=socket\n" +
        `ExecStart=/bin/x "${quoted}" end\n`,
    });
    const words = entries[0]?.words.slice(1);
    if (words === undefined) assertEquals(notes.length, 1, argument);
    else assertEquals(words, ["argv=/bin/x", argument, "end"]);
  }
});
