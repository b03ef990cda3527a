/**
 * What a service asks for beside its user, seen from inside of a command.
 *
 * @module
 */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { Surroundings } from "../../../../lib/posix/surroundings/surroundings.ts";
import {
  Account,
  output,
  rootTest,
  statusFields,
} from "../../../e2e/machine.ts";
import { reportOf } from "../../fixture.ts";
import { Scratch } from "../../scratch.ts";
import { printed, tryToStart } from "../start_command.ts";

/** What a command prints in its surroundings. */
function seen(surroundings: Surroundings, ...argv: string[]): string {
  using scratch = new Scratch();
  return printed(scratch, argv, { surroundings });
}

function status(surroundings: Surroundings): Map<string, string> {
  return statusFields(seen(surroundings, "cat", "/proc/self/status"));
}

/** The soft and the hard limit, as /proc has them. */
function limit(text: string, name: string): string[] {
  const line = text.split("\n").find((line) => line.startsWith(name)) ?? "";
  return line.slice(name.length).trim().split(/\s+/).slice(0, 2);
}

Deno.test("limits are the command's own, soft and hard", () => {
  const text = seen(
    {
      limits: [
        { resource: "nofile", soft: 20, hard: 64 },
        { resource: "as", soft: 2 ** 30, hard: 2 ** 30 },
        { resource: "cpu", soft: 60, hard: "infinity" },
        { resource: "core", soft: 0, hard: 0 },
        { resource: "fsize", soft: 2 ** 32, hard: 2 ** 33 },
        { resource: "stack", soft: 2 ** 20, hard: 2 ** 23 },
        { resource: "memlock", soft: 0, hard: 65536 },
      ],
    },
    "cat",
    "/proc/self/limits",
  );
  assertEquals(limit(text, "Max open files"), ["20", "64"]);
  assertEquals(limit(text, "Max address space"), ["1073741824", "1073741824"]);
  assertEquals(limit(text, "Max cpu time"), ["60", "unlimited"]);
  assertEquals(limit(text, "Max core file size"), ["0", "0"]);
  assertEquals(limit(text, "Max file size"), ["4294967296", "8589934592"]);
  assertEquals(limit(text, "Max stack size"), ["1048576", "8388608"]);
  assertEquals(limit(text, "Max locked memory"), ["0", "65536"]);
});

Deno.test("a limit of less than the daemon's own memory and descriptors keeps no command from starting", () => {
  // The child shares the daemon's memory, some gigabytes, until exec.
  const text = seen(
    {
      limits: [
        { resource: "as", soft: 2 ** 25, hard: 2 ** 25 },
        { resource: "data", soft: 2 ** 24, hard: 2 ** 24 },
        { resource: "nofile", soft: 4, hard: 4 },
      ],
    },
    "cat",
    "/proc/self/limits",
  );
  assertEquals(limit(text, "Max open files"), ["4", "4"]);
});

Deno.test("a limit in which no program fits ends the command, not the daemon", () => {
  using scratch = new Scratch();
  const limits = [{ resource: "as", soft: 4096, hard: 4096 }] as const;
  const surroundings = { limits };
  const end = tryToStart(scratch, ["/bin/true"], { surroundings });
  // Where exec comes first, the kernel kills what it has begun to make.
  if (typeof end === "string") assertMatch(end, /memory|too long/);
});

Deno.test("umask and directory are the command's own", () => {
  using scratch = new Scratch();
  const folder = scratch.subfolder("here");
  assertEquals(status({ umask: 0o027 }).get("Umask"), "0027");
  assertEquals(seen({ directory: folder }, "pwd"), `${folder}\n`);
});

Deno.test("a directory that is not there is told, and the command not started", () => {
  using scratch = new Scratch();
  const surroundings = { directory: "/no/such/folder" };
  assertEquals(
    tryToStart(scratch, ["/bin/true"], { surroundings }),
    "chdir /no/such/folder: No such file or directory",
  );
});

Deno.test("nice is the command's own, and the class of its input and output", () => {
  const before = Number(seen({}, "nice"));
  assertEquals(seen({ nice: 19 }, "nice"), "19\n");
  assertEquals(Number(seen({}, "nice")), before);
  assertEquals(
    seen({ ioPriority: { class: "idle", level: 0 } }, "ionice"),
    "idle\n",
  );
  assertEquals(
    seen({ ioPriority: { class: "best-effort", level: 6 } }, "ionice"),
    "best-effort: prio 6\n",
  );
});

