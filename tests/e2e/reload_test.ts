import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertMatch,
  assertNotEquals,
} from "@std/assert";
import { programWords, readAll, writeAll } from "./daemon.ts";
import {
  Account,
  childrenOf,
  descriptorsOf,
  Folder,
  isAlive,
  output,
  rootTest,
  until,
} from "./machine.ts";
import { becomes, finish, readBytes, recordsOf } from "./load.ts";
import {
  CAT,
  connectTo,
  exists,
  freeAddresses,
  idsOfThreads,
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

const RELOAD_COUNT = 50;

/** There is no binary from source. */
const UPGRADE_COUNT = IS_FROM_SOURCE ? 0 : 5;

const CLIENT_COUNT = 8;

/** What each client sends and has back, over and over. */
const MESSAGE_BYTES = 4096;

/** A client that got no answer by then has lost its connection. */
const LOST_SECONDS = 10;

/**
 * Talks to an address, one connection after the other, until a file appears.
 * Then says how many went well, how many were lost and how many were cut.
 */
const CLOSED_LOOP = `
  my ($address, $stop, $size, $seconds) = @ARGV;
  my ($host, $port) = $address =~ /^(.*):(\\d+)$/;
  my ($whole, $lost, $cut) = (0, 0, 0);
  my $name = defined $port
    ? pack_sockaddr_in($port, inet_aton($host)) : pack_sockaddr_un($address);
  $SIG{PIPE} = "IGNORE";
  $SIG{ALRM} = sub { die "no answer\\n" };
  my $random = join "", map { chr(97 + rand 26) } 9 .. $size;
  for (my $turn = 0; !-e $stop; $turn++) {
    my $message = sprintf("%08d", $turn) . $random;
    my $answer = "";
    eval {
      alarm($seconds);
      socket(my $s, sockaddr_family($name), SOCK_STREAM, 0) or die $!;
      connect($s, $name) or die "connect: $!\\n";
      syswrite($s, $message) == $size or die "write: $!\\n";
      shutdown($s, 1) or die "shutdown: $!\\n";
      1 while sysread($s, $answer, $size, length $answer);
    };
    print STDERR $@ if $@;
    if ($answer eq $message) { $whole++ }
    elsif ($answer eq "") { $lost++ }
    else { $cut++ }
  }
  print "$whole $lost $cut";
`;

/** What came of the conversations of one client. */
interface Figures {
  readonly whole: number;
  readonly lost: number;
  readonly cut: number;
}

rootTest(
  `${RELOAD_COUNT} reloads` +
    (UPGRADE_COUNT === 0 ? "" : ` and ${UPGRADE_COUNT} binary upgrades`) +
    ` under ${CLIENT_COUNT} clients lose no connection ` +
    "and cut no command short",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const path = `${queueOf(folder)}/private/policy`;
    const directory = await writeConfiguration(folder, {
      master: [inet(address), unix("policy")],
    });
    const program = IS_FROM_SOURCE
      ? programWords()
      : [await copyBinary(folder)];
    await using server = await Server.start(["-c", directory], { program });
    using held = await Conversation.start(address);
    const stop = folder.join("stop");
    const clients = Array.from(
      { length: CLIENT_COUNT },
      (_, index) => closedLoop(index % 2 === 0 ? address : path, stop),
    );
    const upgradeEvery = Math.ceil(RELOAD_COUNT / (UPGRADE_COUNT + 1));
    let upgrades = 0;
    for (let reload = 1; reload <= RELOAD_COUNT + UPGRADE_COUNT; reload++) {
      let inode: number | undefined;
      if (reload % upgradeEvery === 0 && upgrades < UPGRADE_COUNT) {
        await copyBinary(folder);
        upgrades++;
        inode = (await Deno.stat(program[0] ?? "")).ino ?? undefined;
        assertNotEquals(await inodeOfProgram(server.pid), inode);
      }
      const pid = await server.reload();
      if (inode !== undefined) {
        assertEquals(await inodeOfProgram(pid), inode);
      }
      await held.goOn();
    }
    await folder.file("stop", "");
    const figures = await Promise.all(clients);
    const sum = (name: keyof Figures): number =>
      figures.reduce((sum, each) => sum + each[name], 0);
    const whole = sum("whole");
    console.log(
      `${new Set(server.pids).size - 1} successors, ${upgrades} of them of ` +
        `another binary: ${whole} connections served in full, ` +
        `${sum("lost")} lost, ${sum("cut")} cut`,
    );
    assertEquals({ lost: sum("lost"), cut: sum("cut") }, { lost: 0, cut: 0 });
    assertEquals(upgrades, UPGRADE_COUNT);
    assertEquals(new Set(server.pids).size, RELOAD_COUNT + UPGRADE_COUNT + 1);
    for (const each of figures) {
      assertGreaterOrEqual(each.whole, RELOAD_COUNT);
    }
    assertEquals(await held.end(), "");
    for (const { level } of server.first.entries) assertEquals(level, "info");
  },
);

