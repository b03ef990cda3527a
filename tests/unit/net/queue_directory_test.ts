import { assertEquals } from "@std/assert";
import type { ListeningSocket } from "../../../lib/net/listening.ts";
import { inQueueDirectory } from "../../../lib/net/queue_directory.ts";
import { closeSocket } from "../../../lib/net/unix_socket.ts";
import type { Identity } from "../../../lib/posix/credentials.ts";
import { unchangingCredentials } from "../../../lib/posix/credentials.ts";
import { lookAt } from "../../../lib/posix/files.ts";
import type { Libc } from "../../../lib/posix/libc.ts";
import { EX, type Mistake, type Result, success } from "../../../lib/result.ts";
import { IS_ROOT, rootTest } from "../../e2e/machine.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";
import { OpenFile } from "../posix/descriptors.ts";

const OWNER: Identity | undefined = IS_ROOT ? { uid: 1, gid: 2 } : undefined;

/** A socket file, in whatever folder the path leads to by now. */
function socketAt(path: string): Result<ListeningSocket> {
  // That of a listener would be removed by the runtime.
  Deno.writeTextFileSync(path, "");
  const { fd } = new OpenFile(path);
  const file = lookAt(libc, path);
  const close = (): void =>
    closeSocket(libc, { path, file, fd }, unchangingCredentials);
  return success({ address: path, file, source: { fd }, close });
}

interface Attempt {
  readonly isPrivate?: boolean;
  readonly name?: string;
  readonly libc?: Libc;
  /** What happens before the socket is opened. */
  readonly before?: () => void;
}

function attempt(
  queueDirectory: string,
  { isPrivate = true, name = "policy", before, ...attempt }: Attempt = {},
): Result<ListeningSocket> {
  const path = `${queueDirectory}/${isPrivate ? "private" : "public"}/${name}`;
  const options = { queueDirectory, isPrivate, owner: OWNER, path };
  const result = inQueueDirectory(attempt.libc ?? libc, options, () => {
    before?.();
    return socketAt(path);
  });
  if (result.ok && "fd" in result.value.source) {
    libc.c.close(result.value.source.fd);
  }
  return result;
}

/** A C library in which something happens after each directory is made. */
function afterMkdir(action: () => void): Libc {
  const mkdirat: Libc["c"]["mkdirat"] = (...words) => {
    const made = libc.c.mkdirat(...words);
    action();
    return made;
  };
  return { ...libc, c: { ...libc.c, mkdirat } };
}

function textOf(result: Result<unknown>): string {
  return mistakeOf(result).text;
}

function mistakeOf(result: Result<unknown>): Mistake {
  if (result.ok) throw new Error("it was not refused");
  return result.mistake;
}

/** Whose a folder is, and who may enter it. */
function accessOf(path: string): string {
  const facts = lookAt(libc, path);
  return `${facts?.uid} ${facts?.mode.toString(8)}`;
}

const OURS = IS_ROOT ? "1" : `${Deno.uid()}`;

Deno.test("inQueueDirectory() makes private for the owner alone, public for everybody", () => {
  using scratch = new Scratch();
  for (const isPrivate of [true, false]) {
    assertEquals(attempt(scratch.folder, { isPrivate }).ok, true);
  }
  assertEquals(accessOf(scratch.path("private")), `${OURS} 700`);
  assertEquals(accessOf(scratch.path("public")), `${OURS} 755`);
});

Deno.test("inQueueDirectory() leaves a directory as it is", () => {
  using scratch = new Scratch();
  Deno.chmodSync(scratch.subfolder("private"), 0o710);
  assertEquals(attempt(scratch.folder).ok, true);
  assertEquals(accessOf(scratch.path("private")), `${Deno.uid()} 710`);
});

Deno.test("inQueueDirectory() finishes what a start that was cut short has made", () => {
  using scratch = new Scratch();
  Deno.chmodSync(scratch.subfolder("private"), 0o1700);
  assertEquals(attempt(scratch.folder).ok, true);
  assertEquals(accessOf(scratch.path("private")), `${OURS} 700`);
});

