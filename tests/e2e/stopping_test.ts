import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertMatch,
} from "@std/assert";
import { Daemon, programWords, writeAll } from "./daemon.ts";
import {
  connectTo,
  freeAddresses,
  inet,
  IS_FROM_SOURCE,
  Server,
  talkTo,
  writeConfiguration,
} from "./configuration.ts";
import {
  Account,
  ENGINES,
  Folder,
  isAlive,
  output,
  rootTest,
  until,
} from "./machine.ts";
import {
  becomes,
  Clients,
  finish,
  processesOf,
  randomBytes,
  readBytes,
  recordsOf,
  startOnLoopback,
} from "./load.ts";

/** How long commands have to end after SIGTERM. */
const TERMINATE_MS = 5000;

const CLIENT_COUNT = 8;

/** What each client sends again and again, to have it back. */
const MESSAGE_BYTES = 32 * 1024;

/** Conversations before the daemon is stopped. */
const WHOLE_COUNT = 50;

/** The numbers of the real-time signals, the C library's own first one included. */
const REAL_TIME = Array.from({ length: 33 }, (_, index) => `${32 + index}`)
  .filter((number) => number !== "33");

/** A parent and its child, each of which notes that SIGTERM came. */
const NOTES = `
  my ($folder) = @ARGV;
  my $name = "parent";
  $SIG{TERM} = sub {
    wait if $name eq "parent";
    open(my $note, ">", "$folder/$name");
    exit;
  };
  pipe(my $ready, my $tell);
  if (fork() == 0) {
    $name = "child";
    close($tell);
    sleep while 1;
  }
  close($tell);
  sysread($ready, my $nothing, 1);
  syswrite(STDOUT, "ready\\n");
  sleep while 1;
`;

/** A parent and its child, of which those named ignore SIGTERM. */
const IGNORES = `
  my ($parent, $child) = @ARGV;
  $SIG{TERM} = "IGNORE" if $child eq "ignores";
  my $pid = fork();
  if ($pid > 0) {
    $SIG{TERM} = $parent eq "ignores" ? "IGNORE" : "DEFAULT";
    syswrite(STDOUT, "ready\\n");
  }
  sleep while 1;
`;

