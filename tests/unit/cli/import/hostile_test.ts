import { assert, assertEquals } from "@std/assert";
import { IMPORT_FORMATS } from "../../../../lib/cli/import/formats.ts";
import { translate } from "../../../../lib/cli/import/import.ts";
import { formatNote } from "../../../../lib/cli/import/translation.ts";
import { importedFrom, machineWith } from "./machine.ts";

/** What goes through a file once takes a second of this, on a busy machine. */
const PATIENCE_MS = 20_000;

const MEBIBYTE = 2 ** 20;

for (const format of IMPORT_FORMATS) {
  const file = format === "systemd" ? "/u/x.socket" : "/etc/x";

  Deno.test(`import ${format} tells a binary file in one line`, () => {
    const { text, notes } = importedFrom(format, { [file]: "\x7fELF\0\x01\n" });
    assertEquals(text, "");
    assertEquals(notes, [
      `${file}: not a text file: it has NUL bytes (name another file)`,
    ]);
  });

  Deno.test(`import ${format} tells a file that is not there in one line`, () => {
    const { text, notes } = importedFrom(format, {}, [file]);
    assertEquals(text, "");
    assertEquals(notes.length, 1);
    assert(notes[0]?.startsWith(`${file}: cannot be read: No such file`));
  });

  for (
    const [name, piece] of [
      ["blanks", " "],
      ["digits", "1"],
      ["backslashes", "\\\n"],
      ["braces", "{"],
      ["quotes", '"x'],
      ["lines of nonsense", "nonsense = nonsense\n"],
      ["equals signs", "="],
      ["sections", "[Socket]\nListenStream=1 1 1 1\n"],
      ["rules", "1.2.3.0-255:allow\n"],
      ["services", "service x\n{\n"],
      ["fields", "1 stream tcp nowait nobody /bin/a a\n"],
    ] as const
  ) {
    Deno.test(`import ${format} is through with a file of ${name} in time`, () => {
      const text = piece.repeat(Math.ceil(MEBIBYTE / piece.length));
      const start = performance.now();
      const { notes } = translate(
        { format, files: [file], parts: ["main.cf", "master.cf"] },
        machineWith({ [file]: text }),
      );
      const tookMs = performance.now() - start;
      assert(tookMs < PATIENCE_MS, `${tookMs} ms`);
      assert(notes.length <= 1001, `${notes.length} notes`);
      assert(notes.every((note) => formatNote(note).length < 1000));
    });
  }
}