rootTest(
  `${RELOAD_COUNT} reloads leave no descriptor and no process behind`,
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const directory = await writeConfiguration(folder, {
      master: [inet(address), unix("policy")],
    });
    await using server = await Server.start(["-c", directory]);
    const { pid: firstPid } = server.first;
    using held = await Conversation.start(address);
    await server.reload();
    const early = await descriptorsWhenIdle(server.pid);
    const earlyOfFirst = await descriptorsOf(firstPid);
    while (server.pids.length <= RELOAD_COUNT) {
      await server.reload();
    }
    await becomes(
      early.length,
      async () => (await descriptorsOf(server.pid)).length,
    );
    await held.goOn();
    // Its command; its successor is collected, and those after are not its own.
    await becomes(1, async () => (await childrenOf(firstPid)).length);
    await becomes(
      earlyOfFirst.length - 1, // the one by which it watched its successor
      async () => (await descriptorsOf(firstPid)).length,
    );
    const alive: number[] = [];
    for (const pid of server.pids) if (await isAlive(pid)) alive.push(pid);
    assertEquals(alive, [firstPid, server.pid]);
    assertEquals(await childrenOf(server.pid), []);
  },
);

rootTest("reloads that fail leave nothing behind either", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    master: [inet(address), unix("policy")],
  });
  await using server = await Server.start(["-c", directory]);
  await writeConfiguration(folder, { master: ["nonsense"] });
  await server.reloadInVain();
  await becomes([], () => childrenOf(server.pid));
  const early = await descriptorsOf(server.pid);
  for (let count = 0; count < 10; count++) await server.reloadInVain();
  await becomes(early, () => descriptorsOf(server.pid));
  assertEquals(await childrenOf(server.pid), []);
});

rootTest("services that are added, changed and removed are so", async () => {
  await using folder = await Folder.create();
  await using account = await Account.create();
  const [
    command = "",
    user = "",
    limit = "",
    time = "",
    removed = "",
    added = "",
  ] = freeAddresses(6);
  const absolute = folder.join("absolute.sock");
  const queue = queueOf(folder);
  const sleep = "user=nobody argv=/bin/sleep 1h";
  const directory = await writeConfiguration(folder, {
    master: [
      inet(command, "user=nobody argv=/bin/echo before"),
      inet(user, "user=nobody argv=/usr/bin/id -un"),
      inet(limit, CAT, 1),
      inet(time, sleep),
      inet(removed),
      unix("kept"),
      unix("removed"),
      unix(absolute),
    ],
  });
  await using server = await Server.start(["-c", directory]);
  assertEquals(await talkTo(command), "before\n");
  assertEquals(await talkTo(user), "nobody\n");
  assertEquals(await talkTo(removed, "still"), "still");
  assertEquals(await talkTo(`${queue}/private/removed`, "still"), "still");
  await writeConfiguration(folder, {
    main: [`${time}_time_limit = 1s`],
    master: [
      inet(command, "user=nobody argv=/bin/echo after"),
      inet(user, `user=${account.name} argv=/usr/bin/id -un`),
      inet(limit, CAT, 2),
      inet(time, sleep),
      unix("kept"),
      inet(added),
      unix("added", CAT, "-", "public"),
    ],
  });
  const pid = await server.reload();
  using cut = await connectTo(time);
  assertEquals(await talkTo(command), "after\n");
  assertEquals(await talkTo(user), `${account.name}\n`);
  assertEquals(await talkTo(added, "hello"), "hello");
  assertEquals(await talkTo(`${queue}/public/added`, "hello"), "hello");
  assertEquals(await talkTo(`${queue}/private/kept`, "hello"), "hello");
  using first = await connectTo(limit);
  using second = await connectTo(limit);
  assertEquals((await server.first.event("process-limit")).fields["limit"], 2);
  assertEquals(await finish(first, "one"), "one");
  assertEquals(await finish(second, "two"), "two");
  assertEquals((await readAll(cut)).length, 0);
  const { pid: who, service } = await server.first.event("time-limit");
  assertEquals({ who, service }, { who: pid, service: time });
  for (const address of [removed, `${queue}/private/removed`, absolute]) {
    await until(`${address} is gone`, () => isRefused(address));
    assert(!await exists(address), `${address} was left behind`);
  }
});

