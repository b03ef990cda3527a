import { assert, assertEquals } from "@std/assert";
import { unchangingCredentials } from "../../../lib/posix/credentials.ts";
import { lookAt } from "../../../lib/posix/files.ts";
import type { Libc } from "../../../lib/posix/libc.ts";
import { EX, type Mistake } from "../../../lib/result.ts";
import {
  checkPidFile,
  claimPidFile,
  keepPidFile,
  type PidFile,
} from "../../../lib/service/pid_file.ts";
import { rootTest } from "../../e2e/machine.ts";
import { ALLOW_LIBC, Fixture } from "../fixture.ts";
import { isOpen } from "../posix/descriptors.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";

const credentials = unchangingCredentials;

function claimed(path: string, formerFd?: number): PidFile {
  const result = claimPidFile(libc, path, { credentials, formerFd });
  if (!result.ok) throw new Error(result.mistake.text);
  return result.value;
}

function published(path: string): PidFile {
  const file = claimed(path);
  assertEquals(file.publish().ok, true);
  return file;
}

function refusal(path: string): Mistake {
  const result = claimPidFile(libc, path, { credentials });
  if (result.ok) throw new Error("it was claimed");
  return result.mistake;
}

/** The names in a folder. */
function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

/** Another process that claims a pid file. Ends with the scope. */
class Other extends Fixture {
  constructor(path: string) {
    super("pid_file.ts", {
      args: [path],
      allow: [...ALLOW_LIBC, "--allow-read", "--allow-write"],
    });
  }
}

Deno.test("a pid file appears when it is published, for everybody to read, and goes with the scope", () => {
  using scratch = new Scratch();
  const path = scratch.path("spawnd.pid");
  {
    using file = claimed(path);
    assertEquals(lookAt(libc, path), undefined);
    assertEquals(lookAt(libc, `${path}.new`)?.mode, 0o600);
    assertEquals(file.publish().ok, true);
    assertEquals(Deno.readTextFileSync(path), `${Deno.pid}\n`);
    assertEquals(lookAt(libc, path)?.mode, 0o644);
    assertEquals(namesIn(scratch.folder), ["spawnd.pid"]);
  }
  assertEquals(namesIn(scratch.folder), []);
});

Deno.test("a pid file that was only claimed leaves nothing behind", () => {
  using scratch = new Scratch();
  const path = scratch.file("spawnd.pid", "1\n");
  const file = claimed(path);
  const { fd } = file;
  file[Symbol.dispose]();
  assertEquals(namesIn(scratch.folder), ["spawnd.pid"]);
  assertEquals(Deno.readTextFileSync(path), "1\n");
  assertEquals(isOpen(fd), false);
});

Deno.test("a pid file takes the place of one that was left behind", () => {
  using scratch = new Scratch();
  const path = scratch.file("spawnd.pid", "1\n");
  const before = lookAt(libc, path)?.inode;
  using _file = published(path);
  assertEquals(Deno.readTextFileSync(path), `${Deno.pid}\n`);
  assert(lookAt(libc, path)?.inode !== before);
});

Deno.test("a pid file is written through no link", () => {
  using scratch = new Scratch();
  const target = scratch.file("target", "precious");
  const path = scratch.path("spawnd.pid");
  Deno.symlinkSync(target, path);
  using _file = published(path);
  assertEquals(Deno.readTextFileSync(target), "precious");
  assertEquals(Deno.readTextFileSync(path), `${Deno.pid}\n`);
});

Deno.test("claimPidFile() writes through no link that has the name of what is to appear", () => {
  using scratch = new Scratch();
  const target = scratch.file("target", "precious");
  const path = scratch.path("spawnd.pid");
  Deno.symlinkSync(target, `${path}.new`);
  assertEquals(
    refusal(path).text,
    `cannot write the pid file ${path}: spawnd.pid.new: ` +
      "Too many levels of symbolic links",
  );
  assertEquals(Deno.readTextFileSync(target), "precious");
});

