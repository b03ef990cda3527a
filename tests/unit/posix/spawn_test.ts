import { assert, assertEquals, assertThrows } from "@std/assert";
import { checked, errorText, SystemError } from "../../../lib/posix/errno.ts";
import { cString } from "../../../lib/posix/libc.ts";
import {
  type Credentials,
  unchangingCredentials,
} from "../../../lib/posix/credentials.ts";
import { Children } from "../../../lib/posix/process.ts";
import {
  type PreparedCommand,
  Spawner,
  spawnSuccessor,
} from "../../../lib/posix/spawn.ts";
import { Account, output, rootTest, statusFields } from "../../e2e/machine.ts";
import { ALLOW_LIBC, reportOf } from "../fixture.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";
import { isOpen, OpenFile } from "./descriptors.ts";
import {
  startCommand,
  type StartOptions,
  tryToStart,
} from "./start_command.ts";

/** Runs a command to its end and returns what it printed. */
function printed(
  scratch: Scratch,
  argv: readonly string[],
  options: StartOptions = {},
): string {
  const pid = startCommand(scratch, argv, options);
  const word = new Children(libc).collectDying(pid);
  const text = Deno.readTextFileSync(scratch.path("output"));
  assertEquals(word, 0, text);
  return text;
}

/** The system's words for the reason why a command cannot be started. */
function refusal(
  scratch: Scratch,
  argv: readonly string[],
  options: StartOptions = {},
): string {
  const pid = tryToStart(scratch, argv, options);
  assert(pid < 0, "it was started");
  return errorText(libc, -pid);
}

Deno.test("start() passes the words on as they are, through no shell", () => {
  using scratch = new Scratch();
  const words = ["$HOME `id` > /dev/null; *", "", "two words", "é"];
  assertEquals(
    printed(scratch, ["/usr/bin/printf", "[%s]\\n", ...words]),
    words.map((word) => `[${word}]\n`).join(""),
  );
});

Deno.test("start() gives the command its name as configured", () => {
  using scratch = new Scratch();
  assertEquals(
    printed(scratch, ["cat", "/proc/self/cmdline"]),
    "cat\0/proc/self/cmdline\0",
  );
});

Deno.test("start() gives the environment as listed and nothing more", () => {
  using scratch = new Scratch();
  assertEquals(
    printed(scratch, ["/usr/bin/env"], {
      environment: ["B=two words", "A=", "PATH=/elsewhere"],
    }),
    "B=two words\nA=\nPATH=/elsewhere\n",
  );
});

Deno.test("start() puts one file on standard input, output and error, and nothing else", () => {
  using scratch = new Scratch();
  const lines = printed(scratch, ["/bin/ls", "-l", "/proc/self/fd"])
    .split("\n")
    .flatMap((line) => line.match(/ (\d+ -> .*)$/)?.[1] ?? [])
    .sort();
  const path = scratch.path("output");
  assertEquals(lines.slice(0, 3), [
    `0 -> ${path}`,
    `1 -> ${path}`,
    `2 -> ${path}`,
  ]);
  // The fourth is the folder that ls(1) itself reads.
  assertEquals(lines.length, 4, lines.join("\n"));
});

Deno.test("start() makes the command the leader of a session and a group of its own", () => {
  using scratch = new Scratch();
  const script = 'echo $$; read -r stat < /proc/$$/stat; echo "$stat"';
  const [pid, stat = ""] = printed(scratch, ["/bin/sh", "-c", script])
    .split("\n");
  const [group, session] = stat.slice(stat.lastIndexOf(")")).split(" ").slice(
    3,
  );
  assertEquals([group, session], [pid, pid]);
});

Deno.test("start() sets no signal aside for the command", () => {
  using scratch = new Scratch();
  const fields = statusFields(printed(scratch, ["cat", "/proc/self/status"]));
  const NONE = "0".repeat(16);
  for (const name of ["SigBlk", "SigIgn", "SigCgt", "SigPnd"]) {
    assertEquals(fields.get(name), NONE, name);
  }
});

Deno.test("a prepared command can be started any number of times", () => {
  using scratch = new Scratch();
  const children = new Children(libc);
  const pids = Array.from(
    { length: 5 },
    () => startCommand(scratch, ["/bin/true"]),
  );
  assertEquals(new Set(pids).size, 5);
  for (const pid of pids) assertEquals(children.collectDying(pid), 0);
});

Deno.test("start() tells why a command with a slash cannot be started", () => {
  using scratch = new Scratch();
  scratch.file("plain", "#!/bin/sh\n", 0o644);
  scratch.file("orphan", "#!/no/such/interpreter\n", 0o755);
  const tried = (name: string): string =>
    refusal(scratch, [scratch.path(name)]);
  assertEquals(tried("missing"), "No such file or directory");
  assertEquals(tried("plain"), "Permission denied");
  assertEquals(tried("orphan"), "No such file or directory");
  assertEquals(tried("plain/below"), "Not a directory");
  assertEquals(refusal(scratch, [scratch.folder]), "Permission denied");
});

