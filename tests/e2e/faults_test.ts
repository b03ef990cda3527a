import {
  assertEquals,
  assertGreaterOrEqual,
  assertLessOrEqual,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { type Daemon, readAll, writeAll } from "./daemon.ts";
import {
  Account,
  childrenOf,
  descriptorsOf,
  ENGINES,
  Folder,
  proc,
  rootTest,
  statusFields,
  tracedCalls,
  until,
} from "./machine.ts";
import {
  becomes,
  Clients,
  finish,
  processesOf,
  readBytes,
  recordsOf,
  settled,
  startOnLoopback,
  traceTest,
} from "./load.ts";

/** Descriptors that a daemon may have, where that is limited. */
const DESCRIPTORS_MAX = 48;

/** Clients that it then has no descriptors for. */
const WAITING_COUNT = 4;

/** Processes that the service's account may have, where that is limited. */
const PROCESSES_MAX = 5;

/** Clients that it then has none for. */
const CLOSED_COUNT = 3;

/** Its child goes on alone with the conversation: all that daemon(3) does but open /dev/null. */
const DAEMONIZES = `
  use POSIX;
  exit if fork() > 0;
  POSIX::setsid();
  $| = 1;
  print while <STDIN>;
`;

traceTest(
  "a daemon without descriptors lets clients wait, and tells it once",
  async () => {
    await using folder = await Folder.create();
    const trace = `${folder.path}/trace`;
    await using daemon = await startOnLoopback(
      "direct",
      ["user=nobody", "argv=/bin/cat"],
      {
        prefix: [
          ...traced("accept4", trace),
          "prlimit",
          `--nofile=${DESCRIPTORS_MAX}`,
        ],
      },
    );
    const free = await freeDescriptors(daemon);
    using held = await Clients.connect(daemon, free);
    using waiting = await Clients.connect(daemon, WAITING_COUNT);
    const { level, text } = await daemon.event("accept-failed");
    assertEquals(level, "warning");
    assertEquals(
      text,
      "connections cannot be accepted and wait: Too many open files",
    );
    assertEquals((await childrenOf(daemon.pid)).length, free);
    await until(
      "it has tried three times",
      async () => (await Deno.readTextFile(trace)).split(" EMFILE ").length > 3,
    );
    for (const client of held.all) {
      assertEquals(await finish(client, "held"), "held");
    }
    for (const client of waiting.all) {
      assertEquals(await finish(client, "waited"), "waited");
    }
    await daemon.event("disconnected", free + WAITING_COUNT);
    assertEquals(recordsOf(daemon, "accept-failed").length, 1);
    assertEquals(recordsOf(daemon, "start-failed"), []);
    const [over, ...more] = recordsOf(daemon, "accept-failed-over");
    assertEquals(more, []);
    assertMatch(
      over?.text ?? "",
      /^connections are accepted again, after ([2-9]|\d\d+) failures$/,
    );
    assertEquals(await daemon.talk("served"), "served");
  },
);

rootTest(
  "a daemon that runs out of descriptors in a burst serves whom it has taken",
  async () => {
    await using daemon = await startOnLoopback(
      "direct",
      ["user=nobody", "argv=/bin/cat"],
      { prefix: ["prlimit", `--nofile=${DESCRIPTORS_MAX}`] },
    );
    const free = await freeDescriptors(daemon);
    daemon.kill("SIGSTOP");
    using clients = await Clients.connect(daemon, free + WAITING_COUNT);
    daemon.kill("SIGCONT");
    await daemon.event("accept-failed");
    assertEquals((await childrenOf(daemon.pid)).length, free);
    for (const client of clients.all) {
      assertEquals(await finish(client, "served"), "served");
    }
    await daemon.event("disconnected", clients.all.length);
    assertEquals(recordsOf(daemon, "accept-failed").length, 1);
    assertEquals(recordsOf(daemon, "start-failed"), []);
  },
);

rootTest("a relay without descriptors lives on and recovers", async () => {
  await using daemon = await startOnLoopback(
    "relay",
    ["user=nobody", "argv=/bin/cat"],
    { prefix: ["prlimit", `--nofile=${DESCRIPTORS_MAX}`] },
  );
  {
    using _clients = await Clients.connect(daemon, DESCRIPTORS_MAX);
    await until(
      "it has told of it",
      () => daemon.entries.some(({ level }) => level === "warning"),
    );
  }
  const failed = daemon.entries.find(({ level }) => level === "warning");
  assertMatch(failed?.event ?? "", /^(accept|start)-failed$/);
  assertStringIncludes(failed?.text ?? "", "Too many open files");
  await becomes(0, async () => (await childrenOf(daemon.pid)).length);
  await until(
    "it serves again",
    async () => await daemon.talk("served").catch(() => "") === "served",
  );
});

traceTest("a command that cannot be watched is ended and told", async () => {
  await using account = await Account.create();
  const words = [`user=${account.name}`, "argv=/bin/cat"];
  const when = await watchedBeforeACommand(words) + 1;
  await using daemon = await startOnLoopback("direct", words, {
    prefix: fails("epoll_ctl", "ENOMEM", when),
  });
  using connection = await daemon.connect();
  assertEquals((await readAll(connection)).length, 0);
  const { text } = await daemon.event("start-failed");
  assertEquals(
    text,
    "command /bin/cat cannot be started: " +
      "it cannot be watched: Cannot allocate memory",
  );
  await becomes([], () => processesOf(account.uid));
  assertEquals(await childrenOf(daemon.pid), []);
  assertEquals(await daemon.talk("served"), "served");
  const over = await daemon.event("start-failed-over");
  assertEquals(
    over.text,
    "command /bin/cat is started again, after 1 failure",
  );
});

for (const code of ["ECONNABORTED", "EINTR", "EPROTO"]) {
  traceTest(`${code} from accept is no failure`, async () => {
    await using daemon = await startOnLoopback(
      "direct",
      ["user=nobody", "argv=/bin/cat"],
      { prefix: firstFails("accept4", code) },
    );
    assertEquals(await daemon.talk("served"), "served");
    await daemon.event("disconnected");
    assertEquals(
      daemon.entries.map(({ event }) => event),
      ["listening", "connected", "disconnected"],
    );
  });
}

for (const engine of ENGINES) {
  rootTest(
    `a service without processes tells it once and recovers with ${engine}`,
    async () => {
      await using account = await Account.create();
      await using daemon = await startOnLoopback(
        engine,
        [
          `user=${account.name}`,
          "argv=/bin/sh",
          "-c",
          "echo ready; exec cat",
        ],
        { prefix: ["prlimit", `--nproc=${PROCESSES_MAX}`] },
      );
      using clients = await Clients.connect(
        daemon,
        PROCESSES_MAX + 1 + CLOSED_COUNT,
      );
      const held: Deno.Conn[] = [];
      for (const client of clients.all) {
        if (await readBytes(client, 6) === "ready\n") held.push(client);
      }
      const closedCount = clients.all.length - held.length;
      assertGreaterOrEqual(held.length, 1);
      assertGreaterOrEqual(closedCount, CLOSED_COUNT);
      for (const client of held) {
        assertEquals(await finish(client, "held"), "held");
      }
      await daemon.event("disconnected", held.length);
      assertEquals(await daemon.talk("served"), "ready\nserved");
      await daemon.event("disconnected", held.length + 1);
      const [failed, over, ...others] = daemon.entries.filter(({ event }) =>
        !/^(listening|connected|disconnected)$/.test(event)
      );
      assertEquals(others, []);
      assertEquals(failed?.level, "warning");
      assertMatch(
        failed?.text ?? "",
        /^command \/bin\/sh cannot be started: .*Resource temporarily unavailable/,
      );
      // One that could be started in between ends the fault for then, and what
      // comes within a minute is not told again.
      const [, told] =
        /^command \/bin\/sh is started again, after (\d+) failures?$/
          .exec(over?.text ?? "") ?? [];
      assertGreaterOrEqual(Number(told), 1);
      assertLessOrEqual(Number(told), closedCount);
    },
  );

  rootTest(
    `a daemon that was stopped and continued has lost nobody with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(
        engine,
        ["user=nobody", "argv=/bin/cat"],
      );
      using held = await daemon.connect();
      await writeAll(held, new TextEncoder().encode("before\n"));
      assertEquals(await readBytes(held, 7), "before\n");
      // Until it knows that a service's first command runs, it has a part in
      // the conversation.
      await daemon.event("connected");
      daemon.kill("SIGSTOP");
      await until("it is stopped", async () => await stateOf(daemon) === "T");
      using waiting = await daemon.connect();
      const answers = [finish(held, "held"), finish(waiting, "waited")];
      // The direct engine's conversations have no need of the daemon.
      if (engine === "direct") assertEquals(await answers[0], "held");
      daemon.kill("SIGCONT");
      assertEquals(await Promise.all(answers), ["held", "waited"]);
      await daemon.event("disconnected", 2);
    },
  );

  rootTest(
    `a command killed by others is told and makes room with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(
        engine,
        ["--max-processes", "1", "user=nobody", "argv=/bin/cat"],
      );
      using held = await daemon.connect();
      using waiting = await daemon.connect();
      const { fields } = await daemon.event("connected");
      assertEquals(await childrenOf(daemon.pid), [fields["pid"]]);
      Deno.kill(Number(fields["pid"]), "SIGKILL");
      assertEquals((await readAll(held)).length, 0);
      assertEquals(await finish(waiting, "waited"), "waited");
      const killed = await daemon.event("killed");
      assertEquals(killed.text, "command /bin/cat killed by signal 9");
      assertEquals(killed.level, "warning");
    },
  );
}

