import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  connectTo,
  freeAddress,
  freeAddresses,
  inet,
  queueOf,
  Server,
  talkTo,
  unix,
  writeConfiguration,
} from "./configuration.ts";
import { Daemon, programWords } from "./daemon.ts";
import { becomes } from "./load.ts";
import {
  Account,
  childrenOf,
  Folder,
  output,
  rootTest,
  until,
} from "./machine.ts";
import { ask, serviceOf, statusOf } from "./status.ts";

/** A client whose command runs for as long as it is there. */
async function held(address: string): Promise<Deno.Conn> {
  const connection = await connectTo(address);
  await connection.write(new TextEncoder().encode("x"));
  await connection.read(new Uint8Array(1));
  return connection;
}

rootTest("status tells what clients did, also after a reload", async () => {
  await using folder = await Folder.create();
  const [echo, fails, late, none] = freeAddresses(4) as [
    string,
    string,
    string,
    string,
  ];
  const directory = await writeConfiguration(folder, {
    main: [`${late}_time_limit = 1s`],
    master: [
      inet(echo, undefined, 2),
      inet(fails, "user=nobody argv=/bin/false"),
      inet(late),
      inet(none, `user=nobody argv=${folder.join("none")}`),
    ],
  });
  await using server = await Server.start(["-c", directory]);
  for (let count = 0; count < 5; count++) await talkTo(echo, "hello");
  for (let count = 0; count < 3; count++) await talkTo(fails);
  using _late = await held(late);
  await talkTo(none);
  await server.daemon.event("time-limit");
  const counts = async (name: string) => {
    const status = await serviceOf(directory, name);
    const { connections, failed, timedOut, notStarted, active } = status;
    return { connections, failed, timedOut, notStarted, active };
  };
  const nothing = { failed: 0, timedOut: 0, notStarted: 0, active: 0 };
  const check = async () => {
    await becomes({ connections: 5, ...nothing }, () => counts(echo));
    await becomes(
      { ...nothing, connections: 3, failed: 3 },
      () => counts(fails),
    );
    await becomes(
      { ...nothing, connections: 1, failed: 1, timedOut: 1 },
      () => counts(late),
    );
    await becomes(
      { ...nothing, connections: 1, notStarted: 1 },
      () => counts(none),
    );
    const { medianSeconds, p99Seconds, recent } = await serviceOf(
      directory,
      echo,
    );
    assert((medianSeconds ?? 0) > 0 && (p99Seconds ?? 0) > 0);
    assert((p99Seconds ?? 0) >= (medianSeconds ?? 0));
    assert(((await serviceOf(directory, late)).medianSeconds ?? 0) >= 1);
    assert(recent.reduce((sum, part) => sum + part) <= 5);
  };
  await check();
  const { since, pid } = await statusOf(directory);
  await server.reload();
  await check();
  const after = await statusOf(directory);
  assertEquals([after.since, after.pid], [since, pid]);
});

rootTest(
  "status tells who runs and who waits, of inet and of unix",
  async () => {
    await using folder = await Folder.create();
    const address = freeAddress();
    const directory = await writeConfiguration(folder, {
      master: [inet(address, undefined, 1), unix("policy", undefined, 1)],
    });
    await using server = await Server.start(["-c", directory]);
    const path = `${queueOf(folder)}/private/policy`;
    using first = await held(address);
    using _second = await held(path);
    using _third = await connectTo(address);
    using _fourth = await connectTo(path);
    using _fifth = await connectTo(path);
    const waiting = async () =>
      (await statusOf(directory)).services
        .map(({ active, limit, waiting }) => ({ active, limit, waiting }));
    await becomes([
      { active: 1, limit: 1, waiting: 1 },
      { active: 1, limit: 1, waiting: 2 },
    ], waiting);
    const { commands } = await statusOf(directory);
    const { hostname, port } = first.localAddr as Deno.NetAddr;
    assertEquals(
      commands.map(({ service, client }) => ({ service, client })),
      [
        { service: address, client: `${hostname}:${port}` },
        { service: "policy", client: `unix:pid=${Deno.pid},uid=${Deno.uid()}` },
      ],
    );
    for (const { pid, ageSeconds, processorSeconds } of commands) {
      const [parent, name] = (await output(
        "ps",
        ...["-o", "ppid=,comm=", "-p", `${pid}`],
      )).trim().split(/\s+/);
      assertEquals([parent, name], [`${server.pid}`, "cat"]);
      assert(ageSeconds > 0 && ageSeconds < 3600);
      assert(processorSeconds !== null && processorSeconds < 60);
    }
  },
);