for (const engine of ENGINES) {
  rootTest(
    `SIGTERM closes the door and lets commands finish with ${engine}`,
    async () => {
      await using account = await Account.create();
      await using daemon = await startOnLoopback(
        engine,
        [`user=${account.name}`, "argv=/bin/cat"],
      );
      using connection = await daemon.connect();
      await writeAll(connection, new TextEncoder().encode("before\n"));
      assertEquals(await readBytes(connection, 7), "before\n");
      daemon.kill("SIGTERM");
      const { text } = await daemon.event("stopping");
      assertEquals(
        text,
        "SIGTERM: no more connections are accepted, 1 command left",
      );
      await until("connections are refused", () => isRefused(daemon));
      assertEquals(await finish(connection, "after\n"), "after\n");
      assertEquals((await daemon.ended()).code, 0);
      await becomes([], () => processesOf(account.uid));
      assertEquals(recordsOf(daemon, "stopped").length, 1);
    },
  );

  rootTest(
    `SIGTERM ends a daemon without commands at once with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(
        engine,
        ["user=nobody", "argv=/bin/cat"],
      );
      assertEquals(await daemon.talk("hello"), "hello");
      await daemon.event("disconnected");
      daemon.kill("SIGTERM");
      assertEquals((await daemon.ended()).code, 0);
      assertEquals((await daemon.event("stopping")).fields["left"], 0);
    },
  );

  for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
    for (const first of ["SIGTERM", undefined] as const) {
      if (signal === "SIGTERM" && first === undefined) continue;
      const name = first === undefined ? signal : `${signal} after ${first}`;
      rootTest(
        `${name} ends whole process groups politely with ${engine}`,
        async () => {
          await using account = await Account.create();
          await using folder = await Folder.create(0o777);
          await using daemon = await startOnLoopback(
            engine,
            [
              `user=${account.name}`,
              "argv=/usr/bin/perl",
              "-e",
              NOTES,
              folder.path,
            ],
          );
          using connection = await daemon.connect();
          assertEquals(await readBytes(connection, 6), "ready\n");
          if (first !== undefined) {
            daemon.kill(first);
            await daemon.event("stopping");
          }
          daemon.kill(signal);
          assertEquals((await daemon.ended()).code, 0);
          assertEquals(await folder.names(), ["child", "parent"]);
          await becomes([], () => processesOf(account.uid));
        },
      );
    }
  }

  rootTest(
    `signals are heeded as soon as it says that it listens with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const path = `${folder.path}/socket`;
      const words = ["unix", path, "--engine", engine];
      const command = ["user=nobody", "argv=/bin/cat"];
      {
        await using daemon = await Daemon.start([...words, ...command]);
        daemon.kill("SIGHUP");
        await daemon.event("hangup");
      }
      await using daemon = await Daemon.start([...words, ...command]);
      daemon.kill("SIGTERM");
      const { code, signal } = await daemon.ended();
      assertEquals({ code, signal }, { code: 0, signal: null });
      assertEquals(await folder.names(), []);
    },
  );

  rootTest(`SIGHUP and SIGPIPE end nothing with ${engine}`, async () => {
    await using daemon = await startOnLoopback(
      engine,
      ["user=nobody", "argv=/bin/cat"],
    );
    assertEquals(await daemon.talk("served"), "served");
    using connection = await daemon.connect();
    for (const count of [1, 2]) {
      daemon.kill("SIGPIPE");
      daemon.kill("SIGHUP");
      await daemon.event("hangup", count);
      assertEquals(await daemon.talk("served"), "served");
    }
    daemon.kill("SIGTERM");
    await daemon.event("stopping");
    daemon.kill("SIGPIPE");
    daemon.kill("SIGHUP");
    await writeAll(connection, new TextEncoder().encode("still there\n"));
    assertEquals(await readBytes(connection, 12), "still there\n");
    assertEquals(await finish(connection, "the end"), "the end");
    assertEquals((await daemon.ended()).code, 0);
    assertEquals(recordsOf(daemon, "killed"), []);
  });

  rootTest(
    `signals that ask for nothing end nothing and are told once with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const [address = ""] = freeAddresses(1);
      const directory = await writeConfiguration(folder, {
        master: [inet(address)],
      });
      await using server = await Server.start(
        ["-c", directory, "--engine", engine],
      );
      const named = ["USR1", "USR2", "ALRM", "STKFLT", "XCPU", "XFSZ"]
        .concat("VTALRM", "PROF", "IO", "PWR");
      const signals = engine === "direct" ? [...named, ...REAL_TIME] : named;
      const sendAll = async (): Promise<void> => {
        for (const signal of signals) {
          await output("kill", `-${signal}`, `${server.pid}`);
        }
      };
      await sendAll();
      await sendAll();
      // Where the sources run, threads that were there before take the others.
      const told = IS_FROM_SOURCE
        ? named
        : signals.filter((name) => name !== "32");
      const { text } = await server.daemon.event("signal-ignored", told.length);
      assertMatch(text, /^SIG\S+ ignored: it asks for nothing$/);
      assertEquals(await talkTo(address, "served"), "served");
      const once = recordsOf(server.daemon, "signal-ignored")
        .map(({ text }) => text);
      assertEquals(once.length, new Set(once).size);
      if (engine === "direct") {
        await server.reload();
        await sendAll();
      }
      assertEquals(await talkTo(address, "served"), "served");
      const texts = recordsOf(server.daemon, "signal-ignored")
        .map(({ text }) => text);
      for (const name of named) {
        assert(texts.includes(`SIG${name} ignored: it asks for nothing`), name);
      }
    },
  );

  rootTest(
    `stopping under load cuts no conversation short with ${engine}`,
    async () => {
      await using account = await Account.create();
      await using daemon = await Daemon.start([
        "inet",
        "127.0.0.1:0",
        "--engine",
        engine,
        `user=${account.name}`,
        "argv=/bin/cat",
      ]);
      let wholeCount = 0;
      const talkUntilStopped = async (): Promise<void> => {
        while (await conversation(daemon)) wholeCount++;
      };
      const clients = Array.from({ length: CLIENT_COUNT }, talkUntilStopped);
      await until(
        `${WHOLE_COUNT} conversations`,
        () => wholeCount >= WHOLE_COUNT,
      );
      daemon.kill("SIGTERM");
      await Promise.all(clients);
      assertEquals((await daemon.ended()).code, 0);
      await becomes([], () => processesOf(account.uid));
      assertEquals(
        daemon.entries.filter(({ level }) => level !== "info"),
        [],
      );
    },
  );

  rootTest(
    `the unix socket goes as a daemon stops with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const path = `${folder.path}/socket`;
      await using daemon = await Daemon.start(
        ["unix", path, "--engine", engine, "user=nobody", "argv=/bin/cat"],
      );
      using connection = await daemon.connect();
      await writeAll(connection, new TextEncoder().encode("before\n"));
      assertEquals(await readBytes(connection, 7), "before\n");
      assertEquals(await folder.names(), ["socket"]);
      daemon.kill("SIGTERM");
      await daemon.event("stopping");
      assertEquals(await folder.names(), []);
      assertEquals(await finish(connection, "after\n"), "after\n");
      assertEquals((await daemon.ended()).code, 0);
    },
  );

  rootTest(
    `a terminal is told every second how many are left with ${engine}`,
    async () => {
      await using daemon = await TerminalDaemon.start(engine);
      using first = await Deno.connect({ port: daemon.port });
      using second = await Deno.connect({ port: daemon.port });
      for (const connection of [first, second]) {
        await writeAll(connection, new TextEncoder().encode("hello\n"));
        assertEquals(await readBytes(connection, 6), "hello\n");
      }
      const startedMs = performance.now();
      Deno.kill(daemon.pid, "SIGTERM");
      await daemon.line(/: 2 commands left: 127\.0\.0\.1:0 \(2\)$/);
      assertGreaterOrEqual(performance.now() - startedMs, 900);
      assertEquals(await finish(first, "bye"), "bye");
      await daemon.line(/: 1 command left: 127\.0\.0\.1:0 \(1\)$/);
      assertGreaterOrEqual(performance.now() - startedMs, 1900);
      assertEquals(await finish(second, "bye"), "bye");
      await daemon.line(/: stopped$/);
      assertEquals(await daemon.ended(), 0);
    },
  );
}