rootTest(
  "what a command leaves behind keeps its conversation, not its place",
  async () => {
    await using account = await Account.create();
    await using daemon = await startOnLoopback(
      "direct",
      [
        "--max-processes",
        "1",
        `user=${account.name}`,
        "argv=/usr/bin/perl",
        "-e",
        DAEMONIZES,
      ],
    );
    using clients = await Clients.connect(daemon, 3);
    for (const round of ["first", "second"]) {
      for (const client of clients.all) {
        await writeAll(client, new TextEncoder().encode(`${round}\n`));
        assertEquals(await readBytes(client, round.length + 1), `${round}\n`);
      }
      await daemon.event("disconnected", clients.all.length);
    }
    assertEquals((await processesOf(account.uid)).length, clients.all.length);
    assertEquals(await childrenOf(daemon.pid), []);
    for (const client of clients.all) {
      assertEquals(await finish(client, "bye"), "bye");
    }
    await becomes([], () => processesOf(account.uid));
  },
);

/** How many more descriptors a daemon can have. */
async function freeDescriptors(daemon: Daemon): Promise<number> {
  const count = await settled("descriptors", async () => {
    // What it was started with may have numbers beyond its limit.
    const numbers = await descriptorsOf(daemon.pid);
    return numbers.filter((number) => number < DESCRIPTORS_MAX).length;
  });
  return DESCRIPTORS_MAX - count;
}

