import { assert, assertEquals, assertMatch } from "@std/assert";
import { Daemon, readAll } from "./daemon.ts";
import { ENGINES, Folder, output, rootTest } from "./machine.ts";

const INET_NAMES = { inet: "127.0.0.1:0", inet6: "[::1]:0" };

/** Prints the address and port of the other end of standard input. */
const PEER_SCRIPT = `
  my $name = getpeername(STDIN) or die "getpeername: $!";
  my ($port, $address) = sockaddr_family($name) == AF_INET
    ? unpack_sockaddr_in($name) : unpack_sockaddr_in6($name);
  print inet_ntop(sockaddr_family($name), $address), " ", $port;
`;

/** Prints process, user and group id of the other end of standard input. */
const PEER_PROCESS_SCRIPT = `
  my $peer = getsockopt(STDIN, SOL_SOCKET, SO_PEERCRED) or die "$!";
  print join " ", unpack "iII", $peer;
`;

for (const engine of ENGINES) {
  for (const [kind, name] of Object.entries(INET_NAMES)) {
    rootTest(
      `spawnd run serves /bin/cat over ${kind} with ${engine}`,
      async () => {
        await using daemon = await Daemon.start(
          ["inet", name, "--engine", engine, "user=nobody", "argv=/bin/cat"],
        );
        assertEquals(await daemon.talk("hello\n"), "hello\n");
      },
    );
  }

  rootTest(`spawnd run serves /bin/cat over unix with ${engine}`, async () => {
    await using folder = await Folder.create();
    const path = folder.join("cat.sock");
    await using daemon = await Daemon.start(
      ["unix", path, "--engine", engine, "user=nobody", "argv=/bin/cat"],
    );
    assertEquals(daemon.addresses, [path]);
    assertEquals(await daemon.talk("hello\n"), "hello\n");
  });

  rootTest(
    `a port without a host is every address of the machine with ${engine}`,
    async () => {
      await using daemon = await Daemon.start(
        ["inet", "0", "--engine", engine, "user=nobody", "argv=/bin/cat"],
      );
      for (const hostname of ["127.0.0.1", "::1"]) {
        assertEquals(await talkTo(hostname, daemon.port), hostname);
      }
    },
  );

  rootTest(
    `one daemon serves one client after the other with ${engine}`,
    async () => {
      await using daemon = await Daemon.start([
        "inet",
        "127.0.0.1:0",
        "--engine",
        engine,
        "user=nobody",
        "argv=/bin/cat",
      ]);
      for (let client = 0; client < 20; client++) {
        assertEquals(await daemon.talk(`client ${client}`), `client ${client}`);
      }
    },
  );
}

rootTest(
  "spawnd run says where, what, as whom and with which engine",
  async () => {
    for (const engine of ENGINES) {
      await using daemon = await Daemon.start([
        "inet",
        "127.0.0.1:0",
        "--engine",
        engine,
        "user=nobody",
        "argv=/bin/echo",
        "one two",
      ]);
      const uid = (await output("id", "-u", "nobody")).trim();
      const gid = (await output("id", "-g", "nobody")).trim();
      const { text, level } = await daemon.event("listening");
      assertEquals(level, "info");
      assertEquals(
        text,
        `listening on 127.0.0.1:${daemon.port}: runs /bin/echo 'one two' ` +
          `as nobody (uid ${uid}, gid ${gid}), engine ${engine}`,
      );
    }
  },
);

