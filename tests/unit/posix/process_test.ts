import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { Epoll } from "../../../lib/posix/epoll.ts";
import { errorText, SystemError } from "../../../lib/posix/errno.ts";
import {
  Children,
  duplicate,
  giveFreedMemoryBack,
  makeBlocking,
  readOnce,
  readToEnd,
  writeOnce,
} from "../../../lib/posix/process.ts";
import { SIGKILL, SIGTERM } from "../../../lib/posix/signals.ts";
import { rssAnonKiB } from "../../e2e/load.ts";
import { isAlive, output, proc, until } from "../../e2e/machine.ts";
import { LIBC_PATHS } from "../../../lib/posix/libc.ts";
import { ALLOW_LIBC, reportOf } from "../fixture.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";
import { isOpen, OpenFile, Pipe } from "./descriptors.ts";
import { isThere } from "./header.ts";
import { collectDying, startCommand } from "./start_command.ts";

Deno.test("closeAllOnExec() keeps what the process was started with from its children", async () => {
  using scratch = new Scratch();
  const file = scratch.file("inherited");
  const { before, after } = await reportOf<{ before: string; after: string }>(
    "close_all_on_exec.ts",
    {
      prefix: ["sh", "-c", 'exec 7<"$0" && exec "$@"', file],
      allow: [...ALLOW_LIBC, "--allow-run=/bin/ls"],
    },
  );
  assert(before.includes(file), before);
  assert(!after.includes(file), after);
});

Deno.test("setUmask() decides on the mode of files that children make", async () => {
  using scratch = new Scratch();
  const path = scratch.path("made");
  await reportOf("set_umask.ts", {
    args: [path],
    allow: [...ALLOW_LIBC, "--allow-run=/usr/bin/touch"],
  });
  assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o640);
});

Deno.test("giveFreedMemoryBack() gives back what lies below memory in use", async () => {
  const library = Deno.dlopen(LIBC_PATHS.find(isThere) ?? "", {
    free: { parameters: ["u64"], result: "void" },
  });
  const { free } = library.symbols;
  const bytes = new Uint8Array(64 * 1024).fill(1);
  const allocate = (): bigint => {
    const address = libc.c.malloc(BigInt(bytes.length));
    libc.c.memcpy_out(address, bytes, BigInt(bytes.length));
    return address;
  };
  const blocks = Array.from({ length: 256 }, allocate);
  const above = allocate();
  for (const block of blocks) free(block);
  const beforeKiB = await rssAnonKiB(Deno.pid);
  giveFreedMemoryBack(libc);
  assertLess(await rssAnonKiB(Deno.pid), beforeKiB - 8 * 1024);
  free(above);
  library.close();
});

Deno.test("raiseDescriptorLimit() allows what the hard limit does, to children as well", async () => {
  const limits = await reportOf("descriptor_limit.ts", {
    prefix: ["prlimit", "--nofile=500:600"],
    allow: [...ALLOW_LIBC, "--allow-run=/bin/sh"],
  });
  assertEquals(limits, "600 600\n");
});

Deno.test("duplicate() makes a second descriptor for the same file", () => {
  using scratch = new Scratch();
  const path = scratch.file("file");
  const file = new OpenFile(path);
  const copy = duplicate(libc, file.fd);
  try {
    assert(copy >= 3 && copy !== file.fd);
    file[Symbol.dispose]();
    assertEquals(isOpen(file.fd), false);
    assertEquals(isOpen(copy), true);
    writeOnce(libc, copy, new TextEncoder().encode("still open\n"));
    assertEquals(Deno.readTextFileSync(path), "still open\n");
  } finally {
    libc.c.close(copy);
  }
  assertThrows(() => duplicate(libc, copy), SystemError, "Bad file descriptor");
});

Deno.test("writeOnce() names the descriptor that cannot be written to", () => {
  assertThrows(
    () => writeOnce(libc, 1_000_000, new Uint8Array([0x0a])),
    SystemError,
    "write to descriptor 1000000: Bad file descriptor",
  );
});

Deno.test("readOnce() takes what there is, and readToEnd() all of it", () => {
  using scratch = new Scratch();
  using file = new OpenFile(scratch.file("text", "hello"));
  const read = (maxBytes: number): string =>
    new TextDecoder().decode(readOnce(libc, file.fd, maxBytes));
  assertEquals(read(3), "hel");
  assertEquals(read(100), "lo");
  assertEquals(read(100), "");
  const big = new Uint8Array(200_000).map((_, at) => at * 7);
  Deno.writeFileSync(scratch.path("big"), big);
  using other = new OpenFile(scratch.path("big"));
  assertEquals(readToEnd(libc, other.fd), big);
  assertThrows(
    () => readOnce(libc, 1_000_000, 1),
    SystemError,
    "read: Bad file descriptor",
  );
});