rootTest(
  "a command of a service that is removed is not cut short",
  async () => {
    await using folder = await Folder.create();
    const [kept = "", removed = ""] = freeAddresses(2);
    const directory = await writeConfiguration(folder, {
      master: [inet(kept), inet(removed), unix("removed")],
    });
    const path = `${queueOf(folder)}/private/removed`;
    await using server = await Server.start(["-c", directory]);
    using one = await Conversation.start(removed);
    using other = await Conversation.start(path);
    await writeConfiguration(folder, { master: [inet(kept)] });
    await server.reload();
    for (const address of [removed, path]) {
      await until(`${address} is gone`, () => isRefused(address));
    }
    await one.goOn();
    await other.goOn();
    assertEquals(await one.end(), "");
    assertEquals(await other.end(), "");
  },
);

rootTest("a service that was removed may come back", async () => {
  await using folder = await Folder.create();
  const [kept = "", address = ""] = freeAddresses(2);
  const without = { master: [inet(kept)] };
  const withIt = { master: [inet(kept), inet(address), unix("policy")] };
  const directory = await writeConfiguration(folder, withIt);
  await using server = await Server.start(["-c", directory]);
  // The first process holds on, but not to the sockets.
  using held = await Conversation.start(kept);
  await writeConfiguration(folder, without);
  await server.reload();
  await until("it is gone", () => isRefused(address));
  await writeConfiguration(folder, withIt);
  await server.reload();
  assertEquals(await talkTo(address, "hello"), "hello");
  const path = `${queueOf(folder)}/private/policy`;
  assertEquals(await talkTo(path, "hello"), "hello");
  await held.goOn();
});

rootTest("a bad new configuration changes nothing and says why", async () => {
  await using folder = await Folder.create();
  const [inetKept = "", removed = "", added = ""] = freeAddresses(3);
  const pidFile = folder.join("spawnd.pid");
  const good = [inet(inetKept), inet(removed), unix("kept"), unix("removed")];
  const directory = await writeConfiguration(folder, { master: good });
  await using server = await Server.start(
    ["-c", directory, "--pid-file", pidFile],
  );
  const { pid } = server;
  using held = await Conversation.start(inetKept);
  await writeConfiguration(folder, {
    master: [
      inet(inetKept),
      unix("kept", "user=no-such-user argv=/bin/cat"),
      inet(added),
      unix("added"),
      unix("empty", "user=nobody"),
    ],
  });
  const { level, text, fields } = await server.reloadInVain();
  assertEquals(level, "error");
  assertMatch(text, /^the new configuration was not taken, .*goes on$/);
  assertEquals(refusals(server.first.entries), [
    `${directory}/master.cf:2:27: unknown user name: no-such-user`,
    `${directory}/master.cf:5:22: missing argv= attribute`,
  ]);
  for (const refusal of recordsOf(server.first, "refused")) {
    assertEquals(refusal.pid, fields["pid"]);
    assertNotEquals(refusal.pid, pid);
  }
  await held.goOn();
  const queue = queueOf(folder);
  const kept = [
    inetKept,
    removed,
    `${queue}/private/kept`,
    `${queue}/private/removed`,
  ];
  for (const address of kept) {
    assertEquals(await talkTo(address, "hello"), "hello");
  }
  assert(await isRefused(added), "a service was added");
  assert(!await exists(`${queue}/private/added`), "a socket was left behind");
  assertEquals(await Deno.readTextFile(pidFile), `${pid}\n`);
  await writeConfiguration(folder, { master: good });
  assertNotEquals(await server.reload(), pid);
  assertEquals(await talkTo(inetKept, "hello"), "hello");
});

