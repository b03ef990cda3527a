import { assert, assertEquals } from "@std/assert";
import { Daemon, type StartOptions } from "./daemon.ts";
import {
  Account,
  ENGINES,
  Folder,
  output,
  proc,
  rootTest,
  statusFields,
  until,
} from "./machine.ts";

type Engine = typeof ENGINES[number];

/** What a command is asked to tell of itself. */
interface Question extends StartOptions {
  readonly engine: Engine;
  /** The command and its arguments. */
  readonly argv: readonly string[];
  /** The value of user=, if not `nobody`. */
  readonly user?: string;
  /** Options of `spawnd run`. */
  readonly options?: readonly string[];
}

/** Runs a command for one connection and returns what it said there. */
async function answer(
  { engine, argv, user = "nobody", options = [], ...start }: Question,
): Promise<string> {
  const [name = "", ...rest] = argv;
  await using daemon = await Daemon.start([
    "inet",
    "127.0.0.1:0",
    "--engine",
    engine,
    ...options,
    `user=${user}`,
    `argv=${name}`,
    ...rest,
  ], start);
  return await daemon.talk();
}

async function status(
  question: Omit<Question, "argv">,
): Promise<Map<string, string>> {
  const argv = ["/bin/cat", "/proc/self/status"];
  return statusFields(await answer({ ...question, argv }));
}

/** Four times the same id: real, effective, saved, and of the file system. */
function all(id: number): string {
  return `${id} ${id} ${id} ${id}`;
}

/**
 * Signals 32 and 33, which the C library keeps for itself and lets nobody set.
 * Whoever is started by posix_spawn(3) may find them ignored, and so may its
 * children.
 */
const C_LIBRARY_SIGNALS = 0x1_8000_0000n;

const NO_CAPABILITIES = "0".repeat(16);

/** From source the runtime raises its soft limit to the hard one by itself. */
const SOFT_NOFILE = Deno.env.get("SPAWND_FROM_SOURCE") === undefined
  ? 1000
  : 2000;

/** Some that every root process has, also in a container. */
const CAPABILITIES = "+chown,+kill,+setuid,+net_bind_service";

