import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { AnybodysProgram } from "./anybodys_program.ts";
import {
  connectTo,
  exists,
  freeAddresses,
  freePort,
  inet,
  IS_FROM_SOURCE,
  isRefused,
  queueOf,
  refusals,
  Server,
  talkTo,
  unix,
  writeConfiguration,
} from "./configuration.ts";
import { becomes, readBytes, recordsOf } from "./load.ts";
import {
  Account,
  childrenOf,
  Folder,
  output,
  rootTest,
  until,
} from "./machine.ts";
import { Conversation, LinkedProgram } from "./reloading.ts";
import { programWords, writeAll } from "./daemon.ts";

rootTest("a program that crashes as it is tried changes nothing", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    master: [inet(address)],
  });
  const program = await LinkedProgram.create(folder);
  await using server = await Server.start(["-c", directory], {
    program: program.words,
  });
  const ends = [
    ["exit 3", "exit status 3"],
    ["kill -SEGV $$", "killed by signal 11"],
    ["exit 0", "exit status 0"],
  ] as const;
  for (const [script, end] of ends) {
    await program.replace(script);
    assertStringIncludes(
      (await server.reloadInVain()).text,
      `it gave no verdict: ${end}; the old one goes on`,
    );
    assertEquals(await talkTo(address, "hello"), "hello");
  }
  await becomes([], () => childrenOf(server.pid));
});

rootTest("a start directory that was removed is told as that", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    master: [inet(address)],
  });
  const start = folder.join("start");
  await Deno.mkdir(start);
  await using server = await Server.start(["-c", directory], { cwd: start });
  using held = await Conversation.start(address);
  const moved = folder.join("moved");
  await Deno.rename(start, moved);
  await server.reload();
  await Deno.remove(moved);
  const { text } = await server.reloadInVain();
  assertMatch(
    text,
    /^cannot start \S+ anew: the directory that it was started in was removed: /,
  );
  await held.goOn();
  assertEquals(await talkTo(address, "hello"), "hello");
});

rootTest("a full disk changes nothing, and is told", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    master: [inet(address)],
  });
  const run = folder.join("run");
  await Deno.mkdir(run);
  const pidFile = `${run}/spawnd.pid`;
  const mounted = 'mount -t tmpfs -o size=64k,mode=755 run "$0" && exec "$@"';
  await using server = await Server.start(
    ["-c", directory, "--pid-file", pidFile],
    { prefix: ["unshare", "--mount", "sh", "-c", mounted, run] },
  );
  const seen = `/proc/${server.pid}/root${run}`;
  const fill = 'cat /dev/zero >"$0/fill" 2>&1 || :';
  await output("sh", "-c", fill, seen);
  await server.reloadInVain();
  assertMatch(
    refusals(server.daemon.entries).join("\n"),
    /^cannot write the pid file \S+: write: No space left on device/,
  );
  assertEquals(await output("ls", seen), "fill\nspawnd.pid\n");
  assertEquals(await output("cat", `${seen}/spawnd.pid`), `${server.pid}\n`);
  assertEquals(await talkTo(address, "hello"), "hello");
  await output("rm", `${seen}/fill`);
  await server.reload();
  assertEquals(await output("cat", `${seen}/spawnd.pid`), `${server.pid}\n`);
});