rootTest(
  "a new service whose address is in use changes nothing either",
  async () => {
    await using folder = await Folder.create();
    const [address = "", added = ""] = freeAddresses(2);
    const master = [inet(address), unix("policy"), unix("removed")];
    const directory = await writeConfiguration(folder, { master });
    await using server = await Server.start(["-c", directory]);
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const inUse = `127.0.0.1:${taken.addr.port}`;
    await writeConfiguration(folder, {
      master: [
        inet(address),
        unix("policy"),
        inet(added),
        unix("added"),
        inet(inUse),
      ],
    });
    await server.reloadInVain();
    assertMatch(
      refusals(server.first.entries).join("\n"),
      new RegExp(`cannot listen on ${inUse}: Address already in use`),
    );
    const queue = `${queueOf(folder)}/private`;
    for (const each of [address, `${queue}/policy`, `${queue}/removed`]) {
      assertEquals(await talkTo(each, "hello"), "hello");
    }
    assert(await isRefused(added), "a service was added");
    assert(!await exists(`${queue}/added`), "a socket was left behind");
  },
);

rootTest(
  "a pid file that is refused at a reload changes nothing either",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const run = folder.join("run");
    await Deno.mkdir(run);
    const pidFile = `${run}/spawnd.pid`;
    const master = [inet(address), unix("policy"), unix("removed")];
    const directory = await writeConfiguration(folder, { master });
    await using server = await Server.start(
      ["-c", directory, "--pid-file", pidFile],
    );
    await writeConfiguration(folder, { master: master.slice(0, 2) });
    await Deno.chmod(run, 0o777);
    await server.reloadInVain();
    assertEquals(
      refusals(server.first.entries),
      [`refused to write the pid file ${pidFile}: ${run} is writable by others`],
    );
    assertEquals(await Deno.readTextFile(pidFile), `${server.pid}\n`);
    const queue = `${queueOf(folder)}/private`;
    for (const each of [address, `${queue}/policy`, `${queue}/removed`]) {
      assertEquals(await talkTo(each, "hello"), "hello");
    }
  },
);

rootTest(
  "a reload has the pid file name the successor, until that ends",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const run = folder.join("run");
    await Deno.mkdir(run);
    const pidFile = `${run}/spawnd.pid`;
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    await using server = await Server.start(
      ["-c", directory, "--pid-file", pidFile],
    );
    const named = async (): Promise<string> => await Deno.readTextFile(pidFile);
    using held = await Conversation.start(address);
    for (let count = 0; count < 3; count++) {
      const pid = await server.reload();
      assertEquals(await named(), `${pid}\n`);
      if (count === 0) continue;
      // The predecessor, which has no command, has ended.
      await server.first.event("stopped", count);
      assertEquals(await named(), `${pid}\n`);
    }
    // The first one as well.
    assertEquals(await held.end(), "");
    assertEquals(
      (await server.first.event("stopped", 3)).pid,
      server.first.pid,
    );
    assertEquals(await named(), `${server.pid}\n`);
    assertEquals(
      (await Array.fromAsync(Deno.readDir(run))).map(({ name }) => name),
      ["spawnd.pid"],
    );
    server.kill("SIGTERM");
    await server.ended();
    assert(!await exists(pidFile), "the pid file was left behind");
  },
);

rootTest(
  "connections that wait at a maxproc are served by the successor",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const directory = await writeConfiguration(folder, {
      master: [inet(address, CAT, 1), unix("policy", CAT, 1)],
    });
    await using server = await Server.start(["-c", directory]);
    const path = `${queueOf(folder)}/private/policy`;
    using held = await Conversation.start(address);
    using heldToo = await Conversation.start(path);
    await server.first.event("process-limit", 2);
    const waiting = [address, address, path, path].map((each) =>
      talkTo(each, "waits")
    );
    await server.reload();
    for (const answer of waiting) assertEquals(await answer, "waits");
    await held.goOn();
    await heldToo.goOn();
  },
);