Deno.test("claimPidFile() refuses the file of a process that runs, and of one that is about to", async () => {
  using scratch = new Scratch();
  const path = scratch.path("spawnd.pid");
  await using other = new Other(path);
  assertEquals(await other.line(), "claimed");
  const text = `refused to write the pid file ${path}: ` +
    `it is that of process id ${other.pid}`;
  assertEquals(refusal(path).text, text);
  await other.tell("publish");
  assertEquals(await other.line(), "published");
  assertEquals(refusal(path).text, text);
  assertEquals(refusal(path).exitCode, EX.OSERR);
  assertEquals(Deno.readTextFileSync(path), `${other.pid}\n`);
  assertEquals(namesIn(scratch.folder), ["spawnd.pid"]);
  const holder = other.pid;
  assertEquals(
    checkPidFile(libc, path, { credentials, holder }).ok,
    true,
    "its own trial may have it",
  );
  other.kill("SIGKILL");
  await other.ended();
  assertEquals(namesIn(scratch.folder), ["spawnd.pid"]);
  using _file = published(path);
  assertEquals(Deno.readTextFileSync(path), `${Deno.pid}\n`);
});

Deno.test("a reader's lock on a file that was left behind keeps no daemon from starting", async () => {
  using scratch = new Scratch();
  const path = scratch.file("spawnd.pid", "1\n");
  scratch.file("spawnd.pid.new", "1\n");
  const lock = `
    use Fcntl;
    for my $path (@ARGV) {
      open my $file, "<", $path or die;
      push @files, $file;
      my $lock = pack "s s x4 q q l x4", F_RDLCK, 0, 0, 0, 0;
      fcntl $file, F_SETLK, $lock or die;
    }
    $| = 1;
    print "locked\\n";
    <STDIN>;
  `;
  const reader = new Deno.Command("perl", {
    args: ["-e", lock, path, `${path}.new`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = reader.stdout.getReader();
  const { value } = await output.read();
  assertEquals(new TextDecoder().decode(value), "locked\n");
  {
    using _file = published(path);
    assertEquals(Deno.readTextFileSync(path), `${Deno.pid}\n`);
  }
  assertEquals(namesIn(scratch.folder), []);
  await reader.stdin.close();
  await output.cancel();
  await reader.status;
});

Deno.test("a pid file stays where another daemon has put its own in its place", () => {
  using scratch = new Scratch();
  const path = scratch.path("spawnd.pid");
  const old = published(path);
  // A lock is no obstacle to the process that has it.
  const other = published(path);
  old[Symbol.dispose]();
  assertEquals(namesIn(scratch.folder), ["spawnd.pid"]);
  other[Symbol.dispose]();
  assertEquals(namesIn(scratch.folder), []);
});

Deno.test("claimPidFile() refuses a folder that others may write to", () => {
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

Deno.test("claimPidFile() refuses a way that others may change", () => {
  using scratch = new Scratch();
  scratch.subfolder("way");
  const folder = scratch.subfolder("way/run");
  Deno.chmodSync(scratch.path("way"), 0o777);
  const path = `${folder}/spawnd.pid`;
  assertEquals(
    refusal(path).text,
    `refused to write the pid file ${path}: ` +
      `${scratch.path("way")} is writable by others`,
  );
  // Nobody there can touch what is another's.
  Deno.chmodSync(scratch.path("way"), 0o1777);
  using _file = claimed(path);
});

Deno.test("claimPidFile() takes a folder that a link leads to for what it is", () => {
  using scratch = new Scratch();
  const folder = scratch.subfolder("open");
  Deno.symlinkSync(".", `${folder}/link`);
  Deno.chmodSync(folder, 0o1777);
  const path = `${folder}/link/spawnd.pid`;
  assertEquals(
    refusal(path).text,
    `refused to write the pid file ${path}: ${folder} is writable by others`,
  );
});

rootTest(
  "claimPidFile() refuses another user's folder, and another user's link to root's",
  () => {
    using scratch = new Scratch();
    const folder = scratch.subfolder("foreign");
    Deno.chownSync(folder, 65534, 65534);
    const path = `${folder}/spawnd.pid`;
    assertEquals(
      refusal(path).text,
      `refused to write the pid file ${path}: ${folder} belongs to user id 65534`,
    );
    assertEquals(namesIn(folder), []);
    const sticky = scratch.subfolder("sticky");
    Deno.chmodSync(sticky, 0o1777);
    const link = `${sticky}/link`;
    Deno.symlinkSync(scratch.subfolder("precious"), link);
    using _file = claimed(`${link}/spawnd.pid`);
    const AT_FDCWD = -100;
    const AT_SYMLINK_NOFOLLOW = 0x100;
    const name = new TextEncoder().encode(`${link}\0`);
    libc.c.fchownat(AT_FDCWD, name, 1000, 1000, AT_SYMLINK_NOFOLLOW);
    assertEquals(
      refusal(`${link}/other.pid`).text,
      `refused to write the pid file ${link}/other.pid: ` +
        `${link} is a link of user id 1000`,
    );
    return Promise.resolve();
  },
);

Deno.test("claimPidFile() tells what is in the way", () => {
  using scratch = new Scratch();
  scratch.subfolder("folder");
  scratch.file("file");
  for (
    const [name, reason] of [
      ["missing/spawnd.pid", `${scratch.path("missing")}: No such file or dir`],
      ["file/spawnd.pid", `${scratch.path("file")}: Not a directory`],
      ["folder", "folder: Is a directory"],
    ]
  ) {
    const path = scratch.path(name ?? "");
    const { text, exitCode } = refusal(path);
    const told = `cannot write the pid file ${path}: ${reason}`;
    assertEquals(text.slice(0, told.length), told);
    assertEquals(exitCode, EX.OSERR);
  }
  assertEquals(namesIn(scratch.folder).sort(), ["file", "folder"]);
});

Deno.test("claimPidFile() leaves nothing behind where nothing can be written", () => {
  using scratch = new Scratch();
  const path = scratch.path("spawnd.pid");
  const full: Libc = { ...libc, c: { ...libc.c, pwrite: () => 0n } };
  const result = claimPidFile(full, path, { credentials });
  assertEquals(
    !result.ok && result.mistake.text,
    `cannot write the pid file ${path}: write: No space left on device`,
  );
  assertEquals(namesIn(scratch.folder), []);
});

Deno.test("claimPidFile() takes what a daemon that was killed left for no obstacle", () => {
  using scratch = new Scratch();
  const path = scratch.path("spawnd.pid");
  scratch.file("spawnd.pid.new", "more than an id has\n", 0o600);
  using _file = published(path);
  assertEquals(Deno.readTextFileSync(path), `${Deno.pid}\n`);
  assertEquals(namesIn(scratch.folder), ["spawnd.pid"]);
});

Deno.test("checkPidFile() leaves what is there, and nothing beside it", () => {
  using scratch = new Scratch();
  const path = scratch.file("spawnd.pid", "1\n");
  assertEquals(checkPidFile(libc, path, { credentials }).ok, true);
  assertEquals(Deno.readTextFileSync(path), "1\n");
  assertEquals(namesIn(scratch.folder), ["spawnd.pid"]);
});

Deno.test("a pid file that takes the place of a former one closes that", () => {
  using scratch = new Scratch();
  const path = scratch.path("spawnd.pid");
  const { fd } = published(path);
  using file = claimed(path, fd);
  assertEquals(isOpen(fd), true);
  assertEquals(file.publish().ok, true);
  assertEquals(isOpen(fd), false);
  assertEquals(Deno.readTextFileSync(path), `${Deno.pid}\n`);
});

Deno.test("a pid file that cannot appear leaves a former one to go on", () => {
  using scratch = new Scratch();
  const path = scratch.path("spawnd.pid");
  const { fd } = published(path);
  const inode = lookAt(libc, path)?.inode;
  const failing: Libc = { ...libc, c: { ...libc.c, renameat: () => -1 } };
  const result = claimPidFile(failing, path, { credentials, formerFd: fd });
  if (!result.ok) throw new Error(result.mistake.text);
  {
    using file = result.value;
    assertEquals(file.publish().ok, false);
    assertEquals(file.fd, fd);
    assertEquals(lookAt(libc, path)?.inode, inode);
    assertEquals(namesIn(scratch.folder), ["spawnd.pid"]);
  }
  assertEquals(namesIn(scratch.folder), []);
});

Deno.test("touch() writes the same id into the same file, and goes by the descriptor", () => {
  using scratch = new Scratch();
  const path = scratch.path("spawnd.pid");
  const { fd } = published(path);
  const { inode } = lookAt(libc, path) ?? { inode: 0n };
  Deno.utimeSync(path, 1, 1);
  {
    using kept = keepPidFile(libc, path, { fd, credentials });
    kept.touch();
    assertEquals(lookAt(libc, path)?.inode, inode);
    assert((Deno.statSync(path).mtime?.getTime() ?? 0) > 1000);
    assertEquals(Deno.readTextFileSync(path), `${Deno.pid}\n`);
  }
  assertEquals(namesIn(scratch.folder), []);
});