Deno.test("inQueueDirectory() makes the same of it in a directory that hands its group on", () => {
  using scratch = new Scratch();
  Deno.chmodSync(scratch.folder, 0o2755);
  assertEquals(attempt(scratch.folder).ok, true);
  assertEquals(accessOf(scratch.path("private")), `${OURS} 700`);
});

Deno.test("inQueueDirectory() takes sockets in folders of their own", () => {
  using scratch = new Scratch();
  scratch.subfolder("private");
  scratch.subfolder("private/sub");
  assertEquals(attempt(scratch.folder, { name: "sub/policy" }).ok, true);
});

Deno.test("inQueueDirectory() gives no directory away that a link has come to lead to", () => {
  using scratch = new Scratch();
  const precious = scratch.subfolder("precious");
  const queue = scratch.subfolder("queue");
  const before = accessOf(precious);
  const result = attempt(queue, {
    libc: afterMkdir(() => {
      Deno.renameSync(`${queue}/private`, `${queue}/moved`);
      Deno.symlinkSync(precious, `${queue}/private`);
    }),
  });
  assertEquals(
    textOf(result),
    `cannot make ${queue}/private: ${queue}/private: Not a directory`,
  );
  assertEquals(accessOf(precious), before);
  assertEquals([...Deno.readDirSync(precious)], []);
});

Deno.test("inQueueDirectory() gives no other directory away that was put in place", () => {
  using scratch = new Scratch();
  const before = accessOf(scratch.subfolder("precious"));
  const result = attempt(scratch.folder, {
    libc: afterMkdir(() => {
      Deno.renameSync(scratch.path("private"), scratch.path("moved"));
      Deno.renameSync(scratch.path("precious"), scratch.path("private"));
    }),
  });
  assertEquals(result.ok, true);
  assertEquals(accessOf(scratch.path("private")), before);
});

Deno.test("inQueueDirectory() takes a socket back that came to lie elsewhere", () => {
  using scratch = new Scratch();
  const precious = scratch.subfolder("precious");
  const queue = scratch.subfolder("queue");
  const result = attempt(queue, {
    before: () => {
      Deno.renameSync(`${queue}/private`, `${queue}/moved`);
      Deno.symlinkSync(precious, `${queue}/private`);
    },
  });
  assertEquals(
    textOf(result),
    `${queue}/private/policy is not in ${queue}/private: something else was ` +
      "put in the way",
  );
  assertEquals([...Deno.readDirSync(precious)], []);
});

rootTest(
  "inQueueDirectory() follows links of root's to it, and no stranger's",
  () => {
    using scratch = new Scratch();
    const queue = scratch.subfolder("queue");
    const link = scratch.path("link");
    Deno.symlinkSync(queue, link);
    assertEquals(attempt(link).ok, true);
    const libcPath = new TextEncoder().encode(`${link}\0`);
    const AT_FDCWD = -100;
    const AT_SYMLINK_NOFOLLOW = 0x100;
    libc.c.fchownat(AT_FDCWD, libcPath, 1000, 1000, AT_SYMLINK_NOFOLLOW);
    const result = attempt(link, { name: "other" });
    assertEquals(
      textOf(result),
      `refused queue_directory ${link}: ${link} is a link of user id 1000`,
    );
    assertEquals(mistakeOf(result).exitCode, EX.CONFIG);
    return Promise.resolve();
  },
);

Deno.test("inQueueDirectory() tells which directory is missing", () => {
  using scratch = new Scratch();
  const queue = scratch.path("missing/queue");
  const result = attempt(queue);
  assertEquals(
    textOf(result),
    `cannot make ${queue}/private: ${scratch.path("missing")}: ` +
      "No such file or directory",
  );
  assertEquals(
    mistakeOf(result).mend,
    `make ${queue} first, or set queue_directory`,
  );
});