rootTest("a reload gives a service that rests a fresh try", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const command = folder.join("command");
  const directory = await writeConfiguration(folder, {
    main: ["service_throttle_time = 1h"],
    master: [inet(address, `user=nobody argv=${command}`)],
  });
  await using server = await Server.start(["-c", directory]);
  assertEquals(await talkTo(address), "");
  await server.first.event("start-failed");
  const waiting = talkTo(address, "waits");
  await folder.file("command", "#!/bin/sh\nexec /bin/cat\n", 0o755);
  await server.reload();
  assertEquals(await waiting, "waits");
});

rootTest(
  "commands of the predecessor still have their time limit",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const directory = await writeConfiguration(folder, {
      main: ["command_time_limit = 2s"],
      master: [inet(address)],
    });
    await using server = await Server.start(["-c", directory]);
    using held = await Conversation.start(address);
    await writeConfiguration(folder, { master: [inet(address)] });
    await server.reload();
    await held.goOn();
    using unlimited = await Conversation.start(address);
    assertEquals(await held.end({ speak: false }), "");
    const { pid } = await server.first.event("time-limit");
    assertEquals(pid, server.first.pid);
    await server.first.event("stopped");
    await unlimited.goOn();
    assertEquals(recordsOf(server.first, "time-limit").length, 1);
  },
);

rootTest(
  "a successor that dies is collected by a predecessor that runs on",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    await using server = await Server.start(["-c", directory]);
    using held = await Conversation.start(address);
    const [command] = await childrenOf(server.first.pid);
    const pid = await server.reload();
    assertEquals(
      (await childrenOf(server.first.pid)).sort(),
      [command, pid].sort(),
    );
    server.kill("SIGKILL");
    await becomes([command], () => childrenOf(server.first.pid));
    await held.goOn();
    assertEquals(await held.end(), "");
    assertEquals((await server.first.event("stopped")).pid, server.first.pid);
  },
);

rootTest("SIGTERM stops the successor as it does `run`", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    master: [inet(address), unix("policy")],
  });
  const path = `${queueOf(folder)}/private/policy`;
  await using server = await Server.start(["-c", directory]);
  using old = await Conversation.start(address);
  const pid = await server.reload();
  using recent = await Conversation.start(path);
  server.kill("SIGTERM");
  const stopping = await server.first.event("stopping", 2);
  assertEquals(stopping.pid, pid);
  assertEquals(
    stopping.text,
    "SIGTERM: no more connections are accepted, 1 command left",
  );
  for (const each of [address, path]) {
    assert(await isRefused(each), `somebody listens on ${each}`);
  }
  assert(!await exists(path), "the socket was left behind");
  await old.goOn();
  await recent.goOn();
  assertEquals(await recent.end(), "");
  assertEquals((await server.first.event("stopped")).pid, pid);
  await old.goOn();
  assertEquals(await old.end(), "");
  await server.ended();
  assertEquals((await server.first.ended()).code, 0);
});

rootTest("a successor needs no descriptor of --ready-fd's", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    master: [inet(address)],
  });
  const told = folder.join("told");
  await using server = await Server.start(
    ["-c", directory, "--ready-fd", "9"],
    { prefix: ["sh", "-c", `exec "$@" 9>${told}`, "sh"] },
  );
  await until("it is told", async () => {
    return await Deno.readTextFile(told) === "\n";
  });
  await server.reload();
  await server.reload();
  assertEquals(await talkTo(address, "hello"), "hello");
  assertEquals(await Deno.readTextFile(told), "\n");
});

rootTest("two SIGHUPs at once lose nothing", async () => {
  await using folder = await Folder.create();
  const [address = "", added = ""] = freeAddresses(2);
  const directory = await writeConfiguration(folder, {
    master: [inet(address)],
  });
  await using server = await Server.start(["-c", directory]);
  using held = await Conversation.start(address);
  await writeConfiguration(folder, { master: [inet(address), inet(added)] });
  server.kill("SIGHUP");
  server.kill("SIGHUP");
  await server.first.event("reloaded");
  await held.goOn();
  for (let count = 0; count < 20; count++) {
    assertEquals(await talkTo(address, "hello"), "hello");
    assertEquals(await talkTo(added, "hello"), "hello");
  }
  await server.reload();
  assertEquals(await talkTo(added, "hello"), "hello");
  await held.goOn();
  assertEquals(recordsOf(server.first, "reload-failed"), []);
});

