import { assertEquals } from "@std/assert";
import {
  parseLines,
  Postconf,
  quoted,
} from "../../../../lib/cli/install_postfix/postconf.ts";
import { Scratch } from "../../scratch.ts";

Deno.test("parseLines() leaves blanks of the command as they are", () => {
  const lines = parseLines(
    `policy     unix  -       n       n       -       3       spawn -v user=nobody argv=/bin/sh -c {a  b}
127.0.0.1:7 inet n       n       n       -       -       spawn
`,
  );
  assertEquals([...lines], [
    ["policy/unix", {
      fields: "policy unix - n n - 3",
      command: "spawn -v user=nobody argv=/bin/sh -c {a  b}",
    }],
    ["127.0.0.1:7/inet", {
      fields: "127.0.0.1:7 inet n n n - -",
      command: "spawn",
    }],
  ]);
});

Deno.test("quoted() makes one word for a shell of any text", () => {
  for (
    const word of ["a/b=c", "it's  two", "", '$x `y` "z" \\', "a\nb", "*"]
  ) {
    const { stdout } = new Deno.Command("sh", {
      args: ["-c", `printf %s. ${quoted(word)}`],
    }).outputSync();
    assertEquals(new TextDecoder().decode(stdout), `${word}.`);
  }
});

Deno.test("Postconf.find() tells that there is no Postfix", () => {
  using scratch = new Scratch();
  const missing = scratch.path("postconf");
  const program = scratch.file("program", "", 0o755);
  const text = (programs: string[]): unknown => {
    const found = Postconf.find(scratch.folder, programs);
    return found.ok || found.mistake.text;
  };
  assertEquals(text([missing]), `no Postfix: there is no ${missing}`);
  assertEquals(
    text([missing, program]),
    `no Postfix configuration: there is no ${scratch.folder}/main.cf`,
  );
  scratch.file("main.cf");
  scratch.file("master.cf");
  assertEquals(text([missing, program]), true);
});