/** Words before the program that have its calls of a kind traced to a file. */
function traced(call: string, path: string): string[] {
  return [
    "strace",
    "--daemonize",
    "--follow-forks",
    `--output=${path}`,
    `--trace=${call}`,
  ];
}

/** Words before the program that have its first call of a kind fail. */
function firstFails(call: string, code: string): string[] {
  return fails(call, code, 1);
}

function fails(call: string, code: string, when: number): string[] {
  return [
    ...traced(call, "/dev/null"),
    `--inject=${call}:error=${code}:when=${when}`,
  ];
}

/** How often a daemon calls epoll_ctl(2) before it has a command to watch. */
async function watchedBeforeACommand(
  words: readonly string[],
): Promise<number> {
  await using folder = await Folder.create();
  const trace = `${folder.path}/trace`;
  await using daemon = await startOnLoopback("direct", words, {
    prefix: traced("epoll_ctl,clone", trace),
  });
  await daemon.talk("served");
  daemon.kill("SIGTERM");
  await daemon.ended();
  const calls = await tracedCalls(trace, daemon.pid);
  const first = calls.findIndex((call) => call.startsWith("clone("));
  return calls.slice(0, first)
    .filter((call) => call.startsWith("epoll_ctl(")).length;
}

async function stateOf(daemon: Daemon): Promise<string | undefined> {
  const fields = statusFields(await proc(`${daemon.pid}/status`));
  return fields.get("State")?.[0];
}
