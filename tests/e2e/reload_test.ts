import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertMatch,
  assertNotEquals,
} from "@std/assert";
import { programWords, readAll } from "./daemon.ts";
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
import { becomes, finish, recordsOf } from "./load.ts";
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
import {
  closedLoop,
  Conversation,
  copyBinary,
  type Figures,
  inodeOfProgram,
  LinkedProgram,
} from "./reloading.ts";

const RELOAD_COUNT = 50;

/** There is no binary from source. */
const UPGRADE_COUNT = IS_FROM_SOURCE ? 0 : 5;

const CLIENT_COUNT = 8;

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
    const pausesMs: number[] = [];
    for (let reload = 1; reload <= RELOAD_COUNT + UPGRADE_COUNT; reload++) {
      let inode: number | undefined;
      if (reload % upgradeEvery === 0 && upgrades < UPGRADE_COUNT) {
        await copyBinary(folder);
        upgrades++;
        inode = (await Deno.stat(program[0] ?? "")).ino ?? undefined;
        assertNotEquals(await inodeOfProgram(server.pid), inode);
      }
      const { fields } = await server.reload();
      pausesMs.push(Number(fields["pauseMs"]));
      if (inode !== undefined) {
        assertEquals(await inodeOfProgram(server.pid), inode);
      }
      await held.goOn();
    }
    await folder.file("stop", "");
    const figures = await Promise.all(clients);
    const sum = (name: keyof Figures): number =>
      figures.reduce((sum, each) => sum + each[name], 0);
    const whole = sum("whole");
    pausesMs.sort((one, other) => one - other);
    console.log(
      `${server.reloads} reloads, ${upgrades} of them to another binary: ` +
        `${whole} connections served in full, ${sum("lost")} lost, ` +
        `${sum("cut")} cut; without accepting ` +
        `${pausesMs[Math.floor(pausesMs.length / 2)]} ms (median), ` +
        `${pausesMs.at(-1)} ms (worst)`,
    );
    assertEquals({ lost: sum("lost"), cut: sum("cut") }, { lost: 0, cut: 0 });
    assertEquals(upgrades, UPGRADE_COUNT);
    assertEquals(server.reloads, RELOAD_COUNT + UPGRADE_COUNT);
    for (const each of figures) {
      assertGreaterOrEqual(each.whole, RELOAD_COUNT);
    }
    assertEquals(await held.end(), "");
    for (const { level } of server.daemon.entries) assertEquals(level, "info");
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
    using held = await Conversation.start(address);
    const [command] = await childrenOf(server.pid);
    await server.reload();
    const early = await descriptorsWhenIdle(server.pid);
    while (server.reloads < RELOAD_COUNT) {
      await server.reload();
    }
    await becomes(
      early.length,
      async () => (await descriptorsOf(server.pid)).length,
    );
    await held.goOn();
    assertEquals(await childrenOf(server.pid), [command]);
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
  await server.reload();
  using cut = await connectTo(time);
  assertEquals(await talkTo(command), "after\n");
  assertEquals(await talkTo(user), `${account.name}\n`);
  assertEquals(await talkTo(added, "hello"), "hello");
  assertEquals(await talkTo(`${queue}/public/added`, "hello"), "hello");
  assertEquals(await talkTo(`${queue}/private/kept`, "hello"), "hello");
  using first = await connectTo(limit);
  using second = await connectTo(limit);
  assertEquals((await server.daemon.event("process-limit")).fields["limit"], 2);
  assertEquals(await finish(first, "one"), "one");
  assertEquals(await finish(second, "two"), "two");
  assertEquals((await readAll(cut)).length, 0);
  const { service } = await server.daemon.event("time-limit");
  assertEquals(service, time);
  for (const address of [removed, `${queue}/private/removed`, absolute]) {
    await until(`${address} is gone`, () => isRefused(address));
    assert(!await exists(address), `${address} was left behind`);
  }
});

