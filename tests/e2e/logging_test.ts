import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  Daemon,
  launch,
  type LogEntry,
  readAll,
  type StartOptions,
} from "./daemon.ts";
import { ENGINES, Folder, output, rootTest, until } from "./machine.ts";

/** The words of a service that fails, and so is logged of. */
function failing(path: string, ...options: string[]): string[] {
  return ["unix", path, ...options, "user=nobody", "argv=/bin/false"];
}

/** What a command says on a unix socket. */
async function answerOf(path: string): Promise<string> {
  using connection = await Deno.connect({ transport: "unix", path });
  return new TextDecoder().decode(await readAll(connection));
}

/** The whole log of a service in text, from its start to its end. */
async function textLog(
  start: (path: string) => StartOptions = () => ({}),
): Promise<{ lines: readonly string[]; path: string; pid: number }> {
  await using folder = await Folder.create();
  const path = folder.join("log.sock");
  const daemon = await Daemon.startUntil(
    /listening on /,
    failing(path),
    start(path),
  );
  {
    await using _ending = daemon;
    await answerOf(path);
    await daemon.line(/exit status 1/);
  }
  return { lines: daemon.lines, path, pid: daemon.pid };
}

const TIME = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;

const ESCAPE = "\x1b";

rootTest(
  "a line of text has time, program, service, process and label",
  async () => {
    const { lines, path, pid } = await textLog();
    const [listening = "", failed = "", ...more] = lines;
    assertMatch(
      listening,
      new RegExp(
        `^${TIME} spawnd\\[${pid}\\]: listening on ${path}: runs /bin/false `,
      ),
    );
    assertMatch(
      failed,
      new RegExp(
        `^${TIME} spawnd/${path}\\[${pid}\\]: ` +
          "warning: command /bin/false exit status 1$",
      ),
    );
    assertMatch(
      more.at(-1) ?? "",
      new RegExp(`^${TIME} spawnd\\[${pid}\\]: stopped$`),
    );
    assert(lines.every((line) => !line.includes(ESCAPE)));
  },
);

rootTest(
  "a line of JSON has time, level, service, process and event",
  async () => {
    await using folder = await Folder.create();
    const path = folder.join("log.sock");
    const daemon = await Daemon.start(failing(path));
    {
      await using _ending = daemon;
      await daemon.talk();
      await daemon.event("failed");
    }
    for (const line of daemon.lines) {
      const entry = JSON.parse(line);
      assertEquals(Object.keys(entry), [
        "time",
        "level",
        "service",
        "pid",
        "event",
        "text",
        "fields",
      ]);
      assertEquals(new Date(entry.time).toISOString(), entry.time);
      assertEquals(entry.pid, daemon.pid);
    }
    assertEquals(
      daemon.entries.map(({ level, service, event }) => ({
        level,
        service,
        event,
      })),
      [
        { level: "info", service: "", event: "listening" },
        { level: "warning", service: path, event: "failed" },
        { level: "info", service: "", event: "stopping" },
        { level: "info", service: "", event: "stopped" },
      ],
    );
  },
);

rootTest(
  "lines have priorities where journald reads standard error",
  async () => {
    await using folder = await Folder.create();
    const log = await folder.file("log", "");
    const path = folder.join("log.sock");
    const stream = (await output("stat", "--format=%d:%i", log)).trim();
    const other = (await output("stat", "--format=%d:%i", folder.path)).trim();
    for (
      const [journal, lineStart] of [
        [stream, /^<([246])>spawnd[[/]/],
        // Standard error was redirected, and the variable is of what it was.
        [other, new RegExp(`^${TIME} spawnd[[/]`)],
        ["", new RegExp(`^${TIME} spawnd[[/]`)],
      ] as const
    ) {
      await Deno.truncate(log);
      // By default journald's own socket is used where it is there.
      const words = ["run", "--log", "stderr", ...failing(path)];
      const child = launch(words, {
        env: { JOURNAL_STREAM: journal },
        prefix: ["sh", "-c", 'log=$0; exec "$@" 2>"$log"', log],
      });
      const lines = async (): Promise<string[]> =>
        (await Deno.readTextFile(log)).split("\n").slice(0, -1);
      try {
        await until("it listens", async () => (await lines()).length === 1);
        await answerOf(path);
        await until("it has told", async () => (await lines()).length === 2);
      } finally {
        child.kill("SIGINT");
        await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
        await child.status;
      }
      const all = await lines();
      for (const line of all) assertMatch(line, lineStart);
      if (journal === stream) {
        assertEquals(all.map((line) => line.slice(0, 3)), [
          "<6>",
          "<4>",
          "<6>",
          "<6>",
        ]);
      }
    }
  },
);

rootTest("labels have colours on a terminal", async () => {
  const { shown, told } = await onTerminal({});
  assertEquals(
    told,
    `${ESCAPE}[33mwarning: ${ESCAPE}[39mcommand /bin/false exit status 1`,
  );
  // A record that all is well has none.
  assert(!shown.split("\n")[0]?.includes(ESCAPE), shown);
});

rootTest("labels have no colours where NO_COLOR is set", async () => {
  const { shown, told } = await onTerminal({ NO_COLOR: "1" });
  assertEquals(told, "warning: command /bin/false exit status 1");
  assert(!shown.includes(ESCAPE), shown);
});

/** What a terminal shows of a service, and the text of what it tells there. */
async function onTerminal(
  env: Record<string, string>,
): Promise<{ shown: string; told: string }> {
  await using folder = await Folder.create();
  const path = folder.join("log.sock");
  const shown = folder.join("terminal");
  const child = launch(["run", ...failing(path)], {
    env,
    // script(1) takes one word for its shell, and gives it a terminal.
    prefix: [
      "sh",
      "-c",
      'file=$0; exec script -qefc "$*" "$file" </dev/null',
      shown,
    ],
  });
  const text = async (): Promise<string> => await Deno.readTextFile(shown);
  const reading = Promise.all([readText(child.stdout), readText(child.stderr)]);
  let pid: number | undefined;
  try {
    await until("it listens", async () => {
      const listening = /spawnd\[(\d+)\]: listening on /;
      pid = Number(listening.exec(await text().catch(() => ""))?.[1]);
      return pid > 0;
    });
    await answerOf(path);
    await until(
      "it has told",
      async () => (await text()).includes("exit status 1"),
    );
  } finally {
    if (pid === undefined) child.kill("SIGTERM");
    else Deno.kill(pid, "SIGINT");
    await child.status;
    await reading;
  }
  const all = (await text()).replaceAll("\r", "").replace(/^Script .*\n/m, "");
  const line = all.split("\n").find((line) => line.includes("exit status 1"));
  return { shown: all, told: line?.replace(/^\S+ \S+: /, "") ?? "" };
}

async function readText(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>)
    .text();
}