rootTest(
  "kill ends the commands of a service, or one, and nothing else",
  async () => {
    await using folder = await Folder.create();
    const [one, other] = freeAddresses(2) as [string, string];
    const directory = await writeConfiguration(folder, {
      master: [inet(one), inet(other)],
    });
    await using server = await Server.start(["-c", directory]);
    using _a = await held(one);
    using _b = await held(one);
    using _c = await held(other);
    const pids = async (name: string) =>
      (await statusOf(directory)).commands
        .flatMap(({ service, pid }) => service === name ? [pid] : []);
    const [first = 0, second = 0] = await pids(one);
    const single = await ask("kill", directory, `${first}`);
    assertEquals([single.code, single.stderr], [0, ""]);
    assertMatch(
      single.stdout,
      new RegExp(
        `^${one}: process id ${first} for 127\\.0\\.0\\.1:\\d+ is ended`,
      ),
    );
    await becomes([second], () => pids(one));
    assertEquals((await pids(other)).length, 1);
    const all = await ask("kill", directory, one);
    assertEquals(all.stdout.split("\n").length, 2, all.stdout);
    await becomes([], () => pids(one));
    assertEquals((await pids(other)).length, 1);
    const idle = await ask("kill", directory, one);
    assertEquals([idle.code, idle.stdout], [0, `no command of ${one} runs\n`]);
    // No command: the daemon, this test, the first process, a group, all.
    const canary = new Deno.Command("sleep", { args: ["600"] }).spawn();
    const strangers = [server.pid, Deno.pid, canary.pid, 1, 0, -1, first];
    for (const stranger of strangers) {
      const { code, stderr } = await ask(
        "kill",
        directory,
        "--",
        `${stranger}`,
      );
      assertEquals(
        [code, stderr],
        [64, `spawnd kill: no service and no running command: ${stranger}\n`],
      );
    }
    assertEquals((await pids(other)).length, 1);
    assertEquals((await serviceOf(directory, one)).endedByHand, 2);
    canary.kill("SIGKILL");
    await canary.status;
  },
);

rootTest("kill ends a command for good that does not listen", async () => {
  await using folder = await Folder.create();
  const address = freeAddress();
  const script = "trap '' TERM; echo up; while :; do sleep 1; done";
  const directory = await writeConfiguration(folder, {
    master: [inet(address, `user=nobody argv=/bin/sh -c { ${script} }`)],
  });
  await using server = await Server.start(["-c", directory]);
  using connection = await connectTo(address);
  await connection.read(new Uint8Array(3));
  await ask("kill", directory, address);
  const killed = await server.daemon.event("killed");
  assertEquals(killed.fields["signal"], 9);
});

rootTest(
  "drain says so at once, accepts for the grace, and ends with the last command",
  async () => {
    await using folder = await Folder.create();
    const address = freeAddress();
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    await using server = await Server.start(["-c", directory]);
    const connection = await held(address);
    const { code, stdout } = await ask("drain", directory, "--grace", "1d");
    assertEquals(code, 0);
    assertMatch(stdout, new RegExp(`^process id ${server.pid} accepts `));
    const draining = await ask("status", directory, "--json");
    assertEquals([draining.code, JSON.parse(draining.stdout).state], [
      ...[1, "draining"],
    ]);
    assertEquals(await talkTo(address, "still"), "still");
    // Asked anew, it has no more patience.
    await ask("drain", directory);
    await server.daemon.event("stopping");
    assertEquals((await statusOf(directory)).state, "stopping");
    // To ask a third time ends no command.
    assertEquals((await ask("drain", directory)).code, 0);
    assertEquals((await statusOf(directory)).commands.length, 1);
    // Nor does who stops it then, as a service manager does.
    server.daemon.kill("SIGTERM");
    await server.daemon.event("signal-ignored");
    assertEquals((await statusOf(directory)).commands.length, 1);
    connection.close();
    assertEquals((await server.ended()).code, 0);
    const after = await ask("status", directory);
    assertEquals(after.code, 71);
    assertMatch(after.stderr, /^spawnd status: no daemon answers: /);
  },
);