rootTest(
  "a command of a service that is removed is not cut short, but followed",
  async () => {
    await using folder = await Folder.create();
    const [kept = "", removed = ""] = freeAddresses(2);
    const master = [inet(kept), inet(removed), unix("removed")];
    const directory = await writeConfiguration(folder, {
      main: [`${removed}_time_limit = 10s`],
      master,
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
    await server.reload();
    await one.goOn();
    await other.goOn();
    assertEquals(await one.end({ speak: false }), "");
    const { service } = await server.daemon.event("time-limit");
    assertEquals(service, removed);
    assertEquals(
      (await server.daemon.event("killed")).text,
      "command /bin/cat killed by signal 9",
    );
    await other.goOn();
    server.kill("SIGTERM");
    assertEquals(
      (await server.daemon.event("stopping")).text,
      "SIGTERM: no more connections are accepted, 1 command left",
    );
    await other.goOn();
    assertEquals(await other.end(), "");
    assertEquals((await server.ended()).code, 0);
  },
);

rootTest("a service that was removed may come back", async () => {
  await using folder = await Folder.create();
  const [kept = "", address = ""] = freeAddresses(2);
  const without = { master: [inet(kept)] };
  const withIt = { master: [inet(kept), inet(address), unix("policy")] };
  const directory = await writeConfiguration(folder, withIt);
  await using server = await Server.start(["-c", directory]);
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
  const { level, text } = await server.reloadInVain();
  assertEquals(level, "error");
  assertEquals(
    text,
    "the new configuration was not taken, 2 errors; the old one goes on",
  );
  assertEquals(refusals(server.daemon.entries), [
    `${directory}/master.cf:2:27: unknown user name: no-such-user`,
    `${directory}/master.cf:5:22: missing argv= attribute`,
  ]);
  for (const refusal of recordsOf(server.daemon, "refused")) {
    assertEquals(refusal.pid, pid);
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
  await server.reload();
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
      refusals(server.daemon.entries).join("\n"),
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
      refusals(server.daemon.entries),
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
  "a reload puts another pid file in place, one that fails writes the same anew",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const run = folder.join("run");
    await Deno.mkdir(run);
    const pidFile = `${run}/spawnd.pid`;
    const master = [inet(address)];
    const directory = await writeConfiguration(folder, { master });
    await using server = await Server.start(
      ["-c", directory, "--pid-file", pidFile],
    );
    const look = async (): Promise<readonly [number | null, number]> => {
      assertEquals(await Deno.readTextFile(pidFile), `${server.pid}\n`);
      const { ino, mtime } = await Deno.stat(pidFile);
      return [ino, mtime?.getTime() ?? 0];
    };
    using held = await Conversation.start(address);
    for (let count = 0; count < 3; count++) {
      const [inode] = await look();
      await server.reload();
      const [taken, writtenMs] = await look();
      assertNotEquals(taken, inode);
      await writeConfiguration(folder, { master: ["nonsense"] });
      await server.reloadInVain();
      await until("it is written", async () => (await look())[1] > writtenMs);
      assertEquals((await look())[0], taken);
      await writeConfiguration(folder, { master });
    }
    await held.goOn();
    assertEquals(
      (await Array.fromAsync(Deno.readDir(run))).map(({ name }) => name),
      ["spawnd.pid"],
    );
    assertEquals(await held.end(), "");
    server.kill("SIGTERM");
    await server.ended();
    assert(!await exists(pidFile), "the pid file was left behind");
  },
);

rootTest("maxproc holds exactly through ten reloads", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const path = `${queueOf(folder)}/private/policy`;
  const master = [inet(address, CAT, 2), unix("policy", CAT, 1)];
  const directory = await writeConfiguration(folder, { master });
  await using server = await Server.start(["-c", directory]);
  using first = await Conversation.start(address);
  using second = await Conversation.start(address);
  using third = await Conversation.start(path);
  const commands = (await childrenOf(server.pid)).sort();
  assertEquals(commands.length, 3);
  const waiting = [address, address, path, path].map((each) =>
    talkTo(each, "waits")
  );
  for (let reload = 1; reload <= 10; reload++) {
    await server.reload();
    for (const held of [first, second, third]) await held.goOn();
    assertEquals((await childrenOf(server.pid)).sort(), commands);
  }
  // A limit that was made lower counts those that run already.
  await writeConfiguration(folder, {
    master: [inet(address, CAT, 1), unix("policy", CAT, 1)],
  });
  await server.reload();
  assertEquals(await first.end(), "");
  await becomes(2, async () => (await childrenOf(server.pid)).length);
  await second.goOn();
  assertEquals(await second.end(), "");
  assertEquals(await third.end(), "");
  for (const answer of waiting) assertEquals(await answer, "waits");
  await becomes([], () => childrenOf(server.pid));
});

rootTest("a reload gives a service that rests a fresh try", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const command = folder.join("command");
  const directory = await writeConfiguration(folder, {
    master: [inet(address, `user=nobody argv=${command}`)],
  });
  await using server = await Server.start(["-c", directory]);
  assertEquals(await talkTo(address), "");
  await server.daemon.event("start-failed");
  const waiting = talkTo(address, "waits");
  await folder.file("command", "#!/bin/sh\nexec /bin/cat\n", 0o755);
  await server.reload();
  assertEquals(await waiting, "waits");
});

rootTest(
  "a command keeps the time limit that it was started with, counted from its start",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const limited = (time: string): Promise<string> =>
      writeConfiguration(folder, {
        main: [`command_time_limit = ${time}`],
        master: [inet(address)],
      });
    // Longer than two reloads and the brief one take.
    const directory = await limited("10s");
    await using server = await Server.start(["-c", directory, "-v"]);
    const startedMs = performance.now();
    using held = await Conversation.start(address);
    await limited("1h");
    await server.reload();
    using unlimited = await Conversation.start(address);
    await limited("2s");
    await server.reload();
    using brief = await Conversation.start(address);
    assertEquals(await brief.end({ speak: false }), "");
    await held.goOn();
    assertEquals(await held.end({ speak: false }), "");
    const lastedMs = performance.now() - startedMs;
    assertGreaterOrEqual(lastedMs, 9900);
    await unlimited.goOn();
    await server.daemon.event("killed", 2);
    const killed = recordsOf(server.daemon, "time-limit")
      .map(({ fields }) => fields["pid"]);
    const connected = recordsOf(server.daemon, "connected")
      .map(({ fields }) => fields["pid"]);
    assertEquals(killed, [connected[2], connected[0]]);
    // Told with where the client came from, and for how long it was there.
    const { fields } = await server.daemon.event("disconnected", 2);
    assertEquals(fields["pid"], connected[0]);
    assertMatch(String(fields["peer"]), /^127\.0\.0\.1:\d+$/);
    assertGreaterOrEqual(Number(fields["seconds"]), 9.9);
  },
);