rootTest(
  "a SIGHUP while a successor starts has what was written since served",
  async () => {
    await using folder = await Folder.create();
    const [address = "", added = ""] = freeAddresses(2);
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    await using server = await Server.start(["-c", directory]);
    using _held = await Conversation.start(address);
    using slow = await SlowConfiguration.replace(directory);
    server.kill("SIGHUP");
    await slow.isRead(server);
    await writeConfiguration(folder, { master: [inet(address), inet(added)] });
    server.kill("SIGHUP");
    await slow.end([inet(address)]);
    await server.first.event("reloaded", 2);
    assertEquals(await talkTo(added, "hello"), "hello");
  },
);

rootTest("SIGTERM is obeyed while a successor hangs", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    master: [inet(address), unix("policy")],
  });
  await using server = await Server.start(["-c", directory]);
  using slow = await SlowConfiguration.replace(directory);
  server.kill("SIGHUP");
  const successor = await slow.isRead(server);
  assertEquals(await talkTo(address, "meanwhile"), "meanwhile");
  server.kill("SIGTERM");
  await until("the daemon has ended", async () => {
    return !await isAlive(server.first.pid);
  });
  await until("its successor has ended", async () => {
    return !await isAlive(successor);
  });
  assert(await isRefused(address), `somebody listens on ${address}`);
  const path = `${queueOf(folder)}/private/policy`;
  assert(!await exists(path), "the socket was left behind");
});

rootTest("SIGTERM while a successor starts stops that as well", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    master: [inet(address)],
  });
  await using server = await Server.start(["-c", directory]);
  using slow = await SlowConfiguration.replace(directory);
  server.kill("SIGHUP");
  await slow.isRead(server);
  server.kill("SIGTERM");
  await slow.end([inet(address)]);
  await until("nobody listens any more", () => isRefused(address));
  await server.ended();
});

rootTest(
  "a successor that is killed as it starts changes nothing",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const master = [inet(address), unix("policy")];
    const directory = await writeConfiguration(folder, { master });
    await using server = await Server.start(["-c", directory]);
    using slow = await SlowConfiguration.replace(directory);
    server.kill("SIGHUP");
    const successor = await slow.isRead(server);
    server.kill("SIGKILL", successor);
    assertEquals(
      (await server.first.event("reload-failed")).fields["pid"],
      successor,
    );
    const path = `${queueOf(folder)}/private/policy`;
    for (const each of [address, path]) {
      assertEquals(await talkTo(each, "hello"), "hello");
    }
    await becomes([], () => childrenOf(server.pid));
    await writeConfiguration(folder, { master });
    await server.reload();
    for (const each of [address, path]) {
      assertEquals(await talkTo(each, "hello"), "hello");
    }
  },
);

rootTest("paths may be relative to where the first was started", async () => {
  await using folder = await Folder.create();
  const [address = "", added = ""] = freeAddresses(2);
  await writeConfiguration(folder, { master: [inet(address)] });
  await using server = await Server.start(
    ["-c", "conf", "--pid-file", "spawnd.pid"],
    { cwd: folder.path },
  );
  const pidFile = folder.join("spawnd.pid");
  await writeConfiguration(folder, { master: [inet(address), inet(added)] });
  server.kill("SIGHUP");
  await until("the reload has come to something", () => {
    return recordsOf(server.first, "reloaded").length > 0 ||
      recordsOf(server.first, "reload-failed").length > 0;
  });
  assertEquals(refusals(server.first.entries), []);
  assertEquals(await talkTo(added, "hello"), "hello");
  assertEquals(await Deno.readTextFile(pidFile), `${server.pid}\n`);
  server.kill("SIGTERM");
  await server.ended();
  assert(!await exists(pidFile), "the pid file was left behind");
});

