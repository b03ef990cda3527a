import { assertEquals, assertThrows } from "@std/assert";
import {
  type InstallState,
  readState,
  UNCHANGED,
  writeState,
} from "../../../../lib/cli/install_postfix/state.ts";
import {
  createFile,
  replaceFile,
} from "../../../../lib/cli/install_postfix/whole_file.ts";
import { Scratch } from "../../scratch.ts";

const STATE: InstallState = {
  binary: { path: "/sbin/spawnd", digest: "00", kept: null },
  entries: [{ service: "one/unix", before: "spawn x", after: "spawnd x" }],
  masterCf: { before: "11", after: "22" },
};

Deno.test("readState() reads what writeState() wrote", () => {
  using scratch = new Scratch();
  const { folder } = scratch;
  scratch.file("master.cf", "", 0o640);
  assertEquals(readState(folder), { ok: true, value: UNCHANGED });
  writeState(folder, STATE);
  assertEquals(readState(folder), { ok: true, value: STATE });
  const { mode } = Deno.statSync(scratch.path("spawnd-install.json"));
  assertEquals((mode ?? 0) & 0o7777, 0o640);
  writeState(folder, UNCHANGED);
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), [
    "master.cf",
  ]);
});

for (
  const text of [
    "",
    "{}",
    "[]",
    '{"binary":null,"entries":[{"service":"a/unix"}],"masterCf":null}',
    '{"binary":{"path":"/x","digest":"0"},"entries":[],"masterCf":null}',
  ]
) {
  Deno.test(`readState() refuses what it did not write: ${text}`, () => {
    using scratch = new Scratch();
    const file = scratch.file("spawnd-install.json", text);
    const read = readState(scratch.folder);
    assertEquals(
      !read.ok && read.mistake.text,
      `not as spawnd install-postfix writes it: ${file}`,
    );
  });
}

Deno.test("replaceFile() replaces a file, createFile() never does", () => {
  using scratch = new Scratch();
  const path = scratch.file("file", "old");
  const rights = { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0, mode: 0o640 };
  assertThrows(
    () => createFile(path, new TextEncoder().encode("new"), rights),
    Deno.errors.AlreadyExists,
  );
  assertEquals(Deno.readTextFileSync(path), "old");
  replaceFile(path, new TextEncoder().encode("new"), rights);
  assertEquals(Deno.readTextFileSync(path), "new");
  assertEquals((Deno.statSync(path).mode ?? 0) & 0o7777, 0o640);
  assertEquals([...Deno.readDirSync(scratch.folder)].length, 1);
});