rootTest(
  "a command that fails after a reload is reported as ever",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const command = await folder.file(
      "command",
      "#!/bin/sh\nread -r code\nexit $code\n",
      0o755,
    );
    const directory = await writeConfiguration(folder, {
      master: [inet(address, `user=nobody argv=${command}`)],
    });
    await using server = await Server.start(["-c", directory]);
    using connection = await connectTo(address);
    await until("it runs", async () => {
      return (await childrenOf(server.pid)).length === 1;
    });
    // Another command by then.
    await writeConfiguration(folder, { master: [inet(address)] });
    await server.reload();
    assertEquals(await finish(connection, "7\n"), "");
    const { level, service, text } = await server.daemon.event("failed");
    assertEquals(
      { level, service, text },
      {
        level: "warning",
        service: address,
        text: `command ${command} exit status 7`,
      },
    );
    assertEquals(await talkTo(address, "hello"), "hello");
  },
);

rootTest("SIGTERM after a reload stops as it does `run`", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    master: [inet(address), unix("policy")],
  });
  const path = `${queueOf(folder)}/private/policy`;
  await using server = await Server.start(["-c", directory]);
  using old = await Conversation.start(address);
  await server.reload();
  using recent = await Conversation.start(path);
  server.kill("SIGTERM");
  const stopping = await server.daemon.event("stopping");
  assertEquals(stopping.pid, server.pid);
  assertEquals(
    stopping.text,
    "SIGTERM: no more connections are accepted, 2 commands left",
  );
  for (const each of [address, path]) {
    assert(await isRefused(each), `somebody listens on ${each}`);
  }
  assert(!await exists(path), "the socket was left behind");
  await old.goOn();
  await recent.goOn();
  assertEquals(await recent.end(), "");
  await old.goOn();
  assertEquals(await old.end(), "");
  assertEquals((await server.ended()).code, 0);
});