rootTest("root's commands may come before the others", async () => {
  assertEquals(seen({ nice: -5 }, "nice"), "-5\n");
  assertEquals(
    seen({ ioPriority: { class: "realtime", level: 1 } }, "ionice"),
    "realtime: prio 1\n",
  );
  await Promise.resolve();
});

Deno.test("the command has the processors that it may have", () => {
  assertEquals(status({ cpus: [0] }).get("Cpus_allowed_list"), "0");
  using scratch = new Scratch();
  const surroundings = { cpus: [1000] };
  assertEquals(
    tryToStart(scratch, ["/bin/true"], { surroundings }),
    "sched_setaffinity: Invalid argument",
  );
});

Deno.test("no new privileges are to be had by exec", () => {
  assertEquals(status({ noNewPrivileges: true }).get("NoNewPrivs"), "1");
  assertEquals(status({}).get("NoNewPrivs"), "0");
});

Deno.test("standard error is nothing, where that is asked for", () => {
  const script = "readlink /proc/self/fd/2; echo unread >&2";
  assertEquals(
    seen({ standardError: "null" }, "/bin/sh", "-c", script),
    "/dev/null\n",
  );
});

Deno.test("standard error is the daemon's file, but not its opening", () => {
  const script = "stat -L -c %d:%i /proc/self/fd/2; " +
    "grep flags /proc/self/fdinfo/2";
  const [file, flags = ""] = seen(
    { standardError: "inherit" },
    "/bin/sh",
    "-c",
    script,
  ).split("\n");
  const ours = new TextDecoder().decode(
    new Deno.Command("stat", {
      args: ["-L", "-c", "%d:%i", `/proc/${Deno.pid}/fd/2`],
    }).outputSync().stdout,
  );
  assertEquals(`${file}\n`, ours);
  // It cannot be read from: O_WRONLY, where it could be opened at all.
  if (flags.includes("2001")) assertMatch(flags, /1$/);
});

rootTest(
  "a private network has a loopback interface that works, and no other",
  async () => {
    const script = "tail -n +3 /proc/net/dev | cut -d: -f1; " +
      "cat /sys/class/net/lo/flags 2>/dev/null; readlink /proc/self/ns/net";
    // Of this thread, in which its children begin.
    const ownNetwork = (): Promise<string> =>
      output("readlink", "/proc/self/ns/net");
    const outside = await ownNetwork();
    const lines = seen({ privateNetwork: true }, "/bin/sh", "-c", script)
      .trim().split("\n").map((line) => line.trim());
    assertEquals(lines[0], "lo");
    assertEquals(lines.includes(outside.trim()), false);
    // This process has stayed where it was.
    assertEquals(await ownNetwork(), outside);
    const ping = "exec 3<>/dev/tcp/127.0.0.1/9 2>&1; true";
    assertMatch(
      seen({ privateNetwork: true }, "/bin/bash", "-c", ping),
      /Connection refused/,
    );
  },
);

/** Where programs and their libraries are. */
const SYSTEM = ["/usr", "/bin", "/lib", "/lib64", "/proc", "/dev"]
  .map((path) => ({ path, access: "read" }) as const);

Deno.test("Landlock leaves the paths that are listed, to read or to write, and no others", () => {
  using scratch = new Scratch();
  const read = scratch.subfolder("read");
  const write = scratch.subfolder("write");
  scratch.file("read/file", "to be read\n");
  scratch.file("secret", "not to be read\n");
  scratch.file("write/script", "#!/bin/sh\necho ran\n", 0o755);
  const script = `
    cat ${read}/file
    echo x 2>&1 > ${read}/new || echo no-write
    echo x > ${write}/new && mv ${write}/new ${write}/newer && rm ${write}/newer && echo written
    cat ${scratch.path("secret")} 2>/dev/null || echo no-read
    ls ${scratch.folder} 2>/dev/null || echo no-list
    ${write}/script 2>/dev/null || echo no-exec
  `;
  const text = seen(
    {
      landlock: [
        ...SYSTEM,
        { path: read, access: "read" },
        { path: write, access: "write" },
        { path: "/dev/null", access: "write" },
      ],
    },
    "/bin/sh",
    "-c",
    script,
  ).replace(/^.*cannot create.*\n/m, "");
  assertEquals(
    text,
    "to be read\nno-write\nwritten\nno-read\nno-list\nno-exec\n",
  );
});

Deno.test("Landlock brings no new privileges with it", () => {
  assertEquals(status({ landlock: SYSTEM }).get("NoNewPrivs"), "1");
});

