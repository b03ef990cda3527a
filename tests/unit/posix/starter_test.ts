import { assertEquals } from "@std/assert";
import { checked } from "../../../lib/posix/errno.ts";
import { cString } from "../../../lib/posix/libc.ts";
import { duplicate } from "../../../lib/posix/process.ts";
import type { PreparedCommand } from "../../../lib/posix/starter.ts";
import { Account, output, rootTest, statusFields } from "../../e2e/machine.ts";
import { ALLOW_LIBC, reportOf } from "../fixture.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";
import { isOpen, OpenFile } from "./descriptors.ts";
import {
  begin,
  collectDying,
  outcome,
  printed,
  startCommand,
  starter,
  type StartOptions,
  tryToStart,
} from "./start_command.ts";

/** The system's words for the reason why a command cannot be started. */
function refusal(
  scratch: Scratch,
  argv: readonly string[],
  options: StartOptions = {},
): string {
  const reason = tryToStart(scratch, argv, options);
  if (typeof reason === "number") throw new Error("it was started");
  return reason;
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

Deno.test("start() gives a command's own variables before those of every start", () => {
  using scratch = new Scratch();
  assertEquals(
    printed(scratch, ["env"], {
      environment: ["A=1", "AB=2", "PATH=/usr/bin:/bin"],
      variables: ["A=own", "C={x}"],
    }),
    "AB=2\nPATH=/usr/bin:/bin\nA=own\nC={x}\n",
  );
});

Deno.test("start() gives each command its own variables, also in a slot that was used", () => {
  using scratch = new Scratch();
  const command = starter.prepare({
    argv: ["/usr/bin/env"],
    environment: ["A=1"],
    searchPath: [],
    identity: undefined,
  });
  const env = (options: StartOptions = {}): string => {
    using file = new OpenFile(scratch.file("output"));
    const start = begin(command, duplicate(libc, file.fd), options);
    if (typeof start === "number") throw new Error(`${start}`);
    const pid = outcome(command, start);
    if (typeof pid !== "number") throw new Error(pid.reason);
    collectDying(pid);
    return Deno.readTextFileSync(scratch.path("output"));
  };
  const some = { variables: ["B=some"] };
  const others = { variables: ["A=others"] };
  assertEquals(
    [env(), env(some), env(), env(others), env(some)],
    ["A=1\n", "A=1\nB=some\n", "A=1\n", "A=others\n", "A=1\nB=some\n"],
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
  const pids = Array.from(
    { length: 5 },
    () => startCommand(scratch, ["/bin/true"]),
  );
  assertEquals(new Set(pids).size, 5);
  for (const pid of pids) assertEquals(collectDying(pid), 0);
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

/** Descriptors of open files, as many as wanted. */
function opened(count: number): number[] {
  return Array.from(
    { length: count },
    () => checked(libc, "open", libc.c.open(cString("/dev/null"), 2, 0)),
  );
}

/** A cat of nothing. */
function prepareCat(): PreparedCommand {
  return starter.prepare({
    argv: ["/bin/cat"],
    environment: [],
    searchPath: [],
    identity: undefined,
  });
}

Deno.test("start() starts the others when one command cannot be started", () => {
  const cat = prepareCat();
  const [first = -1, closed = -1, last = -1] = opened(3);
  libc.c.close(closed);
  const ends = [first, closed, last].map((fd) => {
    const start = begin(cat, fd);
    return typeof start === "number" ? start : outcome(cat, start);
  });
  const [one, failed, two] = ends;
  assertEquals(failed, { reason: "dup3: Bad file descriptor", code: 9 });
  for (const pid of [one, two]) assertEquals(collectDying(Number(pid)), 0);
});

Deno.test("start() closes its connection, at once or when the command runs", () => {
  const cat = prepareCat();
  const [kept = -1, given = -1] = opened(2);
  const starts = [begin(cat, kept)];
  starter.withoutSignals(() => {
    const options = { keepsConnection: false, sharesDescriptors: false };
    starts.push(cat.start(given, options));
  });
  assertEquals([isOpen(kept), isOpen(given)], [true, false]);
  for (const start of starts) {
    if (typeof start === "number") throw new Error(`error number ${start}`);
    assertEquals(collectDying(Number(outcome(cat, start))), 0);
  }
  assertEquals(isOpen(kept), false);
});

Deno.test("a slot is taken from the start to its outcome", () => {
  const cat = prepareCat();
  const [fd = -1] = opened(1);
  assertEquals(cat.takenCount, 0);
  const start = begin(cat, fd);
  if (typeof start === "number") throw new Error(`error number ${start}`);
  assertEquals(cat.takenCount, 1);
  collectDying(Number(outcome(cat, start)));
  assertEquals(cat.takenCount, 0);
});

Deno.test("start() in a shared table gives the command a table of its own", () => {
  using scratch = new Scratch();
  const options = { sharesDescriptors: true };
  using _other = new OpenFile(scratch.file("other"));
  for (let count = 0; count < 40; count++) {
    const text = printed(scratch, ["/bin/ls", "/proc/self/fd"], options);
    // The fourth is the folder that ls(1) itself reads.
    assertEquals(text, "0\n1\n2\n3\n");
  }
});

Deno.test("a failure in a shared table lets the connection go", () => {
  using scratch = new Scratch();
  const before = openDescriptors();
  for (let count = 0; count < 40; count++) {
    const options = { sharesDescriptors: true };
    assertEquals(
      refusal(scratch, ["/no/such/file"], options),
      "No such file or directory",
    );
  }
  assertEquals(openDescriptors(), before);
});

function openDescriptors(): number {
  return Array.from({ length: 256 }, (_, fd) => fd).filter(isOpen).length;
}

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
    const { failure } = await reportOf<{ failure: string }>("spawn_as.ts", {
      args: [JSON.stringify({ uid, gid }), path, script],
    });
    assertEquals(failure, "Permission denied");
  },
);
