import { assert, assertEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../../lib/posix/errno.ts";
import {
  type FileFacts,
  giveSocketAway,
  lookAt,
  lookAtDescriptor,
  removeFile,
} from "../../../lib/posix/files.ts";
import { output, rootTest } from "../../e2e/machine.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";
import { OpenFile } from "./descriptors.ts";

/** Our own, as the fields that giving away needs. */
const SELF = { uid: Deno.uid() ?? -1, gid: Deno.gid() ?? -1 };

/** Makes a socket file by listening on it. */
function listening(path: string): Deno.UnixListener {
  return Deno.listen({ transport: "unix", path });
}

function factsOf(path: string): FileFacts {
  const facts = lookAt(libc, path);
  if (facts === undefined) throw new Error(`nothing to be seen at ${path}`);
  return facts;
}

/** What stat(1) shows, without following a link. */
async function stat(path: string, format: string): Promise<string> {
  return (await output("stat", "--format", format, path)).trim();
}

Deno.test("lookAt() sees what stat(1) sees, on every kind of file system", async () => {
  using scratch = new Scratch();
  const file = scratch.file("file", "", 0o640);
  for (
    const path of [file, scratch.folder, "/", "/dev/null", "/proc/self", "/sys"]
  ) {
    const { device, inode, uid, mode } = factsOf(path);
    // /proc/self is another file for stat(1), on the same device.
    const seen = path === "/proc/self"
      ? await stat(path, `%d ${inode} %u %a`)
      : await stat(path, "%d %i %u %a");
    assertEquals(
      `${device} ${inode} ${uid} ${mode.toString(8)}`,
      seen,
      path,
    );
  }
});

Deno.test("lookAt() sees the set-user-id and sticky bits", () => {
  using scratch = new Scratch();
  assertEquals(factsOf(scratch.file("file", "", 0o4755)).mode, 0o4755);
  assertEquals(factsOf(scratch.file("other", "", 0o1700)).mode, 0o1700);
});

Deno.test("lookAt() tells a socket from everything else", () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  using _listener = listening(path);
  assertEquals(factsOf(path).kind, "socket");
  assertEquals(factsOf(scratch.file("file")).kind, "file");
  assertEquals(factsOf(scratch.folder).kind, "folder");
  assertEquals(factsOf("/dev/null").kind, "other");
});

Deno.test("lookAt() does not follow a link", () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  using _listener = listening(path);
  const link = scratch.path("link");
  Deno.symlinkSync(path, link);
  assertEquals(factsOf(link).kind, "link");
  assert(factsOf(link).inode !== factsOf(path).inode);
});

Deno.test("lookAt() sees nothing where there is nothing", () => {
  using scratch = new Scratch();
  assertEquals(lookAt(libc, scratch.path("missing")), undefined);
});

Deno.test("lookAtDescriptor() sees the file behind it, whatever its name is by now", () => {
  using scratch = new Scratch();
  const path = scratch.file("file");
  const facts = factsOf(path);
  using file = new OpenFile(path);
  Deno.renameSync(path, scratch.path("moved"));
  scratch.file("file");
  assertEquals(lookAtDescriptor(libc, file.fd), facts);
  assertEquals(lookAtDescriptor(libc, 1_000_000), undefined);
});

Deno.test("removeFile() removes the file that is meant", () => {
  using scratch = new Scratch();
  const path = scratch.file("file");
  assertEquals(removeFile(libc, path, factsOf(path)), true);
  assertEquals(lookAt(libc, path), undefined);
});

Deno.test("removeFile() leaves another file of that name alone", () => {
  using scratch = new Scratch();
  const path = scratch.file("file", "meant");
  const meant = factsOf(path);
  Deno.renameSync(path, scratch.path("moved"));
  assertEquals(removeFile(libc, path, meant), false);
  scratch.file("file", "another");
  assertEquals(removeFile(libc, path, meant), false);
  assertEquals(Deno.readTextFileSync(path), "another");
});

Deno.test("removeFile() leaves a link to the file alone", () => {
  using scratch = new Scratch();
  const path = scratch.file("file");
  const link = scratch.path("link");
  Deno.symlinkSync(path, link);
  assertEquals(removeFile(libc, link, factsOf(path)), false);
  assertEquals(factsOf(path).kind, "file");
});

Deno.test("giveSocketAway() sets the permission bits", () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  using _listener = listening(path);
  giveSocketAway(libc, path, { ...SELF, mode: 0o620 });
  assertEquals(factsOf(path).mode, 0o620);
});

rootTest("giveSocketAway() gives the socket to its new owner", async () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  using _listener = listening(path);
  giveSocketAway(libc, path, { uid: 1, gid: 2, mode: 0o660 });
  assertEquals(await stat(path, "%u %g %a"), "1 2 660");
});

Deno.test("giveSocketAway() refuses a link, and what it points to stays as it is", () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  using _listener = listening(path);
  Deno.chmodSync(path, 0o600);
  const link = scratch.path("link");
  Deno.symlinkSync(path, link);
  assertThrows(
    () => giveSocketAway(libc, link, { ...SELF, mode: 0o666 }),
    Error,
    `${link} was replaced while it was being set up`,
  );
  assertEquals(factsOf(path).mode, 0o600);
});

Deno.test("giveSocketAway() refuses what is no socket", () => {
  using scratch = new Scratch();
  const path = scratch.file("file", "", 0o600);
  assertThrows(
    () => giveSocketAway(libc, path, { ...SELF, mode: 0o666 }),
    Error,
    `${path} was replaced while it was being set up`,
  );
  assertEquals(factsOf(path).mode, 0o600);
});

rootTest("giveSocketAway() refuses a socket that another user has made", () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  using _listener = listening(path);
  Deno.chownSync(path, 65534, 65534);
  Deno.chmodSync(path, 0o600);
  assertThrows(
    () => giveSocketAway(libc, path, { uid: 1, gid: 1, mode: 0o666 }),
    Error,
    `${path} was replaced while it was being set up`,
  );
  const { uid, mode } = factsOf(path);
  assertEquals([uid, mode], [65534, 0o600]);
  return Promise.resolve();
});

Deno.test("giveSocketAway() tells that the socket has gone", () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  assertThrows(
    () => giveSocketAway(libc, path, { ...SELF, mode: 0o666 }),
    SystemError,
    `open ${path}: No such file or directory`,
  );
});