Deno.test("start() looks for a command without a slash in the path's order", () => {
  using scratch = new Scratch();
  const searchPath = ["a", "b"].map((name) => scratch.subfolder(name));
  scratch.file("a/both", "#!/bin/sh\necho a\n", 0o755);
  scratch.file("b/both", "#!/bin/sh\necho b\n", 0o755);
  scratch.file("b/second", "#!/bin/sh\necho b\n", 0o755);
  assertEquals(printed(scratch, ["both"], { searchPath }), "a\n");
  assertEquals(printed(scratch, ["second"], { searchPath }), "b\n");
  assertEquals(
    refusal(scratch, ["neither"], { searchPath }),
    "No such file or directory",
  );
});

Deno.test("start() does not look for a command with a slash in the path", () => {
  using scratch = new Scratch();
  const searchPath = [scratch.folder];
  scratch.subfolder("a");
  scratch.file("a/command", "#!/bin/sh\necho a\n", 0o755);
  assertEquals(
    refusal(scratch, ["a/command"], { searchPath }),
    "No such file or directory",
  );
});

Deno.test("start() goes past a file that may not be executed, but remembers it", () => {
  using scratch = new Scratch();
  const searchPath = ["a", "b"].map((name) => scratch.subfolder(name));
  scratch.file("a/command", "#!/bin/sh\necho a\n", 0o644);
  assertEquals(
    refusal(scratch, ["command"], { searchPath }),
    "Permission denied",
  );
  scratch.file("b/command", "#!/bin/sh\necho b\n", 0o755);
  assertEquals(printed(scratch, ["command"], { searchPath }), "b\n");
});

Deno.test("start() goes past a part of the path that is no folder", () => {
  using scratch = new Scratch();
  const searchPath = [
    scratch.file("file"),
    scratch.path("missing"),
    scratch.subfolder("b"),
  ];
  scratch.file("b/command", "#!/bin/sh\necho b\n", 0o755);
  assertEquals(printed(scratch, ["command"], { searchPath }), "b\n");
});

Deno.test("start() has the shell run a file that the kernel knows no format of", () => {
  using scratch = new Scratch();
  const script = 'echo "$0"; for word; do echo "[$word]"; done\n';
  const path = scratch.file("formatless", script, 0o755);
  assertEquals(
    printed(scratch, [path, "one", "two words", "$HOME"]),
    `${path}\n[one]\n[two words]\n[$HOME]\n`,
  );
  assertEquals(
    printed(scratch, ["formatless", "x"], { searchPath: [scratch.folder] }),
    `${path}\n[x]\n`,
  );
});

Deno.test("start() has the shell run an empty file, which does nothing", () => {
  using scratch = new Scratch();
  assertEquals(printed(scratch, [scratch.file("empty", "", 0o755)]), "");
});

/** A cat of nothing, and credentials that count how often they are taken. */
function countedCat(): { cat: PreparedCommand; taken: () => number } {
  let taken = 0;
  const credentials: Credentials = {
    ...unchangingCredentials(),
    asCommand: (_identity, action) => {
      taken++;
      return action();
    },
  };
  return {
    cat: prepareCat(credentials),
    taken: () => taken,
  };
}

function prepareCat(credentials: Credentials): PreparedCommand {
  return new Spawner(libc, credentials).prepare({
    argv: ["/bin/cat"],
    environment: [],
    searchPath: [],
    identity: { uid: 0, gid: 0 },
  });
}

/** Descriptors of open files, as many as wanted. */
function opened(count: number): number[] {
  return Array.from(
    { length: count },
    () => checked(libc, "open", libc.c.open(cString("/dev/null"), 2, 0)),
  );
}

Deno.test("start() becomes the command's user once, for any number of connections", () => {
  const { cat, taken } = countedCat();
  const pids = cat.start(opened(5));
  assertEquals(new Set(pids).size, 5);
  assertEquals(taken(), 1);
  const children = new Children(libc);
  for (const pid of pids) assertEquals(children.collectDying(pid), 0);
});

Deno.test("start() starts the others when one command cannot be started", () => {
  const { cat } = countedCat();
  const [first = -1, closed = -1, last = -1] = opened(3);
  libc.c.close(closed);
  const [one = -1, failed = -1, two = -1] = cat.start([first, closed, last]);
  assertEquals(errorText(libc, -failed), "Bad file descriptor");
  const children = new Children(libc);
  for (const pid of [one, two]) assertEquals(children.collectDying(pid), 0);
});

