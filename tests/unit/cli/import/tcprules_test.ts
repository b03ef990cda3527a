import { assert, assertEquals } from "@std/assert";
import { importedFrom } from "./machine.ts";

function tableOf(
  rules: string,
): { table: string[]; notes: readonly string[]; text: string } {
  const { text, notes } = importedFrom("tcprules", { "/etc/tcp.x": rules });
  const table = text.split("\n").filter((line) => /^[^#]/.test(line));
  return { table, notes, text };
}

Deno.test("import tcprules puts the nearest rule first", () => {
  const { table, notes } = tableOf(
    ":deny\n10.:allow\n10.1.:deny\n10.1.2.:allow\n10.1.2.3:deny\n",
  );
  assertEquals(table, [
    "10.1.2.3 deny",
    "10.1.2.0/24 allow",
    "10.1.0.0/16 deny",
    "10.0.0.0/8 allow",
    "0.0.0.0/0 deny",
    "::/0 deny",
  ]);
  assertEquals(notes, []);
});

Deno.test("import tcprules ends a table as tcpserver does: everybody else is let in", () => {
  const { table } = tableOf("18.23.0.32:deny\n");
  assertEquals(table, ["18.23.0.32 deny", "0.0.0.0/0 allow", "::/0 allow"]);
});

Deno.test("import tcprules writes out ranges", () => {
  const { table, notes } = tableOf("1.2.3.37-39:deny\n10.2-3.:allow\n:deny\n");
  assertEquals(table.slice(0, 5), [
    "1.2.3.37 deny",
    "1.2.3.38 deny",
    "1.2.3.39 deny",
    "10.2.0.0/16 allow",
    "10.3.0.0/16 allow",
  ]);
  assertEquals(notes, []);
});

Deno.test("import tcprules keeps variables, whatever their quotes are", () => {
  const { table, notes } = tableOf(
    '10.0.:allow,RELAYCLIENT="@fix.me"\n' +
      "10.1.:allow,RELAYCLIENT=/@fix.me/\n" +
      '127.0.0.1:allow,RELAYCLIENT="",TCPLOCALHOST="movie.edu"\n' +
      '10.2.:allow,MOTD="good day, all"\n:deny\n',
  );
  assertEquals(table.slice(0, 4), [
    "127.0.0.1 allow RELAYCLIENT= TCPLOCALHOST=movie.edu",
    "10.0.0.0/16 allow RELAYCLIENT=@fix.me",
    "10.1.0.0/16 allow RELAYCLIENT=@fix.me",
    "10.2.0.0/16 allow { MOTD = good day, all }",
  ]);
  assertEquals(notes, []);
});

Deno.test("import tcprules takes the first of two rules for one address", () => {
  const { table } = tableOf("1.2.3.4:deny\n1.2.3.4:allow\n");
  assertEquals(table[0], "1.2.3.4 deny");
});

Deno.test("import tcprules tells names and users", () => {
  const { table, notes } = tableOf(
    "=.example.org:allow\n=:allow\njoe@127.0.0.1:allow\n:deny\n",
  );
  assertEquals(table, ["0.0.0.0/0 deny", "::/0 deny"]);
  assertEquals(notes.map((note) => note.split(" ")[0]), [
    "/etc/tcp.x:1:",
    "/etc/tcp.x:2:",
    "/etc/tcp.x:3:",
  ]);
});

Deno.test("import tcprules holds a table that would let in whom a name keeps out", () => {
  for (const rule of ["=.example.org:deny", "joe@127.0.0.1:deny", "=:deny"]) {
    const { table, notes, text } = tableOf(`${rule}\n10.:allow\n`);
    assertEquals(table, []);
    assertEquals(notes.length, 1);
    assert(notes[0]?.includes("would be let in"), notes[0]);
    assert(text.includes("#10.0.0.0/8 allow"), text);
  }
});

Deno.test("import tcprules makes no table of a file that tcprules refuses", () => {
  for (const rule of ["no rule", "1.2.3.4:maybe", "1.2.3.4:allow,X"]) {
    const { notes, text } = tableOf(`10.:deny\n${rule}\n`);
    assertEquals(text, "", rule);
    assertEquals(notes.length, 1);
  }
});

Deno.test("import tcprules tells what no client can match, line by line", () => {
  const { notes } = tableOf(
    "1.2.3:allow\n1.2.3.4.:allow\n256.:deny\n01.2.3.4:deny\n1.2.3.9-4:deny\n" +
      "no rule\n1.2.3.4:maybe\n1.2.3.4:allow,X\n1.2.3.4:allowed\n",
  );
  assertEquals(
    notes.map((note) => note.split(":")[1]),
    ["1", "2", "3", "4", "5", "6", "7", "8", "9"],
  );
});