rootTest(
  "a process that cannot be had changes nothing, and is told",
  async () => {
    await using folder = await Folder.create();
    await using account = await Account.create();
    const [address = ""] = freeAddresses(1);
    const directory = await writeConfiguration(folder, {
      main: [`owner = ${account.name}`],
      master: [inet(address, `user=${account.name} argv=/bin/cat`)],
    });
    // For root there is no such limit.
    const asAccount = [
      "setpriv",
      `--reuid=${account.uid}`,
      `--regid=${account.gid}`,
      "--clear-groups",
    ];
    const run = folder.join("run");
    await Deno.mkdir(run);
    await Deno.chown(run, account.uid, account.gid);
    const pidFile = `${run}/spawnd.pid`;
    await using anybodys = await AnybodysProgram.create();
    await using server = await Server.start(
      ["-c", directory, "--pid-file", pidFile],
      {
        prefix: ["prlimit", "--nproc=1000", ...asAccount],
        program: anybodys.words,
        env: anybodys.env,
        cwd: folder.path,
      },
    );
    using held = await Conversation.start(address);
    const [setpriv = "", ...ids] = asAccount;
    const limit = async (count: string): Promise<void> => {
      const words = ["--pid", `${server.pid}`, `--nproc=${count}`];
      await output(setpriv, ...ids, "prlimit", ...words);
    };
    const writtenMs = async (): Promise<number> =>
      (await Deno.stat(pidFile)).mtime?.getTime() ?? 0;
    const beforeMs = await writtenMs();
    await limit("1:");
    server.kill("SIGHUP");
    await until("it is refused", async () => await writtenMs() > beforeMs);
    await held.goOn();
    // The runtime, too, has no thread to write the log with until then.
    await limit("1000:");
    assertEquals(await talkTo(address, "hello"), "hello");
    assertMatch(
      (await server.daemon.event("reload-failed")).text,
      /^cannot start \S+ anew: Resource temporarily unavailable$/,
    );
    await server.reload();
    await held.goOn();
    assertEquals(await held.end(), "");
    assertEquals(await talkTo(address, "hello"), "hello");
  },
);

const DESCRIPTORS = 1024;

rootTest(
  `with every one of ${DESCRIPTORS} descriptors taken a reload loses nothing`,
  async () => {
    await using folder = await Folder.create();
    const [address = "", other = ""] = freeAddresses(2);
    const master = [
      inet(address, "user=nobody argv=/bin/cat", 0),
      inet(other, "user=nobody argv=/bin/echo other", 0),
    ];
    const directory = await writeConfiguration(folder, { master });
    await using server = await Server.start(["-c", directory], {
      prefix: ["prlimit", `--nofile=256:${DESCRIPTORS}`],
    });
    const clients: Deno.Conn[] = [];
    using stack = new DisposableStack();
    const commands = async (): Promise<number> =>
      (await childrenOf(server.pid)).length;
    // The last wait in the queue for want of a descriptor.
    while (clients.length < DESCRIPTORS) {
      clients.push(stack.use(await connectTo(address)));
    }
    await server.daemon.event("accept-failed");
    const before = (await childrenOf(server.pid)).sort();
    for (let reload = 0; reload < 2; reload++) {
      server.kill("SIGHUP");
      await until("it has come to something", () => {
        return server.reloads + recordsOf(server.daemon, "reload-failed")
              .length > reload;
      });
      assertEquals(
        recordsOf(server.daemon, "reload-failed").map(({ text }) => text),
        [],
      );
    }
    const after = await childrenOf(server.pid);
    assertEquals(before.filter((pid) => !after.includes(pid)), []);
    // Each is there, and each end is seen, whether it could be watched or not.
    for (const client of clients.slice(0, before.length)) {
      await writeAll(client, new TextEncoder().encode("hello"));
      assertEquals(await readBytes(client, 5), "hello");
    }
    stack.dispose();
    await becomes(0, commands);
    assertEquals(await talkTo(other), "other\n");
    assertEquals(await talkTo(address, "hello"), "hello");
  },
);