rootTest("a successor has the ids of its owner in every thread", async () => {
  await using folder = await Folder.create();
  await using other = await Account.create();
  const [address = ""] = freeAddresses(1);
  const tell = "argv=/bin/sh -c { id -u; id -g; id -G; }";
  const master = [inet(address, `user=nobody ${tell}`)];
  const directory = await writeConfiguration(folder, { master });
  await using server = await Server.start(["-c", directory]);
  const nobody = await Promise.all(
    ["-u", "-g"].map(async (id) => (await output("id", id, "nobody")).trim()),
  );
  const isOwner = async (uid: number, gid: number): Promise<void> => {
    assertEquals(
      (await talkTo(address)).trimEnd().split("\n"),
      [...nobody, nobody[1]],
    );
    const threads = await idsOfThreads(server.pid);
    assertGreaterOrEqual(threads.length, 1);
    assertEquals(
      [...new Set(threads)],
      [`0 ${uid} 0 ${uid}, 0 ${gid} 0 ${gid}, ${gid}`],
    );
  };
  const [uid = 0, gid = 0] = await Promise.all(
    ["-u", "-g"].map(async (id) => Number(await output("id", id, "daemon"))),
  );
  await isOwner(uid, gid);
  for (let count = 0; count < 2; count++) {
    await server.reload();
    await isOwner(uid, gid);
  }
  await writeConfiguration(folder, { main: [`owner = ${other.name}`], master });
  await server.reload();
  await isOwner(other.uid, other.gid);
});

rootTest("commands get nothing of what a hand-over takes", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    main: ["export_environment ="],
    master: [
      inet(address, "user=nobody argv=/bin/sh -c { ls /proc/self/fd; env; }"),
    ],
  });
  await using server = await Server.start(["-c", directory]);
  const before = await talkTo(address);
  assertMatch(before, /^0\n1\n2\n3\n/); // 3 is that of ls itself
  assert(!before.includes("SPAWND_"), before);
  await server.reload();
  await server.reload();
  assertEquals(await talkTo(address), before);
});

if (!IS_FROM_SOURCE) {
  rootTest(
    "a daemon whose binary was removed goes on and says so",
    async () => {
      await using folder = await Folder.create();
      const [address = ""] = freeAddresses(1);
      const directory = await writeConfiguration(folder, {
        master: [inet(address), unix("policy")],
      });
      const program = await copyBinary(folder);
      await using server = await Server.start(["-c", directory], {
        program: [program],
      });
      await Deno.remove(program);
      const { level, text } = await server.reloadInVain();
      assertEquals(level, "error");
      assertEquals(
        text,
        `cannot start ${program} anew: No such file or directory`,
      );
      const path = `${queueOf(folder)}/private/policy`;
      for (const each of [address, path]) {
        assertEquals(await talkTo(each, "hello"), "hello");
      }
      await copyBinary(folder);
      await server.reload();
      for (const each of [address, path]) {
        assertEquals(await talkTo(each, "hello"), "hello");
      }
    },
  );

  rootTest(
    "a binary that is replaced while a successor starts serves the next time",
    async () => {
      await using folder = await Folder.create();
      const [address = ""] = freeAddresses(1);
      const master = [inet(address)];
      const directory = await writeConfiguration(folder, { master });
      const program = await copyBinary(folder);
      await using server = await Server.start(["-c", directory], {
        program: [program],
      });
      using slow = await SlowConfiguration.replace(directory);
      server.kill("SIGHUP");
      await slow.isRead(server);
      await copyBinary(folder);
      await slow.end(master);
      await server.first.event("reloaded");
      await writeConfiguration(folder, { master });
      server.kill("SIGHUP");
      await until("the reload has come to something", () => {
        return recordsOf(server.first, "reloaded").length === 2 ||
          recordsOf(server.first, "reload-failed").length > 0;
      });
      assertEquals(
        recordsOf(server.first, "reload-failed").map(({ text }) => text),
        [],
      );
      const { ino } = await Deno.stat(program);
      assertEquals(await inodeOfProgram(server.pid), ino);
      assertEquals(await talkTo(address, "hello"), "hello");
    },
  );

  rootTest("a daemon whose new binary is broken goes on", async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    const program = await copyBinary(folder);
    await using server = await Server.start(["-c", directory], {
      program: [program],
    });
    const broken = await folder.file("broken", "no program\n", 0o755);
    await Deno.rename(broken, program);
    await server.reloadInVain();
    assertEquals(await talkTo(address, "hello"), "hello");
    const failing = await folder.file("failing", "#!/bin/false\n", 0o755);
    await Deno.rename(failing, program);
    await server.reloadInVain();
    assertEquals(await talkTo(address, "hello"), "hello");
    await copyBinary(folder);
    await server.reload();
    assertEquals(await talkTo(address, "hello"), "hello");
  });
}