rootTest(
  "a stop tells every ten seconds what it waits for, and ends it in its time",
  async () => {
    await using folder = await Folder.create();
    const [busy = "", other = "", idle = ""] = freeAddresses(3);
    const directory = await writeConfiguration(folder, {
      main: ["spawnd_stop_timeout = 11s"],
      master: [inet(idle), inet(busy), inet(other)],
    });
    await using server = await Server.start(["-c", directory]);
    using held = new DisposableStack();
    for (const address of [other, busy, busy]) {
      const client = held.use(await connectTo(address));
      await writeAll(client, new TextEncoder().encode("hello\n"));
      assertEquals(await readBytes(client, 6), "hello\n");
    }
    const startedMs = performance.now();
    server.kill("SIGTERM");
    const { text } = await server.daemon.event("waiting");
    assertEquals(text, `3 commands left: ${busy} (2), ${other} (1)`);
    assertGreaterOrEqual(performance.now() - startedMs, 9_900);
    const { level, text: why } = await server.daemon.event("stop-timeout");
    assertEquals(level, "warning");
    assertEquals(
      why,
      "the stop takes longer than 11 s: 3 commands left, to be ended now",
    );
    assertEquals((await server.ended()).code, 0);
    const killed = recordsOf(server.daemon, "killed");
    assertEquals(killed.map(({ fields }) => fields["signal"]), [15, 15, 15]);
  },
);

for (const engine of ENGINES) {
  rootTest(
    `--stop-timeout bounds what SIGTERM waits for with ${engine}`,
    async () => {
      await using account = await Account.create();
      await using daemon = await startOnLoopback(
        engine,
        ["--stop-timeout=1s", `user=${account.name}`, "argv=/bin/cat"],
      );
      using connection = await daemon.connect();
      await writeAll(connection, new TextEncoder().encode("hello\n"));
      assertEquals(await readBytes(connection, 6), "hello\n");
      daemon.kill("SIGTERM");
      await daemon.event("stop-timeout");
      assertEquals((await daemon.ended()).code, 0);
      await becomes([], () => processesOf(account.uid));
    },
  );
}

rootTest("--stop-timeout counts more than spawnd_stop_timeout", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    main: ["spawnd_stop_timeout = 1h"],
    master: [inet(address)],
  });
  await using server = await Server.start(
    ["-c", directory, "--stop-timeout", "1"],
  );
  // A reload keeps it.
  await server.reload();
  using client = await connectTo(address);
  await writeAll(client, new TextEncoder().encode("hello\n"));
  assertEquals(await readBytes(client, 6), "hello\n");
  server.kill("SIGTERM");
  await server.daemon.event("stop-timeout");
  assertEquals((await server.ended()).code, 0);
});

