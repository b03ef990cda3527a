import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Daemon, type LogEntry, readAll } from "./daemon.ts";
import {
  Account,
  ENGINES,
  Folder,
  isAlive,
  rootTest,
  until,
} from "./machine.ts";

type Engine = typeof ENGINES[number];

/** Starts a daemon for one command. */
async function serve(
  engine: Engine,
  argv: readonly string[],
  options: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Daemon> {
  const [name = "", ...rest] = argv;
  return await Daemon.start([
    "inet",
    "127.0.0.1:0",
    "--engine",
    engine,
    ...options,
    "user=nobody",
    `argv=${name}`,
    ...rest,
  ], { env });
}

function entriesOf(daemon: Daemon, event: string): LogEntry[] {
  return daemon.entries.filter((entry) => entry.event === event);
}

/** Ends with the signal whose number it reads. */
const KILL_SELF = ["/bin/sh", "-c", 'read number; kill "-$number" $$'];

const SIGNALS = [1, 2, 6, 9, 11, 13, 15];

/**
 * Ignores SIGTERM, has a child and a grandchild that do so too, tells their
 * process ids, and waits for longer than any test lasts.
 */
const STUBBORN_FAMILY = `
  trap "" TERM HUP INT
  sh -c 'sleep 1000 & echo $$ $!; wait' &
  echo $$
  wait
`;

for (const engine of ENGINES) {
  rootTest(
    `an exit status is reported to the letter with ${engine}`,
    async () => {
      await using daemon = await serve(
        engine,
        ["/bin/sh", "-c", 'read code; exit "$code"'],
      );
      const codes = [1, 75, 127, 128, 137, 255];
      for (const [index, code] of codes.entries()) {
        await daemon.talk(`${code}\n`);
        const { level, text, service } = await daemon.event(
          "failed",
          index + 1,
        );
        assertEquals({ level, text, service }, {
          level: "warning",
          text: `command /bin/sh exit status ${code}`,
          service: "127.0.0.1:0",
        });
      }
      assertEquals(entriesOf(daemon, "killed"), []);
    },
  );

  rootTest(
    `a deadly signal is reported to the letter with ${engine}`,
    async () => {
      await using daemon = await serve(engine, KILL_SELF);
      for (const [index, signal] of SIGNALS.entries()) {
        await daemon.talk(`${signal}\n`);
        const { level, text } = await daemon.event("killed", index + 1);
        assertEquals({ level, text }, {
          level: "warning",
          text: `command /bin/sh killed by signal ${signal}`,
        });
      }
      assertEquals(entriesOf(daemon, "failed"), []);
    },
  );

  rootTest(`a normal end is not reported with ${engine}`, async () => {
    await using daemon = await serve(
      engine,
      ["/bin/sh", "-c", 'read code; exit "$code"'],
    );
    await daemon.talk("0\n");
    await daemon.talk("1\n");
    await daemon.event("failed");
    assertEquals(daemon.entries.map(({ event }) => event), [
      "listening",
      "failed",
    ]);
  });

  rootTest(
    `a command is reported by the name as configured with ${engine}`,
    async () => {
      await using daemon = await serve(engine, ["false", "an argument"]);
      await daemon.talk();
      assertEquals(
        (await daemon.event("failed")).text,
        "command false exit status 1",
      );
    },
  );

  for (
    const [what, reason, prepare] of [
      [
        "is missing",
        "No such file or directory",
        (_path: string): Promise<void> => Promise.resolve(),
      ],
      [
        "is not executable",
        "Permission denied",
        (path: string): Promise<void> =>
          Deno.writeTextFile(path, "#!/bin/sh\n", { mode: 0o644 }),
      ],
      [
        "is a directory",
        "Permission denied",
        (path: string): Promise<void> => Deno.mkdir(path),
      ],
    ] as const
  ) {
    rootTest(
      `a command that ${what} is told once, and when it is mended, with ${engine}`,
      async () => {
        await using folder = await Folder.create();
        const path = folder.join("command");
        await prepare(path);
        await using daemon = await serve(engine, [path]);
        for (let client = 0; client < 3; client++) {
          using connection = await daemon.connect();
          // The connection is closed, with nothing said to the client.
          assertEquals(await readAll(connection), new Uint8Array());
        }
        const { level, text } = await daemon.event("start-failed");
        assertEquals(level, "warning");
        assert(text.startsWith(`command ${path} cannot be started: `), text);
        assertStringIncludes(text, reason);

        await Deno.remove(path).catch(() => {});
        await folder.file("command", "#!/bin/sh\necho mended\n", 0o755);
        assertEquals(await daemon.talk(), "mended\n");
        const over = await daemon.event("start-failed-over");
        assertEquals({ level: over.level, text: over.text }, {
          level: "info",
          text: `command ${path} is started again, after 3 failures`,
        });
        assertEquals(entriesOf(daemon, "start-failed").length, 1);
      },
    );
  }

  rootTest(
    `a command whose interpreter is missing is told with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const path = await folder.file(
        "script",
        "#!/no/such/interpreter\n",
        0o755,
      );
      await using daemon = await serve(engine, [path]);
      assertEquals(await daemon.talk(), "");
      assertStringIncludes(
        (await daemon.event("start-failed")).text,
        "No such file or directory",
      );
    },
  );

  rootTest(
    `a file without a format is run by /bin/sh with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const script =
        'echo "$0 $#"\nprintf "[%s]" "$@"\nreadlink /proc/$$/exe\n';
      const path = await folder.file("script", script, 0o755);
      await using daemon = await serve(engine, [
        path,
        "two words",
        "$HOME",
        "",
      ]);
      assertEquals(
        await daemon.talk(),
        `${path} 3\n[two words][$HOME][]${await Deno.realPath("/bin/sh")}\n`,
      );
    },
  );

  rootTest(
    `a command without a slash is looked for in /usr/bin and /bin alone with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const fake = "#!/bin/sh\necho fake\n";
      await folder.file("id", fake, 0o755);
      await folder.file("spawnd-test-command", fake, 0o755);
      const env = { PATH: `${folder.path}:${Deno.env.get("PATH")}` };
      {
        await using daemon = await serve(engine, ["id", "-un"], [], env);
        assertEquals(await daemon.talk(), "nobody\n");
      }
      await using daemon = await serve(
        engine,
        ["spawnd-test-command"],
        [],
        env,
      );
      assertEquals(await daemon.talk(), "");
      const { text } = await daemon.event("start-failed");
      assertStringIncludes(
        text,
        "command spawnd-test-command cannot be started",
      );
      assertStringIncludes(text, "No such file or directory");
    },
  );

  rootTest(
    `a command that its user may not run is told with ${engine}`,
    async () => {
      await using account = await Account.create();
      await using folder = await Folder.create();
      const path = await folder.file("command", "#!/bin/sh\necho run\n", 0o750);
      await using daemon = await Daemon.start(
        [
          "inet",
          "127.0.0.1:0",
          "--engine",
          engine,
          `user=${account.name}`,
          `argv=${path}`,
        ],
      );
      assertEquals(await daemon.talk(), "");
      assertStringIncludes(
        (await daemon.event("start-failed")).text,
        "Permission denied",
      );
      await Deno.chown(path, null, account.gid);
      assertEquals(await daemon.talk(), "run\n");
    },
  );

  rootTest(
    `a command whose time is up is gone with all its group with ${engine}`,
    async () => {
      await using daemon = await serve(
        engine,
        ["/bin/sh", "-c", STUBBORN_FAMILY],
        ["--time-limit", "3"],
      );
      // The answer ends when the last of them has gone.
      const pids = (await daemon.talk()).trim().split(/\s+/).map(Number);
      assertEquals(pids.length, 3);
      const killed = await daemon.event("killed");
      const limit = await daemon.event("time-limit");
      assert(pids.includes(Number(limit.fields["pid"])));
      assertEquals(
        daemon.entries.slice(1).map(({ level, text }) => `${level}: ${text}`),
        [
          `warning: /bin/sh: process id ${killed.fields["pid"]}: ` +
          "command time limit exceeded",
          "warning: command /bin/sh killed by signal 9",
        ],
      );
      for (const pid of pids) {
        await until(`process ${pid} is gone`, async () => !await isAlive(pid));
      }
    },
  );

  rootTest(`each command has its own time with ${engine}`, async () => {
    await using daemon = await serve(
      engine,
      ["/bin/sh", "-c", "read line; echo $$"],
      ["--time-limit", "3"],
    );
    using slow = await daemon.connect();
    assert(Number(await daemon.talk("quick\n")) > 0);
    assertEquals(await readAll(slow), new Uint8Array());
    await daemon.event("killed");
    assertEquals(entriesOf(daemon, "time-limit").length, 1);
    // And the next has all of it again.
    assert(Number(await daemon.talk("quick\n")) > 0);
  });
}