for (const engine of ENGINES) {
  rootTest(`a command has the account's ids alone with ${engine}`, async () => {
    await using group = await Account.create();
    // Its further group is one that the command must not have.
    await using account = await Account.create(`--groups=${group.name}`);
    const fields = await status({ engine, user: account.name });
    assertEquals(fields.get("Uid"), all(account.uid));
    assertEquals(fields.get("Gid"), all(account.gid));
    assertEquals(
      fields.get("Groups"),
      engine === "direct" ? String(account.gid) : "",
    );
  });

  rootTest(
    `a group given with the user is the command's with ${engine}`,
    async () => {
      await using account = await Account.create();
      await using other = await Account.create();
      const fields = await status(
        { engine, user: `${account.name}:${other.name}` },
      );
      assertEquals(fields.get("Uid"), all(account.uid));
      assertEquals(fields.get("Gid"), all(other.gid));
      assertEquals(
        fields.get("Groups"),
        engine === "direct" ? String(other.gid) : "",
      );
    },
  );

  rootTest(`an empty group is the account's own with ${engine}`, async () => {
    await using account = await Account.create();
    const fields = await status({ engine, user: `${account.name}:` });
    assertEquals(fields.get("Gid"), all(account.gid));
  });

  rootTest(`a command has no capabilities with ${engine}`, async () => {
    for (
      const prefix of [[], [
        "setpriv",
        "--inh-caps",
        CAPABILITIES,
        "--ambient-caps",
        CAPABILITIES,
      ]]
    ) {
      const fields = await status({ engine, prefix });
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) {
        assertEquals(fields.get(set), NO_CAPABILITIES, set);
      }
      assertEquals(fields.get("NoNewPrivs"), "0");
    }
  });

  rootTest(
    `a command has default signals, whatever the daemon was started with, with ${engine}`,
    async () => {
      for (
        const prefix of [[], [
          "env",
          "--ignore-signal=HUP,USR1,ALRM,PIPE",
          "--block-signal=USR2,CHLD",
        ]]
      ) {
        const fields = await status({ engine, prefix });
        for (const set of ["SigBlk", "SigIgn", "SigCgt", "SigPnd"]) {
          const signals = BigInt(`0x${fields.get(set)}`);
          const theirs = engine === "direct" ? 0n : C_LIBRARY_SIGNALS;
          assertEquals(signals & ~theirs, 0n, `${set} ${fields.get(set)}`);
        }
      }
    },
  );

  rootTest(
    `a command leads its own session and group with ${engine}`,
    async () => {
      const fields =
        (await answer({ engine, argv: ["cat", "/proc/self/stat"] }))
          .split(" ");
      const [pid, , , , group, session, terminal] = fields;
      assertEquals({ group, session, terminal }, {
        group: pid,
        session: pid,
        terminal: "0",
      });
    },
  );

  rootTest(
    `a command has descriptors 0, 1 and 2 and no other with ${engine}`,
    async () => {
      for (
        const prefix of [[], [
          "sh",
          "-c",
          'exec "$@" 7</etc/passwd 8>/dev/null 9>&1',
          "sh",
        ]]
      ) {
        // Without an argument for ls to open, 3 is its handle on the folder.
        const names = await answer({
          engine,
          prefix,
          argv: ["ls", "/proc/self/fd"],
        });
        assertEquals(names, "0\n1\n2\n3\n");
        const links = await answer({
          engine,
          prefix,
          argv: ["ls", "-l", "/proc/self/fd"],
        });
        assert(/ 3 -> \/proc\/\d+\/fd$/m.test(links), links);
      }
    },
  );

  rootTest(
    `a command runs in the queue directory or in / with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const queue = "/var/spool/postfix";
      const isThere = await output(
        "sh",
        "-c",
        `test -d ${queue} && echo yes || echo no`,
      );
      assertEquals(
        await answer({ engine, argv: ["/bin/pwd"], cwd: folder.path }),
        isThere === "yes\n" ? `${queue}\n` : "/\n",
      );
    },
  );

  rootTest(`a command has the umask 0077 with ${engine}`, async () => {
    assertEquals(
      await answer({
        engine,
        prefix: ["sh", "-c", 'umask 0002; exec "$@"', "sh"],
        argv: ["/bin/sh", "-c", "umask"],
      }),
      "0077\n",
    );
  });

  rootTest(
    `a command has the resource limits that the daemon was started with, with ${engine}`,
    async () => {
      const prefix = [
        "prlimit",
        `--nofile=${SOFT_NOFILE}:2000`,
        "--cpu=500:600",
        "--core=0:0",
      ];
      const limits = ["/bin/cat", "/proc/self/limits"];
      const [program = "", ...words] = [...prefix, ...limits];
      assertEquals(
        await answer({ engine, prefix, argv: limits }),
        await output(program, ...words),
      );
    },
  );

  rootTest(
    `only TZ, MAIL_CONFIG and LANG are exported by default with ${engine}`,
    async () => {
      const env = {
        TZ: "Europe/Berlin",
        MAIL_CONFIG: "/etc/a folder",
        LANG: "C.UTF-8",
        SECRET: "1",
        PATH: `/nowhere:${Deno.env.get("PATH")}`,
        LD_LIBRARY_PATH: "/nowhere",
      };
      assertEquals(await environmentOf({ engine, env }), [
        "LANG=C.UTF-8",
        "MAIL_CONFIG=/etc/a folder",
        "PATH=/usr/bin:/bin",
        "TZ=Europe/Berlin",
      ]);
    },
  );

  rootTest(
    `ucspi's variables tell of the connection by default with ${engine}`,
    async () => {
      const words = await environmentOf({
        engine,
        options: ["--connection-environment", "ucspi"],
      });
      const text = await answer({ engine, argv: ["/usr/bin/env", "-0"] });
      const namesOf = (list: readonly string[]): string[] =>
        list.map((word) => word.replace(/=.*/s, ""));
      const byDefault = text.split("\0").slice(0, -1).sort();
      assertEquals(namesOf(byDefault), namesOf(words));
      assertEquals(namesOf(words), [
        "PATH",
        "PROTO",
        "TCPCONNNUM",
        "TCPLOCALIP",
        "TCPLOCALPORT",
        "TCPREMOTEIP",
        "TCPREMOTEPORT",
      ]);
    },
  );

  rootTest(
    `names that are not set are not exported with ${engine}`,
    async () => {
      assertEquals(await environmentOf({ engine }), ["PATH=/usr/bin:/bin"]);
    },
  );

  rootTest(
    `--export-environment is the whole list with ${engine}`,
    async () => {
      const list = "NAME,ABSENT word=value\tPATH=/nowhere, " +
        "{ GREETING = hello, wide world } { EMPTY = }";
      assertEquals(
        await environmentOf({
          engine,
          env: { NAME: "a value", TZ: "UTC", word: "another" },
          options: ["--export-environment", list],
        }),
        [
          "EMPTY=",
          "GREETING=hello, wide world",
          "NAME=a value",
          "PATH=/usr/bin:/bin",
          "word=value",
        ],
      );
    },
  );

  rootTest(`arguments reach the command untouched with ${engine}`, async () => {
    const words = [
      "two words",
      "*",
      "$HOME",
      "`id`",
      "'single'",
      '"double"',
      "a;b|c&d>e<f",
      "back\\slash",
      "",
      "line\nbreak",
      "Grüße",
      "--help",
      "--time-limit",
      "-v",
      "--",
      "user=root",
      "argv=other",
    ];
    assertEquals(
      await answer({ engine, argv: ["/usr/bin/printf", "[%s]\n", ...words] }),
      words.map((word) => `[${word}]\n`).join(""),
    );
  });

  rootTest(`attribute names have no case with ${engine}`, async () => {
    await using account = await Account.create();
    await using daemon = await Daemon.start([
      "inet",
      "127.0.0.1:0",
      "--engine",
      engine,
      "USER=nobody",
      `User=${account.name}`,
      "ARGV=/usr/bin/id",
      "-un",
    ]);
    // Of two users, the last is taken.
    assertEquals(await daemon.talk(), `${account.name}\n`);
  });
}