rootTest(
  "commands for which no descriptor is left are followed nevertheless",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const failing = await folder.file(
      "failing",
      "#!/bin/sh\nread -r code\nexit $code\n",
      0o755,
    );
    const directory = await writeConfiguration(folder, {
      master: [inet(address, `user=nobody argv=${failing}`, 0)],
    });
    const program = await LinkedProgram.create(folder);
    await using server = await Server.start(["-c", directory], {
      program: program.words,
    });
    using stack = new DisposableStack();
    const clients: Deno.Conn[] = [];
    while (clients.length < 150) {
      clients.push(stack.use(await connectTo(address)));
    }
    const commands = async (): Promise<number> =>
      (await childrenOf(server.pid)).length;
    await becomes(clients.length, commands);
    // From now on there are fewer descriptors than commands.
    await program.replace(
      `ulimit -n 100; exec ${programWords()[0]} "$@"`,
    );
    await server.reload();
    assertEquals(await commands(), clients.length);
    for (const client of clients) {
      await writeAll(client, new TextEncoder().encode("7\n"));
    }
    await becomes(0, commands);
    await server.daemon.event("failed", clients.length);
    assertEquals(recordsOf(server.daemon, "failed").length, clients.length);
  },
);

rootTest("a unix socket that was removed is made anew", async () => {
  await using folder = await Folder.create();
  const directory = await writeConfiguration(folder, {
    master: [unix("policy"), unix("kept")],
  });
  const path = `${queueOf(folder)}/private/policy`;
  await using server = await Server.start(["-c", directory]);
  using held = await Conversation.start(path);
  const { ino } = await Deno.stat(path);
  await server.reload();
  assertEquals((await Deno.stat(path)).ino, ino);
  await Deno.remove(path);
  assert(await isRefused(path));
  await server.reload();
  assertNotEquals((await Deno.stat(path)).ino, ino);
  assertEquals(await talkTo(path, "hello"), "hello");
  await server.reload();
  assertEquals(await talkTo(path, "hello"), "hello");
  await held.goOn();
  assertEquals(await held.end(), "");
  server.kill("SIGTERM");
  await server.ended();
  assert(!await exists(path), "the socket was left behind");
});

rootTest("what a stranger has put in a socket's place is told", async () => {
  await using folder = await Folder.create();
  const directory = await writeConfiguration(folder, {
    master: [unix("policy"), unix("kept")],
  });
  const path = `${queueOf(folder)}/private/policy`;
  await using server = await Server.start(["-c", directory]);
  const told = async (text: string): Promise<void> => {
    const { length } = refusals(server.daemon.entries);
    await server.reloadInVain();
    assertEquals(refusals(server.daemon.entries).slice(length), [
      `${directory}/master.cf:1:1: ${text}`,
    ]);
    assertEquals(
      await talkTo(`${queueOf(folder)}/private/kept`, "hello"),
      "hello",
    );
  };
  await Deno.remove(path);
  await Deno.writeTextFile(path, "a stranger's");
  await told(`${path} exists and is not a socket`);
  assertEquals(await Deno.readTextFile(path), "a stranger's");
  await Deno.remove(path);
  {
    using _stranger = Deno.listen({ transport: "unix", path });
    await told(
      `${path} is in use: process id ${Deno.pid} of user id 0 listens on it`,
    );
  }
  await Deno.remove(path).catch(() => {});
  await server.reload();
  assertEquals(await talkTo(path, "hello"), "hello");
});

rootTest("an address with a scope is served through reloads", async () => {
  await using folder = await Folder.create();
  const port = freePort();
  const directory = await writeConfiguration(folder, {
    master: [inet(`[::1%1]:${port}`)],
  });
  await using server = await Server.start(["-c", directory]);
  for (let reload = 0; reload < 3; reload++) {
    assertEquals(await talkTo(`[::1]:${port}`, "hello"), "hello");
    await server.reload();
  }
  assertEquals(await talkTo(`[::1]:${port}`, "hello"), "hello");
});

if (!IS_FROM_SOURCE) {
  rootTest("a program that may not be executed is told as that", async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    const program = await LinkedProgram.create(folder);
    await using server = await Server.start(["-c", directory], {
      program: program.words,
    });
    const text = await folder.file("text", "no program\n");
    await program.restore(text);
    assertEquals(
      (await server.reloadInVain()).text,
      `cannot start ${program.path} anew: Permission denied`,
    );
    assertEquals(await talkTo(address, "hello"), "hello");
  });
}
