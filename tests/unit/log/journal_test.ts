import { assertEquals } from "@std/assert";
import { output } from "../../e2e/machine.ts";
import { ALLOW_LIBC, reportOf } from "../fixture.ts";
import { Scratch } from "../scratch.ts";

/** The answer of a process whose standard error is that file. */
async function answer(
  path: string,
  env: Readonly<Record<string, string>>,
): Promise<boolean> {
  return await reportOf<boolean>("under_journal.ts", {
    prefix: ["sh", "-c", 'exec "$@" 2>"$0"', path],
    allow: [...ALLOW_LIBC, "--allow-env"],
    env,
  });
}

/** The way in which systemd names a file: device and inode. */
async function named(path: string): Promise<string> {
  return (await output("stat", "--format", "%d:%i", path)).trim();
}

Deno.test("underJournal() sees that journald reads standard error", async () => {
  using scratch = new Scratch();
  const path = scratch.file("stream");
  assertEquals(await answer(path, { JOURNAL_STREAM: await named(path) }), true);
});

Deno.test("underJournal() sees that standard error was sent elsewhere", async () => {
  using scratch = new Scratch();
  const stream = await named(scratch.file("stream"));
  const elsewhere = scratch.file("elsewhere");
  assertEquals(await answer(elsewhere, { JOURNAL_STREAM: stream }), false);
});

Deno.test("underJournal() takes no odd value, and no missing one, for journald", async () => {
  using scratch = new Scratch();
  const path = scratch.file("stream");
  assertEquals(await answer(path, {}), false);
  assertEquals(await answer(path, { JOURNAL_STREAM: "" }), false);
  const inode = (await named(path)).split(":")[1] ?? "";
  assertEquals(await answer(path, { JOURNAL_STREAM: `:${inode}` }), false);
});