rootTest("a command's descriptors are one socket with direct", async () => {
  const [input, ...others] = (await answer({
    engine: "direct",
    argv: ["readlink", "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2"],
  })).trim().split("\n");
  assert(/^socket:\[\d+\]$/.test(input ?? ""), input);
  assertEquals(others, [input, input]);
});

rootTest("a command's standard error reaches the client too", async () => {
  for (const engine of ENGINES) {
    assertEquals(
      await answer({ engine, argv: ["/bin/sh", "-c", "echo oops >&2"] }),
      "oops\n",
    );
  }
});

rootTest(
  "the daemon rests as its owner before, during and after a connection",
  async () => {
    await using owner = await Account.create();
    const byDefault = {
      uid: Number(await output("id", "-u", "daemon")),
      gid: Number(await output("id", "-g", "daemon")),
    };
    for (
      const [options, { uid, gid }] of [
        [[], byDefault],
        [["--owner", owner.name], owner],
      ] as const
    ) {
      await using daemon = await Daemon.start([
        "inet",
        "127.0.0.1:0",
        "-v",
        ...options,
        "user=nobody",
        "argv=/bin/cat",
      ]);
      const rests = {
        uid: `0 ${uid} 0 ${uid}`,
        gid: `0 ${gid} 0 ${gid}`,
        groups: `${gid}`,
      };
      const assertRests = async (when: string): Promise<void> => {
        const threads = await threadIds(daemon.pid);
        for (const thread of threads) assertEquals(thread, rests, when);
      };
      await assertRests("before");
      using connection = await daemon.connect();
      await daemon.event("connected");
      await assertRests("during");
      connection.close();
      await daemon.event("disconnected");
      await assertRests("after");
    }
  },
);

rootTest(
  "a daemon that was started with SIGCHLD ignored collects commands",
  async () => {
    for (const engine of ENGINES) {
      await using daemon = await Daemon.start(
        [
          "inet",
          "127.0.0.1:0",
          "--engine",
          engine,
          "user=nobody",
          "argv=/bin/false",
        ],
        { prefix: ["env", "--ignore-signal=CHLD"] },
      );
      await daemon.talk();
      await until(
        `the command's end is told with ${engine}`,
        () => daemon.entries.some(({ event }) => event === "failed"),
      );
    }
  },
);

rootTest(
  "a daemon that was started with SIGTERM blocked is stopped by it",
  async () => {
    await using daemon = await Daemon.start(
      ["inet", "127.0.0.1:0", "user=nobody", "argv=/bin/cat"],
      { prefix: ["env", "--block-signal=TERM"] },
    );
    assertEquals(await daemon.talk("hello"), "hello");
    daemon.kill("SIGTERM");
    await until(
      "it has stopped",
      () => daemon.entries.some(({ event }) => event === "stopped"),
    );
  },
);

/** The variables of a command, sorted. */
async function environmentOf(
  { options = [], ...question }: Omit<Question, "argv">,
): Promise<string[]> {
  const text = await answer({
    ...question,
    argv: ["/usr/bin/env", "-0"],
    options: ["--connection-environment", "none", ...options],
  });
  return text.split("\0").slice(0, -1).sort();
}

/** The ids of each thread of a process. */
async function threadIds(
  pid: number,
): Promise<{ uid: string; gid: string; groups: string }[]> {
  const tasks = await output("ls", `/proc/${pid}/task`);
  const ids = await Promise.all(
    tasks.trim().split("\n").map(async (task) => {
      const fields = statusFields(await proc(`${pid}/task/${task}/status`));
      const field = (name: string): string => fields.get(name) ?? "";
      return { uid: field("Uid"), gid: field("Gid"), groups: field("Groups") };
    }),
  );
  assert(ids.length > 0);
  return ids;
}