rootTest("SIGINT after a reload ends what ran before it", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    master: [inet(address)],
  });
  await using server = await Server.start(["-c", directory]);
  using held = await Conversation.start(address);
  await server.reload();
  server.kill("SIGINT");
  assertEquals(await held.end({ speak: false }), "");
  assertEquals((await server.ended()).code, 0);
  assertEquals(
    (await server.daemon.event("killed")).text,
    "command /bin/cat killed by signal 15",
  );
});

rootTest("a reload needs no descriptor of --ready-fd's", async () => {
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
  await server.daemon.event("reloaded");
  await held.goOn();
  for (let count = 0; count < 20; count++) {
    assertEquals(await talkTo(address, "hello"), "hello");
    assertEquals(await talkTo(added, "hello"), "hello");
  }
  await server.reload();
  assertEquals(await talkTo(added, "hello"), "hello");
  await held.goOn();
  assertEquals(recordsOf(server.daemon, "reload-failed"), []);
});

rootTest(
  "a SIGHUP during a trial has what was written since served",
  async () => {
    await using folder = await Folder.create();
    const [address = "", added = ""] = freeAddresses(2);
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    const program = await LinkedProgram.create(folder);
    await using server = await Server.start(["-c", directory], {
      program: program.words,
    });
    using held = await Conversation.start(address);
    await program.hold();
    server.kill("SIGHUP");
    await program.isTried(server);
    // Several are no more than one.
    for (let count = 0; count < 3; count++) server.kill("SIGHUP");
    assertEquals(await talkTo(address, "meanwhile"), "meanwhile");
    await program.release();
    await server.reloaded(2);
    await writeConfiguration(folder, { master: [inet(address), inet(added)] });
    await server.reload();
    assertEquals(server.reloads, 3);
    assertEquals(await talkTo(added, "hello"), "hello");
    await held.goOn();
  },
);

for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
  rootTest(`${signal} is obeyed during a trial that hangs`, async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const directory = await writeConfiguration(folder, {
      master: [inet(address), unix("policy")],
    });
    const program = await LinkedProgram.create(folder);
    await using server = await Server.start(["-c", directory], {
      program: program.words,
    });
    await program.hold();
    server.kill("SIGHUP");
    const trial = await program.isTried(server);
    assertEquals(await talkTo(address, "meanwhile"), "meanwhile");
    server.kill(signal);
    assertEquals((await server.ended()).code, 0);
    await until("its trial has ended", async () => !await isAlive(trial));
    assert(await isRefused(address), `somebody listens on ${address}`);
    const path = `${queueOf(folder)}/private/policy`;
    assert(!await exists(path), "the socket was left behind");
    assertEquals(server.reloads, 0);
  });
}

// From source the runtime has threads before the daemon's first line, and one of
// them may take the signal in the moment of the exec: it would be lost.
if (!IS_FROM_SOURCE) {
  rootTest(
    "SIGTERM at any moment of a reload stops the daemon",
    stopAtAnyMoment,
  );
}

async function stopAtAnyMoment(): Promise<void> {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const path = `${queueOf(folder)}/private/policy`;
  const added = `${queueOf(folder)}/private/added`;
  const master = [inet(address), unix("policy")];
  // From before its trial has begun until after it has executed itself anew.
  const moments = Array.from({ length: 20 }, (_, index) => 20 * index);
  for (const momentMs of moments) {
    const directory = await writeConfiguration(folder, { master });
    await using server = await Server.start(["-c", directory]);
    await writeConfiguration(folder, { master: [...master, unix("added")] });
    server.kill("SIGHUP");
    await new Promise((resolve) => setTimeout(resolve, momentMs));
    server.kill("SIGTERM");
    const { code, signal } = await server.ended();
    assertEquals([code, signal], [0, null], `after ${momentMs} ms`);
    assertEquals(recordsOf(server.daemon, "stopped").length, 1);
    assertEquals(recordsOf(server.daemon, "reload-failed"), []);
    // Its trial, which has the socket as well, may not be quite gone.
    await until(`nobody listens on ${address}`, () => isRefused(address));
    assert(!await exists(path), "the socket was left behind");
    // Removed with the rest; or by whoever comes next, where the trial was
    // ended between making it and telling of it.
    if (await exists(added)) {
      await until(`nobody listens on ${added}`, () => isRefused(added));
    }
  }
}

