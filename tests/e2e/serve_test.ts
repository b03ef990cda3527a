import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertMatch,
} from "@std/assert";
import {
  Account,
  ENGINES,
  Folder,
  output,
  rootTest,
  statusFields,
} from "./machine.ts";
import { becomes, finish, readBytes, recordsOf } from "./load.ts";
import { readAll, writeAll } from "./daemon.ts";
import {
  CAT,
  connectTo,
  exists,
  freeAddresses,
  freePort,
  idsOfThreads,
  inet,
  isRefused,
  queueOf,
  refusals,
  Server,
  serveRefused,
  talkTo,
  unix,
  writeConfiguration,
} from "./configuration.ts";

/** How long a service rests in the tests; a daemon's clock and ours differ. */
const THROTTLE_MS = 1000;
const CLOCK_SLACK_MS = 50;

/** Connects as it is, and says whether it could. */
const CONNECTS = `
  socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die $!;
  print connect($s, pack_sockaddr_un($ARGV[0])) ? "connected" : "$!";
`;

for (const engine of ENGINES) {
  rootTest(
    `spawnd serve serves inet and unix services with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const absolute = folder.join("absolute.sock");
      const [address = ""] = freeAddresses(1);
      const directory = await writeConfiguration(folder, {
        master: [
          inet(address),
          unix("hidden"),
          unix("open", CAT, "-", "public"),
          unix(absolute),
        ],
      });
      await using server = await Server.start(
        ["-c", directory, "--engine", engine],
      );
      const queue = queueOf(folder);
      const addresses = [
        address,
        `${queue}/private/hidden`,
        `${queue}/public/open`,
        absolute,
      ];
      assertEquals(server.daemon.addresses, addresses);
      for (const each of addresses) {
        assertEquals(await talkTo(each, `to ${each}`), `to ${each}`);
      }
      server.kill("SIGTERM");
      assertEquals((await server.daemon.ended()).code, 0);
      for (const each of addresses) {
        assert(await isRefused(each), `somebody listens on ${each}`);
        assert(!await exists(each), `${each} was left behind`);
      }
    },
  );
}

rootTest(
  "everybody may connect in public/, and the daemon's owner in private/",
  async () => {
    await using folder = await Folder.create();
    const directory = await writeConfiguration(folder, {
      master: [unix("hidden"), unix("open", CAT, "-", "public")],
    });
    await using _server = await Server.start(["-c", directory]);
    const connectAs = async (user: string, path: string): Promise<string> =>
      await output(
        "setpriv",
        `--reuid=${user}`,
        "--clear-groups",
        "/usr/bin/perl",
        "-MSocket",
        "-e",
        CONNECTS,
        `${queueOf(folder)}/${path}`,
      );
    assertEquals(await connectAs("nobody", "public/open"), "connected");
    assertEquals(await connectAs("daemon", "private/hidden"), "connected");
    assertEquals(
      await connectAs("nobody", "private/hidden"),
      "Permission denied",
    );
  },
);

rootTest(
  "each service has its own user and environment, all have queue_directory",
  async () => {
    await using folder = await Folder.create();
    await using one = await Account.create();
    await using other = await Account.create();
    const addresses = freeAddresses(3);
    const [first = "", second = "", third = ""] = addresses;
    const tell = "argv=/bin/sh -c { id -un; id -G; pwd; echo $A $B $C; }";
    const directory = await writeConfiguration(folder, {
      main: ["import_environment = A B C", "export_environment = A"],
      master: [
        inet(first, `user=${one.name} ${tell}`),
        inet(
          second,
          `-o export_environment=B,C=set user=${other.name} ${tell}`,
        ),
        inet(
          third,
          "-o { export_environment = { C = one two } } " +
            `user=${one.name}:${other.name} ${tell}`,
        ),
      ],
    });
    await using _server = await Server.start(["-c", directory], {
      env: { A: "a", B: "b", C: "c" },
    });
    const queue = queueOf(folder);
    const told = async (address: string): Promise<string[]> =>
      (await talkTo(address)).trimEnd().split("\n");
    assertEquals(await told(first), [one.name, `${one.gid}`, queue, "a"]);
    assertEquals(
      await told(second),
      [other.name, `${other.gid}`, queue, "b set"],
    );
    assertEquals(
      await told(third),
      [one.name, `${other.gid}`, queue, "one two"],
    );
  },
);

/** Where a port alone is served, by what main.cf says. */
const INTERFACES: {
  name: string;
  main: string[];
  /** Of those listed in {@linkcode ASKED}. */
  served: string[];
}[] = [
  { name: "everywhere by default", main: [], served: ["127.0.0.1", "::1"] },
  {
    name: "everywhere with inet_interfaces = all",
    main: ["inet_interfaces = all"],
    served: ["127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"],
  },
  {
    name: "on the loopback alone with inet_interfaces = loopback-only",
    main: ["inet_interfaces = loopback-only"],
    served: ["127.0.0.1", "::1"],
  },
  {
    name: "on each address of inet_interfaces",
    main: ["inet_interfaces = 127.0.0.2, ::1", " 127.0.0.3"],
    served: ["127.0.0.2", "127.0.0.3", "::1"],
  },
  {
    name: "by IPv4 alone with inet_protocols = ipv4",
    main: ["inet_interfaces = loopback-only", "inet_protocols = ipv4"],
    served: ["127.0.0.1"],
  },
  {
    name: "by IPv6 alone with inet_protocols = ipv6",
    main: ["inet_interfaces = loopback-only", "inet_protocols = ipv6"],
    served: ["::1"],
  },
  {
    name: "by both with inet_protocols = ipv4, ipv6",
    main: ["inet_interfaces = loopback-only", "inet_protocols = ipv4, ipv6"],
    served: ["127.0.0.1", "::1"],
  },
  {
    name: "on those addresses of inet_interfaces that inet_protocols has",
    main: ["inet_interfaces = 127.0.0.2, ::1", "inet_protocols = ipv4"],
    served: ["127.0.0.2"],
  },
];

const ASKED = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"];

for (const { name, main, served } of INTERFACES) {
  rootTest(`a port without a host is served ${name}`, async () => {
    await using folder = await Folder.create();
    const port = freePort();
    const directory = await writeConfiguration(folder, {
      main,
      master: [inet(`${port}`)],
    });
    await using server = await Server.start(["-c", directory]);
    const everywhere = server.daemon.addresses.includes(`[::]:${port}`);
    for (const host of ASKED) {
      const address = host.includes(":")
        ? `[${host}]:${port}`
        : `${host}:${port}`;
      if (everywhere || served.includes(host)) {
        assertEquals(await talkTo(address, host), host);
      } else {
        assert(await isRefused(address), `somebody listens on ${address}`);
      }
    }
    assertEquals(everywhere, name.startsWith("everywhere"));
  });
}

rootTest("a host of a service counts before inet_interfaces", async () => {
  await using folder = await Folder.create();
  const port = freePort();
  const directory = await writeConfiguration(folder, {
    main: ["inet_interfaces = 127.0.0.2"],
    master: [inet(`127.0.0.3:${port}`)],
  });
  await using server = await Server.start(["-c", directory]);
  assertEquals(server.daemon.addresses, [`127.0.0.3:${port}`]);
  assertEquals(await talkTo(`127.0.0.3:${port}`, "hello"), "hello");
});

rootTest(
  "a service's own time limit is by its name, whatever kind that is",
  async () => {
    await using folder = await Folder.create();
    const [limited = "", overridden = "", unlimited = ""] = freeAddresses(3);
    const directory = await writeConfiguration(folder, {
      main: [
        "command_time_limit = 1h",
        `${limited}_time_limit = 1s`,
        "named_time_limit = 1",
        `${overridden}_time_limit = 2h`,
      ],
      master: [
        inet(limited),
        unix("named"),
        inet(overridden, `-o ${overridden}_time_limit=1s ${CAT}`),
        inet(unlimited),
      ],
    });
    await using server = await Server.start(["-c", directory]);
    const path = `${queueOf(folder)}/private/named`;
    using connection = await connectTo(unlimited);
    await Promise.all(
      [limited, path, overridden].map(async (address) => {
        using cut = await connectTo(address);
        assertEquals((await readAll(cut)).length, 0);
      }),
    );
    await server.daemon.event("killed", 3);
    assertEquals(
      recordsOf(server.daemon, "time-limit").map(({ service }) => service)
        .sort(),
      [limited, "named", overridden].sort(),
    );
    for (const { text } of recordsOf(server.daemon, "time-limit")) {
      assertMatch(
        text,
        /^\/bin\/cat: process id \d+: command time limit exceeded$/,
      );
    }
    assertEquals(await finish(connection, "still here"), "still here");
  },
);

rootTest(
  "a service at its maxproc delays no other, and nobody is turned away",
  async () => {
    await using folder = await Folder.create();
    const [busy = "", byDefault = "", idle = ""] = freeAddresses(3);
    const directory = await writeConfiguration(folder, {
      main: ["default_process_limit = 2"],
      master: [inet(busy, CAT, 1), inet(byDefault), inet(idle, CAT, 0)],
    });
    await using server = await Server.start(["-c", directory, "-v"]);
    using connections = new DisposableStack();
    const connect = async (address: string): Promise<Deno.Conn> =>
      connections.use(await connectTo(address));
    const atLimit = [await connect(busy)];
    await server.daemon.event("process-limit");
    for (let count = 0; count < 3; count++) atLimit.push(await connect(busy));
    const twoAtOnce = [await connect(byDefault), await connect(byDefault)];
    await server.daemon.event("process-limit", 2);
    for (let count = 0; count < 20; count++) {
      assertEquals(await talkTo(idle, `${count}`), `${count}`);
    }
    assertEquals(started(server, busy), 1);
    assertEquals(started(server, byDefault), 2);
    assertEquals(
      recordsOf(server.daemon, "process-limit").map(({ service, text }) => ({
        service,
        text,
      })),
      [[busy, 1], [byDefault, 2]].map(([service, limit]) => ({
        service,
        text: `service ${service} reached its process limit "${limit}": ` +
          "new clients may experience noticeable delays",
      })),
    );
    for (const [index, connection] of atLimit.entries()) {
      assertEquals(await finish(connection, `${index}`), `${index}`);
      const left = atLimit.length - index - 1;
      await becomes(
        Math.min(index + 2, atLimit.length),
        () => started(server, busy),
      );
      assertEquals(started(server, busy), index + 1 + Math.min(left, 1));
    }
    for (const connection of twoAtOnce) {
      assertEquals(await finish(connection, "bye"), "bye");
    }
  },
);

rootTest("MAIL_CONFIG names the directory where there is no -c", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    master: [inet(address)],
  });
  await using server = await Server.start([], {
    env: { MAIL_CONFIG: directory },
  });
  assertEquals(await talkTo(address, "hello"), "hello");
  await server.reload();
  assertEquals(await talkTo(address, "hello"), "hello");
});

rootTest("-c counts before MAIL_CONFIG", async () => {
  await using folder = await Folder.create();
  await using other = await Folder.create();
  const [address = "", otherAddress = ""] = freeAddresses(2);
  const directory = await writeConfiguration(folder, {
    master: [inet(address)],
  });
  const env = {
    MAIL_CONFIG: await writeConfiguration(other, {
      master: [inet(otherAddress)],
    }),
  };
  await using server = await Server.start(["-c", directory], { env });
  assertEquals(server.daemon.addresses, [address]);
});

rootTest("entries of other commands are left alone and counted", async () => {
  await using folder = await Folder.create();
  const [address = "", others = "", ours = ""] = freeAddresses(3);
  const directory = await writeConfiguration(folder, {
    master: [
      `${others} inet n - y - - smtpd`,
      "pickup unix n - y 60 1 pickup",
      "  -o content_filter=",
      inet(address),
      `${ours} inet n n n - - spawnd ${CAT}`,
      "policy unix - n n - - pipe flags=R user=nobody argv=/bin/cat",
    ],
  });
  await using server = await Server.start(["-c", directory]);
  const { text, fields } = await server.daemon.event("listening");
  assertMatch(
    text,
    new RegExp(`^serving 2 services of ${directory}.* left alone: 3$`),
  );
  assertEquals(fields, {
    directory,
    services: 2,
    otherEntries: 3,
    addresses: [address, ours],
  });
  assert(await isRefused(others), "an entry of smtpd is served");
  assert(!await exists(`${queueOf(folder)}/private`), "private/ was made");
});

rootTest("the last of two lines for one service counts", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    master: [
      inet(address, "user=nobody argv=/bin/echo first"),
      inet(address, "user=nobody argv=/bin/echo last"),
    ],
  });
  await using server = await Server.start(["-c", directory]);
  assertEquals(await talkTo(address), "last\n");
  const { level, text } = await server.daemon.event("configuration");
  assertEquals(level, "warning");
  assertMatch(text, /^\/[^ ]*\/master\.cf:2:1: duplicate master\.cf entry/);
});

rootTest("a warning keeps nothing from being served", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    main: ["command_time_limt = 5s"],
    master: [inet(address)],
  });
  await using server = await Server.start(["-c", directory]);
  assertEquals(await talkTo(address, "hello"), "hello");
  assertEquals(
    (await server.daemon.event("configuration")).text,
    [
      `${directory}/main.cf:2:1: `,
      "unused parameter: command_time_limt=5s ",
      "(did you mean command_time_limit?)",
    ].join(""),
  );
});

rootTest(
  "a configuration with mistakes serves nothing and lists every one",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const directory = await writeConfiguration(folder, {
      main: ["service_throttle_time = 1x", "slow_time_limit = 5x"],
      master: [
        inet(address),
        unix("good"),
        "# All the rest is wrong.",
        unix("stranger", "user=no-such-user argv=/bin/cat"),
        `closed unix - y n - - spawn ${CAT}`,
        unix("sound"),
        unix("empty", "user=nobody"),
        unix("rooted", "user=root argv=/bin/cat"),
        unix("slow"),
      ],
    });
    const { code, entries } = await serveRefused(["-c", directory]);
    assertEquals(code, 78);
    const main = `${directory}/main.cf`;
    const master = `${directory}/master.cf`;
    assertEquals(refusals(entries), [
      `${main}:2:25: parameter service_throttle_time: ` +
      "bad time value or unit: 1x",
      `${main}:3:19: parameter slow_time_limit: bad time value or unit: 5x`,
      `${master}:4:31: unknown user name: no-such-user`,
      `${master}:5:15: service closed requires privileged operation`,
      `${master}:7:22: missing argv= attribute`,
      `${master}:8:29: request to deliver as root`,
    ]);
    const { level, text } = entries.at(-1) ?? {};
    assertEquals(
      { level, text },
      { level: "fatal", text: "nothing is served: 6 errors" },
    );
    assert(await isRefused(address), `somebody listens on ${address}`);
    assert(!await exists(`${queueOf(folder)}/private`), "private/ was made");
  },
);

rootTest(
  "an unknown owner is told with all other mistakes, and where",
  async () => {
    await using folder = await Folder.create();
    const directory = await writeConfiguration(folder, {
      main: ["owner = no-such-owner"],
      master: [unix("stranger", "user=no-such-user argv=/bin/cat")],
    });
    const { code, entries } = await serveRefused(["-c", directory]);
    assertEquals(refusals(entries), [
      `${directory}/main.cf:2:9: unknown user name: no-such-owner`,
      `${directory}/master.cf:1:31: unknown user name: no-such-user`,
    ]);
    assert([67, 78].includes(code), `exit code ${code}`);
  },
);

rootTest(
  "every address in use is told, and no socket is left behind",
  async () => {
    await using folder = await Folder.create();
    const [free = ""] = freeAddresses(1);
    using first = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    using second = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const path = folder.join("taken.sock");
    using _third = Deno.listen({ transport: "unix", path });
    const taken = [first, second].map(({ addr: { port } }) =>
      `127.0.0.1:${port}`
    );
    const directory = await writeConfiguration(folder, {
      master: [
        unix("good"),
        ...taken.map((address) => inet(address)),
        unix(path),
        inet(free),
      ],
    });
    const { code, entries } = await serveRefused(["-c", directory]);
    assertEquals(code, 71);
    const texts = refusals(entries);
    assertEquals(texts.length, 3);
    for (const [index, address] of taken.entries()) {
      assertMatch(
        texts[index] ?? "",
        new RegExp(`cannot listen on ${address}: Address already in use`),
      );
    }
    assertMatch(
      texts[2] ?? "",
      new RegExp(`${path} is in use: process id ${Deno.pid} `),
    );
    assertEquals(entries.at(-1)?.text, "nothing is served: 3 errors");
    assert(!await exists(`${queueOf(folder)}/private/good`), "left behind");
    assert(await isRefused(free), `somebody listens on ${free}`);
    assert(await exists(path), "somebody else's socket was removed");
  },
);

rootTest("a directory without a configuration is refused", async () => {
  await using folder = await Folder.create();
  const { code, entries } = await serveRefused(["-c", folder.path]);
  assertEquals(code, 78);
  assertEquals(
    refusals(entries),
    ["main.cf", "master.cf"].map((name) => {
      const file = folder.join(name);
      return `${file}: open ${file}: No such file or directory`;
    }),
  );
});

rootTest("a configuration without a service of ours is refused", async () => {
  await using folder = await Folder.create();
  const directory = await writeConfiguration(folder, {
    master: ["pickup unix n - y 60 1 pickup"],
  });
  const { code, entries } = await serveRefused(["-c", directory]);
  assertEquals(code, 78);
  assertEquals(
    refusals(entries),
    [`${directory}/master.cf: no service to serve`],
  );
});

rootTest("a missing queue_directory is told with what to do", async () => {
  await using folder = await Folder.create();
  const directory = await writeConfiguration(folder, {
    main: [`queue_directory = ${folder.join("nowhere")}`],
    master: [unix("policy")],
  });
  const { code, entries } = await serveRefused(["-c", directory]);
  assertEquals(code, 71);
  assertMatch(
    refusals(entries)[0] ?? "",
    new RegExp(`cannot make ${folder.join("nowhere/private")}: `),
  );
});

rootTest(
  "a service whose command cannot be started tries a client a second, and serves the next when it can",
  async () => {
    await using folder = await Folder.create();
    const [broken = "", other = ""] = freeAddresses(2);
    const command = folder.join("command");
    const directory = await writeConfiguration(folder, {
      // That is for programs that master(8) starts.
      main: ["service_throttle_time = 1h"],
      master: [inet(broken, `user=nobody argv=${command}`), inet(other)],
    });
    await using server = await Server.start(["-c", directory]);
    const beforeMs = performance.now();
    assertEquals(await talkTo(broken), "");
    const { level, service, text } = await server.daemon.event("start-failed");
    assertEquals({ level, service, text }, {
      level: "warning",
      service: broken,
      text: `command ${command} cannot be started: No such file or directory`,
    });
    // The next is taken when the service has rested, and the one after it
    // when it has rested once more.
    using next = await connectTo(broken);
    // In whose turn the command may be there already, or not yet.
    using _between = await connectTo(broken);
    using last = await connectTo(broken);
    assertEquals(await talkTo(other, "meanwhile"), "meanwhile");
    assertEquals(await readBytes(next, 1), "");
    assertGreaterOrEqual(
      performance.now() - beforeMs,
      THROTTLE_MS - CLOCK_SLACK_MS,
    );
    await folder.file("command", "#!/bin/sh\nexec /bin/cat\n", 0o755);
    assertEquals(await talkTo(other, "meanwhile"), "meanwhile");
    assertEquals(await finish(last, "at last"), "at last");
    assertEquals(await talkTo(broken, "as ever"), "as ever");
    assertMatch(
      (await server.daemon.event("start-failed-over")).text,
      /^command \S+ is started again, after [23] failures$/,
    );
    assertEquals(recordsOf(server.daemon, "start-failed").length, 1);
  },
);

rootTest("a service's own -v reports its connections alone", async () => {
  await using folder = await Folder.create();
  const [told = "", quiet = ""] = freeAddresses(2);
  const directory = await writeConfiguration(folder, {
    master: [inet(told, `-v ${CAT}`), inet(quiet)],
  });
  await using server = await Server.start(["-c", directory]);
  // A reload keeps it.
  await server.reload();
  assertEquals(await talkTo(quiet, "quiet"), "quiet");
  assertEquals(await talkTo(told, "told"), "told");
  await server.daemon.event("disconnected");
  assertEquals(
    server.daemon.entries
      .filter(({ event }) => /^(?:dis)?connected$/.test(event))
      .map(({ event, service }) => `${service} ${event}`),
    [`${told} connected`, `${told} disconnected`],
  );
});

rootTest("the pid file has the process id while the daemon runs", async () => {
  await using folder = await Folder.create();
  const pidFile = folder.join("spawnd.pid");
  const directory = await writeConfiguration(folder, {
    master: [unix("policy")],
  });
  // A stale one is replaced.
  await folder.file("spawnd.pid", "1\n", 0o600);
  await using server = await Server.start(
    ["-c", directory, "--pid-file", pidFile],
    { prefix: ["sh", "-c", 'umask 077; exec "$@"', "sh"] },
  );
  assertEquals(await Deno.readTextFile(pidFile), `${server.pid}\n`);
  const { mode, uid, isFile } = await Deno.lstat(pidFile);
  assertEquals(
    { mode: (mode ?? 0) & 0o7777, uid, isFile },
    { mode: 0o644, uid: 0, isFile: true },
  );
  server.kill("SIGTERM");
  assertEquals((await server.daemon.ended()).code, 0);
  assert(!await exists(pidFile), "the pid file was left behind");
});

rootTest("the pid file replaces a link and not what it leads to", async () => {
  await using folder = await Folder.create();
  const precious = await folder.file("precious", "keep me\n");
  const pidFile = folder.join("spawnd.pid");
  await Deno.symlink(precious, pidFile);
  const directory = await writeConfiguration(folder, {
    master: [unix("policy")],
  });
  await using server = await Server.start(
    ["-c", directory, "--pid-file", pidFile],
  );
  assertEquals(await Deno.readTextFile(pidFile), `${server.pid}\n`);
  assertEquals(await Deno.readTextFile(precious), "keep me\n");
});

rootTest(
  "a pid file where others could tamper with it is refused",
  async () => {
    await using folder = await Folder.create();
    await using account = await Account.create();
    const directory = await writeConfiguration(folder, {
      master: [unix("policy")],
    });
    const unsafe = folder.join("unsafe");
    await Deno.mkdir(unsafe);
    const pidFile = `${unsafe}/spawnd.pid`;
    const refused = async (reason: string): Promise<void> => {
      const { code, entries } = await serveRefused(
        ["-c", directory, "--pid-file", pidFile],
      );
      assertEquals(code, 78);
      assertEquals(
        refusals(entries),
        [`refused to write the pid file ${pidFile}: ${unsafe} ${reason}`],
      );
      assertEquals(await Array.fromAsync(Deno.readDir(unsafe)), []);
      const socket = `${queueOf(folder)}/private/policy`;
      assert(!await exists(socket), "the socket was left behind");
    };
    for (const mode of [0o777, 0o775, 0o1777, 0o757]) {
      await Deno.chmod(unsafe, mode);
      await refused("is writable by others");
    }
    await Deno.chmod(unsafe, 0o755);
    await Deno.chown(unsafe, account.uid, account.gid);
    await refused(`belongs to user id ${account.uid}`);
  },
);

rootTest(
  "paths of the command line may be relative to where it was given",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    await writeConfiguration(folder, { master: [inet(address)] });
    await using server = await Server.start(
      ["-c", "conf", "--pid-file", "spawnd.pid"],
      { cwd: folder.path },
    );
    const pidFile = folder.join("spawnd.pid");
    assertEquals(await Deno.readTextFile(pidFile), `${server.pid}\n`);
    assertEquals(await talkTo(address, "hello"), "hello");
    server.kill("SIGTERM");
    await server.ended();
    assert(!await exists(pidFile), "the pid file was left behind");
  },
);

rootTest(
  "SIGTERM closes every door and lets the commands of all services finish",
  async () => {
    await using folder = await Folder.create();
    const addresses = freeAddresses(2);
    const directory = await writeConfiguration(folder, {
      master: [...addresses.map((address) => inet(address)), unix("policy")],
    });
    const path = `${queueOf(folder)}/private/policy`;
    await using server = await Server.start(["-c", directory]);
    const connections: Deno.Conn[] = [];
    for (const address of [...addresses, path]) {
      const connection = await connectTo(address);
      connections.push(connection);
      await writeAll(connection, new TextEncoder().encode("before"));
      assertEquals(await readBytes(connection, 6), "before");
    }
    server.kill("SIGTERM");
    assertEquals(
      (await server.daemon.event("stopping")).text,
      "SIGTERM: no more connections are accepted, 3 commands left",
    );
    for (const address of [...addresses, path]) {
      assert(await isRefused(address), `somebody listens on ${address}`);
    }
    for (const connection of connections) {
      using _closing = connection;
      assertEquals(await finish(connection, "after"), "after");
    }
    assertEquals((await server.daemon.ended()).code, 0);
  },
);

rootTest("the effective ids of the daemon are its owner's", async () => {
  await using folder = await Folder.create();
  await using owner = await Account.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    main: [`owner = ${owner.name}`],
    master: [inet(address), unix("policy")],
  });
  await using server = await Server.start(["-c", directory]);
  assertEquals(await talkTo(address, "hello"), "hello");
  const { uid, gid } = owner;
  const threads = await idsOfThreads(server.pid);
  assertGreaterOrEqual(threads.length, 1);
  assertEquals(
    [...new Set(threads)],
    [`0 ${uid} 0 ${uid}, 0 ${gid} 0 ${gid}, ${gid}`],
  );
  const children = statusFields(
    await output("stat", "-c", "Owner:\t%u", `${queueOf(folder)}/private`),
  );
  assertEquals(children.get("Owner"), String(uid));
});

rootTest(
  "with the relay engine SIGHUP is answered, and nothing changes",
  async () => {
    await using folder = await Folder.create();
    const [address = "", later = ""] = freeAddresses(2);
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    await using server = await Server.start(
      ["-c", directory, "--engine", "relay"],
    );
    using connection = await connectTo(address);
    await writeConfiguration(folder, { master: [inet(later)] });
    server.kill("SIGHUP");
    const { text } = await server.daemon.event("hangup");
    assertMatch(text, /^SIGHUP ignored: /);
    assertEquals(await talkTo(address, "hello"), "hello");
    assertEquals(await finish(connection, "still here"), "still here");
    assert(await isRefused(later), "the new configuration is served");
  },
);

/** How many commands a service has started so far. */
function started(server: Server, name: string): number {
  return recordsOf(server.daemon, "connected")
    .filter(({ service }) => service === name).length;
}
