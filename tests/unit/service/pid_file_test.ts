import { assert, assertEquals } from "@std/assert";
import { unchangingCredentials } from "../../../lib/posix/credentials.ts";
import { lookAt } from "../../../lib/posix/files.ts";
import { EX, type Mistake } from "../../../lib/result.ts";
import {
  checkPidFile,
  keepPidFile,
  type PidFile,
  writePidFile,
} from "../../../lib/service/pid_file.ts";
import { rootTest } from "../../e2e/machine.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";

const credentials = unchangingCredentials();

function written(path: string): PidFile {
  const result = writePidFile(libc, path);
  if (!result.ok) throw new Error(result.mistake.text);
  return result.value;
}

function refusal(path: string): Mistake {
  const result = writePidFile(libc, path);
  if (result.ok) throw new Error("it was written");
  return result.mistake;
}

/** The names in a folder. */
function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

Deno.test("writePidFile() writes the process id, for everybody to read", () => {
  using scratch = new Scratch();
  const path = scratch.path("spawnd.pid");
  const file = written(path);
  assertEquals(Deno.readTextFileSync(path), `${Deno.pid}\n`);
  assertEquals(lookAt(libc, path)?.mode, 0o644);
  assertEquals(namesIn(scratch.folder), ["spawnd.pid"]);
  file.remove(credentials);
  assertEquals(namesIn(scratch.folder), []);
});

Deno.test("writePidFile() puts another file in the place of the last daemon's", () => {
  using scratch = new Scratch();
  const path = scratch.file("spawnd.pid", "1\n");
  const before = lookAt(libc, path)?.inode;
  written(path);
  assertEquals(Deno.readTextFileSync(path), `${Deno.pid}\n`);
  assert(lookAt(libc, path)?.inode !== before);
});

Deno.test("writePidFile() writes through no link", () => {
  using scratch = new Scratch();
  const target = scratch.file("target", "precious");
  const path = scratch.path("spawnd.pid");
  Deno.symlinkSync(target, path);
  written(path);
  assertEquals(Deno.readTextFileSync(target), "precious");
  assertEquals(Deno.readTextFileSync(path), `${Deno.pid}\n`);
});

Deno.test("a pid file stays where another daemon has put its own in its place", () => {
  using scratch = new Scratch();
  const path = scratch.path("spawnd.pid");
  const old = written(path);
  const other = written(path);
  old.remove(credentials);
  assertEquals(namesIn(scratch.folder), ["spawnd.pid"]);
  other.remove(credentials);
  assertEquals(namesIn(scratch.folder), []);
});

Deno.test("writePidFile() refuses a folder that others may write to", () => {
  using scratch = new Scratch();
  const folder = scratch.subfolder("open");
  for (const mode of [0o777, 0o775, 0o757, 0o1777]) {
    Deno.chmodSync(folder, mode);
    const path = `${folder}/spawnd.pid`;
    const { text, exitCode } = refusal(path);
    assertEquals(
      text,
      `refused to write the pid file ${path}: ${folder} is writable by others`,
    );
    assertEquals(exitCode, EX.CONFIG);
  }
  assertEquals(namesIn(folder), []);
});

rootTest("writePidFile() refuses another user's folder", () => {
  using scratch = new Scratch();
  const folder = scratch.subfolder("foreign");
  Deno.chownSync(folder, 65534, 65534);
  const path = `${folder}/spawnd.pid`;
  assertEquals(
    refusal(path).text,
    `refused to write the pid file ${path}: ${folder} belongs to user id 65534`,
  );
  assertEquals(namesIn(folder), []);
  return Promise.resolve();
});

Deno.test("writePidFile() tells that the folder is not there", () => {
  using scratch = new Scratch();
  const path = scratch.path("missing/spawnd.pid");
  const { text, exitCode } = refusal(path);
  assert(
    text.startsWith(`cannot write the pid file ${path}: No such file`),
    text,
  );
  assertEquals(exitCode, EX.OSERR);
});

Deno.test("writePidFile() takes a file that a crashed daemon of the same process id left for no obstacle", () => {
  using scratch = new Scratch();
  const path = scratch.path("spawnd.pid");
  scratch.file(`spawnd.pid.${Deno.pid}`, "");
  written(path);
  assertEquals(namesIn(scratch.folder), ["spawnd.pid"]);
});

Deno.test("checkPidFile() leaves what is there, and nothing beside it", () => {
  using scratch = new Scratch();
  const path = scratch.file("spawnd.pid", "1\n");
  assertEquals(checkPidFile(libc, path).ok, true);
  assertEquals(Deno.readTextFileSync(path), "1\n");
  assertEquals(namesIn(scratch.folder), ["spawnd.pid"]);
});

Deno.test("touch() writes the same id into the same file, and remove() goes by the descriptor", () => {
  using scratch = new Scratch();
  const path = scratch.path("spawnd.pid");
  const { fd } = written(path);
  if (fd === undefined) throw new Error("no descriptor");
  const { inode } = lookAt(libc, path) ?? { inode: 0n };
  Deno.utimeSync(path, 1, 1);
  const kept = keepPidFile(libc, path, fd);
  kept.touch();
  assertEquals(lookAt(libc, path)?.inode, inode);
  assert((Deno.statSync(path).mtime?.getTime() ?? 0) > 1000);
  assertEquals(Deno.readTextFileSync(path), `${Deno.pid}\n`);
  kept.remove(credentials);
  assertEquals(namesIn(scratch.folder), []);
  libc.c.close(fd);
});