Deno.test("commandLine() gives every word that the process was started with", async () => {
  const args = ["two words", "", "é", "x".repeat(100_000), "-v"];
  const words = await reportOf<string[]>("command_line.ts", { args });
  assertEquals(words[0], Deno.execPath());
  assertEquals(words[1], "run");
  assertEquals(words.slice(-args.length), args);
  assert(words.at(-args.length - 1)?.endsWith("/fixtures/command_line.ts"));
});

Deno.test("Children.watch() gives a descriptor that can be read when the child has ended", async () => {
  const children = new Children(libc);
  const epoll = new Epoll(libc);
  using scratch = new Scratch();
  const pid = startCommand(scratch, ["/bin/sleep", "60"]);
  const pidFd = children.watch(pid);
  assert(pidFd >= 3);
  epoll.add(pidFd);
  assertEquals(epoll.waitHere(0), 0);
  assertEquals(children.collect(pid), undefined);
  children.signalGroup(pid, SIGTERM);
  assertEquals(await epoll.waitElsewhere(), 1);
  assertEquals(epoll.ready[0], pidFd);
  assertEquals(children.collect(pid), SIGTERM);
  epoll.remove(pidFd);
  libc.c.close(pidFd);
});

Deno.test("Children.watch() gives the negated error number for a process that is not there", () => {
  const code = -new Children(libc).watch(0x7ffffffe);
  assertEquals(errorText(libc, code), "No such process");
});

Deno.test("Children.collect() gives each child's status word once", async () => {
  const children = new Children(libc);
  using scratch = new Scratch();
  const seven = startCommand(scratch, ["/bin/sh", "-c", "exit 7"]);
  const zero = startCommand(scratch, ["/bin/true"]);
  const collected = async (pid: number): Promise<unknown> => {
    let word: number | "gone" | undefined;
    await until(`${pid} has ended`, () => {
      word = children.collect(pid);
      return word !== undefined;
    });
    return word;
  };
  assertEquals(await collected(zero), 0);
  assertEquals(await collected(seven), 7 << 8);
  assertEquals(children.collect(seven), "gone");
  assertEquals(collectDying(seven), undefined);
});

Deno.test("Children.signalGroup() reaches what the child has started itself", async () => {
  const children = new Children(libc);
  using scratch = new Scratch();
  const script = 'trap "" TERM; sleep 60 & echo $!; wait';
  const pid = startCommand(scratch, ["/bin/sh", "-c", script]);
  await until("the child has started another", () => {
    return /^\d+\n$/.test(Deno.readTextFileSync(scratch.path("output")));
  });
  const grandchild = Number(Deno.readTextFileSync(scratch.path("output")));
  const [, , , , group] = (await proc(`${grandchild}/stat`)).split(" ");
  assertEquals(Number(group), pid);
  assertEquals(children.signalGroup(pid, SIGKILL), 0);
  assertEquals(collectDying(pid), SIGKILL);
  await until("both are gone", async () => !await isAlive(grandchild));
});

Deno.test("Children.signalGroup() tells that there is no such group", () => {
  const children = new Children(libc);
  using scratch = new Scratch();
  const pid = startCommand(scratch, ["/bin/true"]);
  collectDying(pid);
  const code = children.signalGroup(pid, SIGKILL);
  assertEquals(errorText(libc, code), "No such process");
});

Deno.test("makeBlocking() has a read wait", async () => {
  using scratch = new Scratch();
  using pipe = await Pipe.create(scratch);
  const flags = async (): Promise<number> => {
    const text = await output("cat", `/proc/${Deno.pid}/fdinfo/${pipe.fd}`);
    return parseInt(/^flags:\t(\d+)$/m.exec(text)?.[1] ?? "", 8);
  };
  const O_NONBLOCK = 0o4000;
  assertEquals(await flags() & O_NONBLOCK, O_NONBLOCK);
  makeBlocking(libc, pipe.fd);
  assertEquals(await flags() & O_NONBLOCK, 0);
  makeBlocking(libc, pipe.fd);
  assertEquals(await flags() & O_NONBLOCK, 0);
});