// All at once, since five seconds is what each of them takes.
rootTest(
  "commands that ignore SIGTERM are gone after five seconds",
  async () => {
    await Promise.all(ENGINES.map(async (engine) => {
      await using account = await Account.create();
      await using daemon = await startOnLoopback(
        engine,
        [
          `user=${account.name}`,
          "argv=/usr/bin/perl",
          "-e",
          IGNORES,
          "ignores",
          "ignores",
        ],
      );
      using clients = await Clients.connect(daemon, 2);
      for (const client of clients.all) {
        assertEquals(await readBytes(client, 6), "ready\n");
      }
      assertEquals((await processesOf(account.uid)).length, 4);
      const startedMs = performance.now();
      daemon.kill("SIGINT");
      assertEquals((await daemon.ended()).code, 0);
      assertGreaterOrEqual(performance.now() - startedMs, TERMINATE_MS - 10);
      // kill(2) comes back before a process of theirs is gone.
      await becomes([], () => processesOf(account.uid));
      assertEquals(
        recordsOf(daemon, "killed").map(({ fields }) => fields["signal"]),
        [9, 9],
      );
    }));
  },
);

for (const engine of ENGINES) {
  rootTest(
    `grandchildren that ignore SIGTERM go with their command with ${engine}`,
    async () => {
      await using account = await Account.create();
      await using daemon = await startOnLoopback(
        engine,
        [
          `user=${account.name}`,
          "argv=/usr/bin/perl",
          "-e",
          IGNORES,
          "ends",
          "ignores",
        ],
      );
      using connection = await daemon.connect();
      assertEquals(await readBytes(connection, 6), "ready\n");
      const processes = await processesOf(account.uid);
      assertEquals(processes.length, 2);
      try {
        daemon.kill("SIGINT");
        assertEquals((await daemon.ended()).code, 0);
        await becomes([], () => processesOf(account.uid));
      } finally {
        for (const pid of processes) {
          if (await isAlive(pid)) Deno.kill(pid, "SIGKILL");
        }
      }
    },
  );
}

/** Whether it no longer listens. A connection at that moment may be reset. */
async function isRefused(daemon: Daemon): Promise<boolean> {
  try {
    using connection = await daemon.connect();
    await connection.read(new Uint8Array(1));
    return false;
  } catch (error) {
    return error instanceof Deno.errors.ConnectionRefused;
  }
}

/**
 * Sends a message through the daemon's cat.
 *
 * @returns Whether it came back; `false` if the daemon takes no more.
 * @throws {Error} If it came back in part.
 */
async function conversation(daemon: Daemon): Promise<boolean> {
  const message = randomBytes(MESSAGE_BYTES);
  const answer = new Uint8Array(MESSAGE_BYTES + 1);
  let count = 0;
  try {
    using connection = await daemon.connect();
    const reading = (async () => {
      for (;;) {
        const read = await connection.read(answer.subarray(count));
        if (read === null) return;
        count += read;
      }
    })();
    const written = writeAll(connection, message)
      .then(() => connection.closeWrite())
      .then(() => true, () => false);
    await reading;
    // The kernel tells of a reset once: if the writer hears of it, the reader
    // meets the end alone.
    if (!await written && count === 0) return false;
  } catch (error) {
    // It waited in the kernel's queue as that was closed, or came too late.
    assert(
      error instanceof Deno.errors.ConnectionRefused ||
        error instanceof Deno.errors.ConnectionReset,
      String(error),
    );
    assertEquals(count, 0);
    return false;
  }
  assertEquals(answer.subarray(0, count), message);
  return true;
}

/** A daemon whose standard error is a terminal. */
class TerminalDaemon implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";
  pid = 0;
  port = 0;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#reader = child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  static async start(engine: string): Promise<TerminalDaemon> {
    const words = [
      ...programWords(),
      "run",
      "inet",
      "127.0.0.1:0",
      "--engine",
      engine,
      "user=nobody",
      "argv=/bin/cat",
    ];
    const daemon = new TerminalDaemon(
      new Deno.Command("script", {
        args: ["-qec", `exec ${words.join(" ")}`, "/dev/null"],
        stdin: "null",
        stdout: "piped",
      }).spawn(),
    );
    const line = await daemon.line(/: listening on /);
    daemon.pid = Number(/\[(\d+)\]:/.exec(line)?.[1]);
    daemon.port = Number(/ on 127\.0\.0\.1:(\d+):/.exec(line)?.[1]);
    return daemon;
  }

  /** Waits for the next line that matches. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end).trimEnd();
        this.#text = this.#text.slice(end + 1);
        if (pattern.test(line)) return line;
        continue;
      }
      const { done, value } = await this.#reader.read();
      if (done) throw new Error(`no line like ${pattern}`);
      this.#text += value;
    }
  }

  /** The exit code. */
  async ended(): Promise<number> {
    return (await this.#child.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (await isAlive(this.pid)) Deno.kill(this.pid, "SIGINT");
    await this.#reader.cancel();
    await this.#child.status;
  }
}