Deno.test("Landlock keeps the command itself from being executed where that is not allowed", () => {
  using scratch = new Scratch();
  const surroundings = {
    landlock: [{ path: scratch.folder, access: "write" } as const],
  };
  assertEquals(
    tryToStart(scratch, ["/bin/true"], { surroundings }),
    "Permission denied",
  );
});

Deno.test("a path that is not there allows nothing, one that cannot be is told", () => {
  const gone = { path: "/no/such/path", access: "read" } as const;
  assertEquals(seen({ landlock: [...SYSTEM, gone] }, "echo", "x"), "x\n");
  const below = { path: "/etc/passwd/below", access: "read" } as const;
  assertThrows(
    () => seen({ landlock: [below] }, "true"),
    Error,
    "/etc/passwd/below: Not a directory",
  );
});

interface Told {
  readonly word?: number;
  readonly failure?: string;
}

/** What a command of an account's prints or why it does not start. */
async function seenAs(
  account: Account,
  surroundings: Surroundings,
  ...argv: string[]
): Promise<Told & { readonly text: string }> {
  using scratch = new Scratch();
  const path = scratch.file("output");
  const { uid, gid } = account;
  const asked = JSON.stringify({ uid, gid, surroundings });
  const told = await reportOf<Told>("spawn_as.ts", {
    args: [asked, path, ...argv],
  });
  return { ...told, text: Deno.readTextFileSync(path) };
}

rootTest("all of it together, for another user", async () => {
  await using account = await Account.create();
  const { word, text } = await seenAs(
    account,
    {
      limits: [
        { resource: "nproc", soft: 20, hard: 20 },
        { resource: "nofile", soft: 64, hard: 64 },
        { resource: "as", soft: 2 ** 28, hard: 2 ** 28 },
      ],
      nice: -3,
      umask: 0o022,
      directory: "/usr",
      ioPriority: { class: "realtime", level: 7 },
      cpus: [0],
      groups: [account.gid, 8, 12],
      noNewPrivileges: true,
      privateNetwork: true,
      landlock: SYSTEM,
      standardError: "null",
    },
    "/bin/sh",
    "-c",
    "nice; ionice; pwd; cat /proc/self/status /proc/self/limits",
  );
  assertEquals(word, 0, text);
  assertEquals(text.split("\n").slice(0, 3), [
    "-3",
    "realtime: prio 7",
    "/usr",
  ]);
  const fields = statusFields(text);
  const NONE = "0".repeat(16);
  for (
    const [name, value] of [
      ["Uid", Array(4).fill(account.uid).join(" ")],
      ["Gid", Array(4).fill(account.gid).join(" ")],
      ["Groups", `8 12 ${account.gid}`],
      ["Umask", "0022"],
      ["NoNewPrivs", "1"],
      ["Cpus_allowed_list", "0"],
      ...["CapInh", "CapPrm", "CapEff", "CapAmb"].map((name) => [name, NONE]),
      ...["SigBlk", "SigIgn", "SigCgt"].map((name) => [name, NONE]),
    ] as const
  ) {
    assertEquals(fields.get(name ?? ""), value, name);
  }
  assertEquals(limit(text, "Max processes"), ["20", "20"]);
});

rootTest(
  "a directory is entered as the user, who may not be let in",
  async () => {
    await using account = await Account.create();
    using scratch = new Scratch();
    Deno.chmodSync(scratch.folder, 0o700);
    const { failure } = await seenAs(
      account,
      { directory: scratch.folder },
      "true",
    );
    assertEquals(failure, `chdir ${scratch.folder}: Permission denied`);
  },
);

rootTest(
  "a command of a user who has all the processes that it may have is not started",
  async () => {
    await using account = await Account.create();
    // Two processes of the account's that are not the daemon's: the kernel looks
    // before it counts the one that becomes the account's.
    const held = new Deno.Command("setpriv", {
      args: [
        ...[
          `--reuid=${account.uid}`,
          `--regid=${account.gid}`,
          "--clear-groups",
        ],
        ...["sh", "-c", "cat; :"],
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = held.stdin.getWriter();
    await writer.write(new TextEncoder().encode("ready"));
    const reader = held.stdout.getReader();
    await reader.read();
    const limits = [{ resource: "nproc", soft: 1, hard: 1 }] as const;
    const { failure } = await seenAs(account, { limits }, "true");
    await writer.close();
    await reader.read();
    await held.status;
    assertEquals(failure, "Resource temporarily unavailable");
  },
);