for (
  const [command, warning] of [
    [
      "nosuchcmd",
      "command not found: nosuchcmd " +
      "(it is looked for in /usr/bin:/bin: write its path)",
    ],
    [
      "/no/such/command",
      "command does not exist: /no/such/command " +
      "(install it, or correct its path)",
    ],
    [
      "/bin/cat -u",
      "command does not exist: '/bin/cat -u' " +
      "(no shell splits it: give each word by itself)",
    ],
    ["/etc/passwd", /^command not executable by nobody: \/etc\/passwd \(let /],
  ] as const
) {
  rootTest(`spawnd run warns of argv=${command} as check does`, async () => {
    await using daemon = await Daemon.start(
      ["inet", "127.0.0.1:0", "user=nobody", `argv=${command}`],
    );
    const { level, text } = await daemon.event("command");
    assertEquals(level, "warning");
    if (typeof warning === "string") assertEquals(text, warning);
    else assertMatch(text, warning);
    assertEquals(await daemon.talk(), "");
    const { text: why } = await daemon.event("start-failed");
    const shown = command.includes(" ") ? `'${command}'` : command;
    assertMatch(why, new RegExp(`^command ${shown} cannot be started: `));
  });
}

rootTest("spawnd run has nothing to warn of where all is well", async () => {
  await using daemon = await Daemon.start(
    ["inet", "127.0.0.1:0", "user=nobody", "argv=cat"],
  );
  assertEquals(daemon.entries.map(({ event }) => event), ["listening"]);
});

rootTest(
  "a connection over TCP is kept alive, so that a client that vanishes is found out",
  async () => {
    await using daemon = await Daemon.start([
      "inet",
      "127.0.0.1:0",
      "user=nobody",
      "argv=/usr/bin/perl",
      "-MSocket",
      "-e",
      "print unpack 'i', getsockopt(STDIN, SOL_SOCKET, SO_KEEPALIVE)",
    ]);
    assertEquals(await daemon.talk(""), "1");
  },
);

rootTest("the engine is direct where nothing else is asked for", async () => {
  await using daemon = await Daemon.start(
    ["inet", "127.0.0.1:0", "user=nobody", "argv=/bin/cat"],
  );
  assertEquals((await daemon.event("listening")).fields["engine"], "direct");
});

rootTest("port 0 takes a free port and tells it", async () => {
  for (
    const [name, form] of [
      ["127.0.0.1:0", /^127\.0\.0\.1:[1-9]\d*$/],
      ["[::1]:0", /^\[::1\]:[1-9]\d*$/],
    ] as const
  ) {
    await using daemon = await Daemon.start(
      ["inet", name, "user=nobody", "argv=/bin/cat"],
    );
    assertEquals(daemon.addresses.length, 1);
    assertMatch(daemon.addresses[0] ?? "", form);
    assertEquals(await daemon.talk("hello"), "hello");
  }
});

rootTest(
  "hosts and ports are taken by name, from hosts(5) and services(5)",
  async () => {
    const { name, port } = await freeService();
    await using daemon = await Daemon.start(
      ["inet", `localhost:${name}`, "user=nobody", "argv=/bin/cat"],
    );
    assert(daemon.addresses.length > 0);
    for (const address of daemon.addresses) {
      assert([`127.0.0.1:${port}`, `[::1]:${port}`].includes(address), address);
    }
    assertEquals(await talkTo("localhost", port), "localhost");
  },
);

rootTest("a command can ask its inet connection for its peer", async () => {
  for (const name of Object.values(INET_NAMES)) {
    await using daemon = await Daemon.start(
      [
        "inet",
        name,
        "user=nobody",
        "argv=perl",
        "-MSocket=:all",
        "-e",
        PEER_SCRIPT,
      ],
    );
    using connection = await daemon.connect();
    const { hostname, port } = connection.localAddr as Deno.NetAddr; // inet's
    assertEquals(
      new TextDecoder().decode(await readAll(connection)),
      `${hostname} ${port}`,
    );
  }
});

rootTest("a command can ask its unix connection for its peer", async () => {
  await using folder = await Folder.create();
  await using daemon = await Daemon.start([
    "unix",
    folder.join("peer.sock"),
    "user=nobody",
    "argv=perl",
    "-MSocket",
    "-e",
    PEER_PROCESS_SCRIPT,
  ]);
  assertEquals(await daemon.talk(), `${Deno.pid} ${Deno.uid()} ${Deno.gid()}`);
});

rootTest("the connection blocks, as commands expect", async () => {
  await using daemon = await Daemon.start([
    "inet",
    "127.0.0.1:0",
    "user=nobody",
    "argv=/bin/cat",
    "/proc/self/fdinfo/0",
  ]);
  const flags = /^flags:\t([0-7]+)$/m.exec(await daemon.talk())?.[1];
  const O_RDWR = 0o2;
  assertEquals(parseInt(flags ?? "", 8), O_RDWR);
});

/** What /bin/cat sends back of the host's own name. */
async function talkTo(hostname: string, port: number): Promise<string> {
  using connection = await Deno.connect({ hostname, port });
  await connection.write(new TextEncoder().encode(hostname));
  await connection.closeWrite();
  return new TextDecoder().decode(await readAll(connection));
}

/** A tcp service of services(5) whose port nobody listens on. */
async function freeService(): Promise<{ name: string; port: number }> {
  for (const line of (await output("getent", "services")).split("\n")) {
    const [, name, digits] = /^(\S+)\s.*?(\d+)\/tcp$/.exec(line) ?? [];
    const port = Number(digits);
    if (name === undefined || port < 1024) continue;
    try {
      Deno.listen({ port, hostname: "::" }).close();
      return { name, port };
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error("no service of services(5) is free");
}