rootTest("a stop in the grace of a drain is one stop", async () => {
  await using folder = await Folder.create();
  const address = freeAddress();
  const directory = await writeConfiguration(folder, {
    master: [inet(address)],
  });
  await using server = await Server.start(["-c", directory]);
  const connection = await held(address);
  await ask("drain", directory, "--grace", "1s");
  await server.daemon.event("drain");
  const sinceMs = performance.now();
  server.daemon.kill("SIGTERM");
  await server.daemon.event("stopping");
  await until("the grace is over", () => performance.now() > sinceMs + 1500);
  assertEquals((await statusOf(directory)).commands.length, 1);
  connection.close();
  assertEquals((await server.ended()).code, 0);
});

rootTest("a mistaken directory asks no daemon of another", async () => {
  await using folder = await Folder.create();
  for (const words of [["status"], ["kill", "1"], ["drain"]] as const) {
    const [subcommand, ...more] = words;
    const none = folder.join("none");
    const { code, stderr } = await ask(subcommand, none, ...more);
    assertEquals({ code, stderr }, {
      code: 78,
      stderr: `spawnd ${subcommand}: open ${none}/main.cf: No such file or ` +
        "directory (it may be empty; -c names another directory)\n",
    });
  }
});

rootTest("a stranger neither asks nor is asked", async () => {
  await using folder = await Folder.create();
  await using stranger = await Account.create();
  const directory = await writeConfiguration(folder, {
    master: [inet(freeAddress())],
  });
  await Deno.chmod(folder.path, 0o755);
  const path = `${queueOf(folder)}/spawnd.status`;
  const asStranger = [
    ...["setpriv", `--reuid=${stranger.uid}`, `--regid=${stranger.gid}`],
    "--clear-groups",
  ];
  const script = "use Socket; socket(S, PF_UNIX, SOCK_STREAM, 0);" +
    "exit(connect(S, pack_sockaddr_un($ARGV[0])) ? 0 : 1)";
  {
    await using _server = await Server.start(["-c", directory]);
    const { mode, uid } = await Deno.stat(path);
    assertEquals([(mode ?? 0) & 0o777, uid], [0o600, 0]);
    const connects = async () =>
      (await new Deno.Command(asStranger[0] ?? "", {
        args: [...asStranger.slice(1), "perl", "-e", script, path],
      }).output()).code;
    assertEquals(await connects(), 1);
    // Whatever the mode says: who it is, is looked at.
    await Deno.chmod(path, 0o666);
    const asking = 'use Socket; $SIG{PIPE} = "IGNORE";' +
      "socket(S, PF_UNIX, SOCK_STREAM, 0);" +
      "connect(S, pack_sockaddr_un($ARGV[0])) or die; select S; $| = 1;" +
      'print "{\\"ask\\":\\"status\\"}\\n"; print STDOUT scalar(<S>) // "none"';
    const { stdout } = await new Deno.Command(asStranger[0] ?? "", {
      args: [...asStranger.slice(1), "perl", "-e", asking, path],
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "none");
    assertEquals((await ask("status", directory)).code, 0);
  }
  // And whoever puts his own socket there is not believed.
  await Deno.chmod(queueOf(folder), 0o777);
  const serving = "use Socket; socket(S, PF_UNIX, SOCK_STREAM, 0);" +
    'bind(S, pack_sockaddr_un($ARGV[0])); listen(S, 5); print "up\\n";' +
    "close STDOUT; while (accept(C, S)) { close C }";
  const imposter = new Deno.Command(asStranger[0] ?? "", {
    args: [...asStranger.slice(1), "perl", "-e", serving, path],
    stdout: "piped",
  }).spawn();
  await new Response(imposter.stdout).text();
  const { code, stderr } = await ask("status", directory);
  assertEquals(code, 77);
  assertMatch(stderr, new RegExp(`is a process of user id ${stranger.uid}`));
  imposter.kill("SIGKILL");
  await imposter.status;
});

rootTest(
  "a daemon without a place for its socket warns, and serves",
  async () => {
    await using folder = await Folder.create();
    const address = freeAddress();
    const directory = await writeConfiguration(folder, {
      main: [`queue_directory = ${folder.join("none")}`],
      master: [inet(address)],
    });
    await using daemon = await Daemon.serve(["-c", directory]);
    const { text } = await daemon.event("status-unavailable");
    assertMatch(
      text,
      /^no status can be asked for: cannot make .*\/spawnd\.st/,
    );
    assertEquals(await talkTo(address, "hello"), "hello");
    assertEquals((await ask("status", directory)).code, 71);
  },
);

rootTest(
  "a second daemon of one queue_directory leaves the first its socket",
  async () => {
    await using folder = await Folder.create();
    const [one, other] = freeAddresses(2) as [string, string];
    const directory = await writeConfiguration(folder, { master: [inet(one)] });
    await using first = await Server.start(["-c", directory]);
    await writeConfiguration(folder, { master: [inet(other)] });
    {
      await using second = await Daemon.serve(["-c", directory]);
      await second.event("status-unavailable");
      assertEquals((await statusOf(directory)).pid, first.pid);
    }
    assertEquals((await statusOf(directory)).pid, first.pid);
  },
);

rootTest(
  "clients without manners at the status socket keep nobody waiting",
  async () => {
    await using folder = await Folder.create();
    const address = freeAddress();
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    await using server = await Server.start(["-c", directory]);
    const path = `${queueOf(folder)}/spawnd.status`;
    const connect = () => Deno.connect({ transport: "unix", path });
    // As many as are answered at a time, and none of them asks.
    const silent = await Promise.all(Array.from({ length: 8 }, connect));
    assertEquals(await talkTo(address, "hello"), "hello");
    for (const connection of silent) connection.close();
    const bytes = (text: string) => new TextEncoder().encode(text);
    for (
      const question of ["\n", "what?\n", '{"ask":"stop"}\n', "x".repeat(9000)]
    ) {
      using connection = await connect();
      await connection.write(bytes(question)).catch(() => {});
      const answer = await new Response(connection.readable).text()
        .catch(() => "");
      assert(!answer.includes("daemon"), answer);
    }
    assertEquals((await statusOf(directory)).pid, server.pid);
  },
);

rootTest(
  "--watch draws on a terminal anew each second, on a narrow one too",
  async () => {
    await using folder = await Folder.create();
    const address = freeAddress();
    const directory = await writeConfiguration(folder, {
      master: [inet(address), unix("policy")],
    });
    await using _server = await Server.start(["-c", directory]);
    await talkTo(address, "hello");
    for (const columns of [100, 40, 12]) {
      const shown = folder.join(`shown-${columns}`);
      const line = `stty cols ${columns} rows 20; ` +
        `exec ${programWords().join(" ")} status -c ${directory} --watch`;
      const child = new Deno.Command("script", {
        args: ["--quiet", "--flush", "--return", "--command", line, shown],
        env: { LANG: "C.UTF-8" },
        stdin: "null",
        stdout: "null",
      }).spawn();
      const screens = async () => {
        try {
          const text = await Deno.readTextFile(shown);
          return text.split("\x1b[H").slice(1);
        } catch (error) {
          if (error instanceof Deno.errors.NotFound) return [];
          throw error;
        }
      };
      await until("it is drawn anew", async () => (await screens()).length > 2);
      const [, screen = ""] = await screens();
      for (const pid of await childrenOf(child.pid)) Deno.kill(pid, "SIGINT");
      assertEquals((await child.status).code, 130);
      assert(screen.endsWith("\x1b[J"), screen);
      const lines = screen.replace("\x1b[J", "").replaceAll("\x1b[K", "")
        .split(/\r*\n/);
      for (const line of lines) {
        assert([...line].length <= columns, `${columns}: ${line}`);
      }
      assert(lines.some((line) => line.startsWith("policy")), screen);
      assert(lines.some((line) => line.includes("|")), screen);
    }
  },
);