Deno.test("start() closes its connections, whether or not commands can be started", () => {
  const { cat } = countedCat();
  const started = opened(3);
  const children = new Children(libc);
  for (const pid of cat.start(started)) children.collectDying(pid);
  assertEquals(started.map(isOpen), [false, false, false]);

  const refused = opened(3);
  const refusing = prepareCat({
    ...unchangingCredentials(),
    asCommand: () => {
      throw new SystemError("setresuid", 1, "Operation not permitted");
    },
  });
  assertThrows(() => refusing.start(refused), SystemError, "not permitted");
  assertEquals(refused.map(isOpen), [false, false, false]);
});

rootTest(
  "start() gives the command its user's ids, its group alone and no capabilities",
  async () => {
    await using account = await Account.create();
    // Groups that the account is in are not the service's.
    await output("gpasswd", "--add", account.name, "daemon");
    using scratch = new Scratch();
    const path = scratch.file("output");
    const { uid, gid } = account;
    const { word } = await reportOf<{ word: number }>("spawn_as.ts", {
      prefix: ["setpriv", "--inh-caps", "+net_raw", "--groups", "1,2,3"],
      args: [JSON.stringify({ uid, gid }), path, "cat", "/proc/self/status"],
      allow: ALLOW_LIBC,
    });
    assertEquals(word, 0);
    const fields = statusFields(Deno.readTextFileSync(path));
    assertEquals(fields.get("Uid"), `${uid} ${uid} ${uid} ${uid}`);
    assertEquals(fields.get("Gid"), `${gid} ${gid} ${gid} ${gid}`);
    assertEquals(fields.get("Groups"), `${gid}`);
    const NONE = "0".repeat(16);
    for (const name of ["CapPrm", "CapEff", "CapAmb"]) {
      assertEquals(fields.get(name), NONE, name);
    }
  },
);

rootTest(
  "start() looks for the command with the rights of its user",
  async () => {
    await using account = await Account.create();
    using scratch = new Scratch();
    const path = scratch.file("output");
    const script = scratch.file("script", "#!/bin/sh\n", 0o700);
    const { uid, gid } = account;
    const { pid } = await reportOf<{ pid: number }>("spawn_as.ts", {
      args: [JSON.stringify({ uid, gid }), path, script],
    });
    assertEquals(errorText(libc, -pid), "Permission denied");
  },
);

/**
 * Starts a script as a successor, with a file to print into.
 *
 * @returns What it prints, and the file's descriptor in both processes.
 */
function fromSuccessor(
  script: string,
  environment: readonly string[] = [],
): { text: string; fd: number } {
  using scratch = new Scratch();
  const path = scratch.file("printed", "");
  using file = new OpenFile(path);
  const { fd } = file;
  const pid = spawnSuccessor(libc, unchangingCredentials(), {
    path: "/bin/sh",
    argv: ["sh", "-c", `{ ${script}; } >/dev/fd/${fd}`],
    environment: ["PATH=/usr/bin:/bin", ...environment],
    directory: "/usr",
    fds: [{ fd, as: fd }],
  });
  assert(pid > 0, errorText(libc, -pid));
  assertEquals(new Children(libc).collectDying(pid), 0);
  return { text: Deno.readTextFileSync(path), fd };
}

Deno.test("spawnSuccessor() hands descriptors on under their numbers, and no others", () => {
  using scratch = new Scratch();
  using _other = new OpenFile(scratch.file("other"));
  const { text, fd } = fromSuccessor("exec ls /proc/self/fd");
  const fds = new Set(text.trim().split("\n").map(Number));
  for (const expected of [0, 1, 2, fd]) {
    assertEquals(fds.delete(expected), true, text);
  }
  // What is left is the folder that ls(1) itself reads.
  assertEquals(fds.size, 1, text);
});

Deno.test("spawnSuccessor() gives the environment as listed and no signal set aside", () => {
  const { text } = fromSuccessor(
    'echo "$GREETING"; cat /proc/self/status',
    ["GREETING=hello world"],
  );
  assertEquals(text.slice(0, text.indexOf("\n")), "hello world");
  const fields = statusFields(text);
  for (const name of ["SigBlk", "SigIgn"]) {
    assertEquals(fields.get(name), "0".repeat(16), name);
  }
});

Deno.test("spawnSuccessor() starts the program where it is told to", () => {
  assertEquals(fromSuccessor("pwd").text, "/usr\n");
});

Deno.test("spawnSuccessor() keeps the session, so that who waits for the daemon goes on to", () => {
  const session = (pid: string): string =>
    fromSuccessor(`cut -d" " -f6 /proc/${pid}/stat`).text;
  assertEquals(session("self"), session(String(Deno.pid)));
});

Deno.test("spawnSuccessor() tells why the program cannot be started", () => {
  const pid = spawnSuccessor(libc, unchangingCredentials(), {
    path: "/no/such/program",
    argv: ["program"],
    environment: [],
    directory: "/",
    fds: [],
  });
  assertEquals(errorText(libc, -pid), "No such file or directory");
});