/** Does what it reads. */
const OBEYING = ["argv=/bin/sh", "-c", 'read line; eval "$line"'];

/** What the command does, and how that is told of the connection. */
const ENDS = [
  ["exit 0", "exit status 0"],
  ["exit 7", "exit status 7"],
  ["kill -9 $$", "killed by signal 9"],
] as const;

/** Connections whose records no pipe and no queue of the daemon can hold. */
const FLOOD_CONNECTIONS = 4000;
const FLOOD_CLIENTS = 8;

for (const engine of ENGINES) {
  rootTest(
    `-v shows each connection and how it ended with ${engine}`,
    async () => {
      // Over the socket of a port alone, IPv4 comes in the clothes of IPv6.
      for (
        const [name, hostname] of [
          ["127.0.0.1:0", "127.0.0.1"],
          ["[::1]:0", "::1"],
          ["0", "127.0.0.1"],
        ] as const
      ) {
        await using daemon = await Daemon.start(
          ["inet", name, "-v", "--engine", engine, "user=nobody", ...OBEYING],
        );
        for (const [index, [line, how]] of ENDS.entries()) {
          using connection = await Deno.connect({
            hostname,
            port: daemon.port,
          });
          const { port } = connection.localAddr;
          const peer = `${hostname === "::1" ? "[::1]" : hostname}:${port}`;
          await connection.write(new TextEncoder().encode(`${line}\n`));
          await readAll(connection);
          const left = await daemon.event("disconnected", index + 1);
          const came = await daemon.event("connected", index + 1);
          const pid = Number(came.fields["pid"]);
          assert(pid > 0);
          assertEquals(came.text, `connect from ${peer}: process id ${pid}`);
          assertEquals(
            left.text.replace(/\d+\.\d{3} s$/, "TIME"),
            `disconnect from ${peer}: process id ${pid}, ${how}, TIME`,
          );
          for (const { level, service, fields } of [came, left]) {
            assertEquals(
              { level, service, peer: fields["peer"], pid: fields["pid"] },
              { level: "info", service: name, peer, pid },
            );
          }
        }
      }
    },
  );

  rootTest(`-v shows a unix connection with ${engine}`, async () => {
    await using folder = await Folder.create();
    const path = folder.join("log.sock");
    await using daemon = await Daemon.start(
      [
        "unix",
        path,
        "--verbose",
        "--engine",
        engine,
        "user=nobody",
        ...OBEYING,
      ],
    );
    await daemon.talk("exit 0\n");
    // The runtime does not tell the relay engine who it is.
    const peer = engine === "direct"
      ? `unix:pid=${Deno.pid},uid=${Deno.uid()}`
      : "unix";
    const left = await daemon.event("disconnected");
    const pid = left.fields["pid"];
    assertEquals(
      (await daemon.event("connected")).text,
      `connect from ${peer}: process id ${pid}`,
    );
    assertMatch(
      left.text,
      new RegExp(
        `^disconnect from ${peer}: process id ${pid}, ` +
          "exit status 0, \\d+\\.\\d{3} s$",
      ),
    );
  });

  rootTest(
    `a stuck reader of standard error stalls nobody with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const path = folder.join("log.sock");
      const log = await UnreadLog.start(
        [
          "unix",
          path,
          "-v",
          "--log-format",
          "json",
          "--engine",
          engine,
          "user=nobody",
          "argv=/bin/true",
        ],
      );
      try {
        await flood(path);
        // Each record of a connection was written, or counted as dropped.
        log.readOn();
        await until(
          "every record is accounted for",
          () => recordsIn(log.entries) === 2 * FLOOD_CONNECTIONS,
        );
        // And what is written from now on is whole again.
        assertEquals(await answerOf(path), "");
        await until(
          "the next connection is told",
          () => recordsIn(log.entries) === 2 * FLOOD_CONNECTIONS + 2,
        );
      } finally {
        assertEquals(await log.end(), 0);
      }
      const { entries } = log;
      const dropped = entries.filter(({ event }) => event === "log-dropped");
      assert(dropped.length > 0);
      for (const { level, text, fields } of dropped) {
        assertEquals(level, "warning");
        assertEquals(
          text,
          `${fields["count"]} log records were dropped: ` +
            "the reader of standard error does not keep up",
        );
      }
    },
  );

  rootTest(
    `a reader of standard error that has gone stops nobody with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const path = folder.join("log.sock");
      const log = await UnreadLog.start(
        [
          "unix",
          path,
          "-v",
          "--engine",
          engine,
          "user=nobody",
          "argv=/bin/echo",
          "hello",
        ],
      );
      try {
        await log.close();
        for (let client = 0; client < 10; client++) {
          assertEquals(await answerOf(path), "hello\n");
        }
      } finally {
        assertEquals(await log.end(), 0);
      }
    },
  );

  rootTest(
    `a daemon without standard error serves with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const path = folder.join("log.sock");
      const child = launch(
        [
          "run",
          "unix",
          path,
          "-v",
          "--engine",
          engine,
          "user=nobody",
          "argv=/bin/echo",
          "hello",
        ],
        { prefix: ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"] },
      );
      try {
        await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
        await until(
          "it listens",
          () => answerOf(path).then(() => true, () => false),
        );
        for (let client = 0; client < 10; client++) {
          assertEquals(await answerOf(path), "hello\n");
        }
      } finally {
        child.kill("SIGTERM");
        assertEquals((await child.status).code, 0);
      }
    },
  );
}

rootTest(
  "what a service is called cannot break a line of the log",
  async () => {
    await using folder = await Folder.create();
    const name = `a\nb${ESCAPE}[2J.sock`;
    const daemon = await Daemon.startUntil(
      /listening on /,
      failing(folder.join(name)),
    );
    {
      await using _ending = daemon;
      await answerOf(folder.join(name));
      await daemon.line(/exit status 1/);
    }
    assertEquals(daemon.lines.length, 4);
    for (const line of daemon.lines) {
      assertMatch(line, new RegExp(`^${TIME} spawnd`));
      assert(!line.includes(ESCAPE));
    }
  },
);

/** How many records of connections were written, or counted as dropped. */
function recordsIn(entries: readonly LogEntry[]): number {
  return entries.reduce((sum, { event, fields }) => {
    switch (event) {
      case "connected":
      case "disconnected":
        return sum + 1;
      case "log-dropped":
        return sum + Number(fields["count"]);
      default:
        return sum;
    }
  }, 0);
}

/** Connects again and again, with several clients at once. */
async function flood(path: string): Promise<void> {
  let left = FLOOD_CONNECTIONS;
  const client = async (): Promise<void> => {
    while (left-- > 0) await answerOf(path);
  };
  await Promise.all(Array.from({ length: FLOOD_CLIENTS }, client));
}

/** A daemon whose log is read up to where it listens, and then no more. */
class UnreadLog {
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";
  #reading: Promise<void> | undefined;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#reader = child.stderr.pipeThrough(new TextDecoderStream())
      .getReader();
  }

  static async start(args: readonly string[]): Promise<UnreadLog> {
    const child = launch(["run", ...args]);
    await child.stdout.cancel();
    const log = new UnreadLog(child);
    while (!log.#text.includes("listening on ")) {
      assert(await log.#readMore(), `it ended:\n${log.#text}`);
    }
    return log;
  }

  /** Every record read so far. */
  get entries(): LogEntry[] {
    const lines = this.#text.split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line));
  }

  /** Begins to read again, and goes on to the end. */
  readOn(): void {
    this.#reading = this.#readToEnd();
  }

  /** Closes the pipe. */
  async close(): Promise<void> {
    await this.#reader.cancel();
  }

  /** Ends the daemon and gives its exit code. */
  async end(): Promise<number> {
    this.#child.kill("SIGTERM");
    this.#reading ??= this.#readToEnd();
    await this.#reading;
    return (await this.#child.status).code;
  }

  async #readToEnd(): Promise<void> {
    while (await this.#readMore());
  }

  async #readMore(): Promise<boolean> {
    const { done, value = "" } = await this.#reader.read();
    this.#text += value;
    return !done;
  }
}