rootTest("a trial that is killed changes nothing", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const master = [inet(address), unix("policy")];
  const directory = await writeConfiguration(folder, { master });
  const program = await LinkedProgram.create(folder);
  await using server = await Server.start(["-c", directory], {
    program: program.words,
  });
  await program.hold();
  server.kill("SIGHUP");
  server.kill("SIGKILL", await program.isTried(server));
  assertEquals(
    (await server.daemon.event("reload-failed")).text,
    `${program.path} was started anew to try the new configuration, but ` +
      "it gave no verdict: killed by signal 9; the old one goes on",
  );
  const path = `${queueOf(folder)}/private/policy`;
  for (const each of [address, path]) {
    assertEquals(await talkTo(each, "hello"), "hello");
  }
  await becomes([], () => childrenOf(server.pid));
  await program.restore();
  await server.reload();
  for (const each of [address, path]) {
    assertEquals(await talkTo(each, "hello"), "hello");
  }
});

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
    return recordsOf(server.daemon, "reloaded").length > 0 ||
      recordsOf(server.daemon, "reload-failed").length > 0;
  });
  assertEquals(refusals(server.daemon.entries), []);
  assertEquals(await talkTo(added, "hello"), "hello");
  assertEquals(await Deno.readTextFile(pidFile), `${server.pid}\n`);
  server.kill("SIGTERM");
  await server.ended();
  assert(!await exists(pidFile), "the pid file was left behind");
});

rootTest(
  "a reloaded daemon has the ids of its owner in every thread",
  async () => {
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
    await writeConfiguration(folder, {
      main: [`owner = ${other.name}`],
      master,
    });
    await server.reload();
    await isOwner(other.uid, other.gid);
  },
);

rootTest("commands get nothing of what a reload takes", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    // No two connections have one port.
    main: ["export_environment =", "spawnd_connection_environment = none"],
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
    "a binary that is replaced during a trial is tried as well, and serves",
    async () => {
      await using folder = await Folder.create();
      const [address = ""] = freeAddresses(1);
      const directory = await writeConfiguration(folder, {
        master: [inet(address)],
      });
      const program = await LinkedProgram.create(folder);
      await using server = await Server.start(["-c", directory], {
        program: program.words,
      });
      await program.hold();
      server.kill("SIGHUP");
      await program.isTried(server);
      const copy = await copyBinary(folder);
      await program.restore(copy);
      await program.release();
      await server.reloaded(1);
      const { ino } = await Deno.stat(copy);
      assertEquals(await inodeOfProgram(server.pid), ino);
      assertEquals(await talkTo(address, "hello"), "hello");
      assertEquals(recordsOf(server.daemon, "reload-failed"), []);
    },
  );

  rootTest("an upgrade through a link takes the new file", async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    const releases = await Promise.all(["1", "2"].map(async (name) => {
      await Deno.mkdir(folder.join(name));
      const path = folder.join(`${name}/spawnd`);
      await Deno.copyFile(programWords()[0] ?? "", path);
      return path;
    }));
    const current = folder.join("current");
    await Deno.symlink("1", current);
    await using server = await Server.start(["-c", directory], {
      program: [`${current}/spawnd`],
    });
    using held = await Conversation.start(address);
    for (const [index, release] of [...releases, ...releases].entries()) {
      await Deno.symlink(`${index % 2 + 1}`, `${current}.new`);
      await Deno.rename(`${current}.new`, current);
      await server.reload();
      const { ino } = await Deno.stat(release);
      assertEquals(await inodeOfProgram(server.pid), ino);
      await held.goOn();
    }
  });

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