/** Puts a copy of the binary into a folder, in place of one that is there. */
async function copyBinary(folder: Folder): Promise<string> {
  const [binary = ""] = programWords();
  const path = folder.join("spawnd");
  await Deno.copyFile(binary, `${path}.new`);
  await Deno.rename(`${path}.new`, path);
  return path;
}

/** The inode of the file that a process runs. */
async function inodeOfProgram(pid: number): Promise<number> {
  return Number(await output("stat", "-L", "-c", "%i", `/proc/${pid}/exe`));
}

/** The descriptors of a process that has told all it had to. */
async function descriptorsWhenIdle(pid: number): Promise<number[]> {
  let last: number[] = [];
  await until("the descriptors stay the same", async () => {
    const now = await descriptorsOf(pid);
    const same = String(now) === String(last);
    last = now;
    return same;
  });
  return last;
}

/** A client in a process of its own, until `stop` exists. */
async function closedLoop(address: string, stop: string): Promise<Figures> {
  const text = await output(
    "/usr/bin/perl",
    "-MSocket=:all",
    "-e",
    CLOSED_LOOP,
    address,
    stop,
    String(MESSAGE_BYTES),
    String(LOST_SECONDS),
  );
  const [whole = NaN, lost = NaN, cut = NaN] = text.split(" ").map(Number);
  return { whole, lost, cut };
}

/** A connection to /bin/cat that is held. Ends with the scope: `using`. */
class Conversation implements Disposable {
  readonly #connection: Deno.Conn;
  #said = 0;

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** Connects, and waits for a first answer. */
  static async start(address: string): Promise<Conversation> {
    const conversation = new Conversation(await connectTo(address));
    await conversation.goOn();
    return conversation;
  }

  /** Says something and has it back. */
  async goOn(): Promise<void> {
    const line = `line ${this.#said++}\n`;
    await writeAll(this.#connection, new TextEncoder().encode(line));
    assertEquals(await readBytes(this.#connection, line.length), line);
  }

  /** Reads to the end: that of the command, or after having said enough. */
  async end({ speak = true }: { speak?: boolean } = {}): Promise<string> {
    if (speak) return await finish(this.#connection);
    return new TextDecoder().decode(await readAll(this.#connection));
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/**
 * A master.cf that keeps its reader waiting, as a file of a slow network would.
 * Goes with the scope: `using`.
 */
class SlowConfiguration implements Disposable {
  readonly #path: string;
  readonly #pipe: Deno.FsFile;
  #isOpen = true;

  private constructor(path: string, pipe: Deno.FsFile) {
    this.#path = path;
    this.#pipe = pipe;
  }

  /** Puts one in place of that of a directory. */
  static async replace(directory: string): Promise<SlowConfiguration> {
    const path = `${directory}/master.cf`;
    await Deno.remove(path);
    await output("mkfifo", path);
    // With both, the opening waits for nobody.
    const pipe = await Deno.open(path, { read: true, write: true });
    return new SlowConfiguration(path, pipe);
  }

  /** Waits until a successor reads it, and returns its process id. */
  async isRead(server: Server): Promise<number> {
    let reader = 0;
    await until(`${this.#path} is read`, async () => {
      for (const pid of await childrenOf(server.pid)) {
        const script = 'ls -l /proc/"$0"/fd 2>&1 || :';
        const listed = await output("sh", "-c", script, String(pid));
        if (listed.includes(` -> ${this.#path}\n`)) reader = pid;
      }
      return reader !== 0;
    });
    server.endWithOthers(reader);
    return reader;
  }

  /** Has it say something after all. */
  async end(lines: readonly string[]): Promise<void> {
    await this.#pipe.write(new TextEncoder().encode(`${lines.join("\n")}\n`));
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) this.#pipe.close();
    this.#isOpen = false;
  }
}
