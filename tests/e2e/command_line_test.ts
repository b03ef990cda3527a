import { assert, assertEquals, assertMatch } from "@std/assert";
import { Daemon, programWords, runToEnd } from "./daemon.ts";
import { BOUNDED, ENGINES, Folder, output, rootTest } from "./machine.ts";

/** The width of a terminal of the usual size. */
const SCREEN_COLUMNS = 80;

const SERVICE = ["user=nobody", "argv=/bin/cat"];

for (
  const [words, code] of [
    [[], 64],
    [["--help"], 0],
    [["run"], 64],
    [["run", "--help"], 0],
    [["run", "inet", "--help"], 0],
  ] as const
) {
  const shown = ["spawnd", ...words].join(" ");
  Deno.test(`"${shown}" shows help, examples first, and exits ${code}`, async () => {
    const ended = await runToEnd(words);
    assertEquals({ code: ended.code, stderr: ended.stderr }, {
      code,
      stderr: "",
    });
    // As long as it needs, what is most wanted first.
    for (const line of ended.stdout.split("\n")) {
      assert(line.length <= SCREEN_COLUMNS, line);
    }
    // Examples come first.
    assertMatch(ended.stdout.slice(0, 200), /^ {2}spawnd run inet /m);
  });
}

Deno.test("the help of run tells of every option", async () => {
  const { stdout } = await runToEnd(["run", "--help"]);
  for (
    const option of [
      "--time-limit TIME",
      "--max-processes N",
      "--export-environment LIST",
      "--engine NAME",
      "--owner USER",
      "--backlog N",
      "--socket-mode MODE",
      "--socket-owner USER[:GROUP]",
      "--log-format FORMAT",
      "--ready-fd N",
      "--stop-timeout TIME",
      "-v, --verbose",
    ]
  ) {
    assert(stdout.includes(`  ${option} `), option);
  }
});

Deno.test("--version tells version, revision, runtime and engine", async () => {
  const { code, stdout, stderr } = await runToEnd(["--version"]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertMatch(
    stdout,
    /^spawnd \d+\.\d+\.\d+ \(revision \S+, Deno \d+\.\d+\.\d+, engine direct\)\n$/,
  );
});

const INET = ["inet", "127.0.0.1:0"];
const UNIX = ["unix", "/nonexistent/spawnd.sock"];

/** Words that are wrong, and all that is said of them. */
const WRONG_WORDS: readonly (readonly [readonly string[], string])[] = [
  [["rum"], "spawnd: unknown word: rum (did you mean run?)"],
  [["--versoin"], "spawnd: unknown word: --versoin (did you mean --version?)"],
  [
    ["frobnicate"],
    'spawnd: unknown word: frobnicate ("spawnd --help" shows what there is)',
  ],
  [
    ["run", "inte", "127.0.0.1:0", ...SERVICE],
    "spawnd run: bad service type: inte (did you mean inet?)",
  ],
  [
    ["run", "tcp", "127.0.0.1:0", ...SERVICE],
    "spawnd run: bad service type: tcp (the first word is inet, unix, udp or stdin)",
  ],
  [["run", "inet"], "spawnd run: missing service name (name it host:port)"],
  [
    ["run", "inet", ...SERVICE],
    "spawnd run: missing service name (name it host:port)",
  ],
  [
    ["run", "unix", ...SERVICE],
    "spawnd run: missing service name (name the socket's path)",
  ],
  [
    ["run", ...INET, "--time-limt", "5", ...SERVICE],
    "spawnd run: unknown option: --time-limt (did you mean --time-limit?)",
  ],
  [
    ["run", ...INET, "--time-limt=5", ...SERVICE],
    "spawnd run: unknown option: --time-limt=5 (did you mean --time-limit?)",
  ],
  [
    ["run", ...INET, "--max", "5", ...SERVICE],
    "spawnd run: unknown option: --max (did you mean --max-processes?)",
  ],
  [
    ["run", ...INET, "--frobnicate", ...SERVICE],
    "spawnd run: unknown option: --frobnicate (--help lists the options)",
  ],
  [
    ["run", ...INET, "-x", ...SERVICE],
    "spawnd run: unknown option: -x (--help lists the options)",
  ],
  [
    ["run", ...INET, "--no-verbose", ...SERVICE],
    "spawnd run: unknown option: --no-verbose (did you mean --verbose?)",
  ],
  [
    ["run", ...INET, "--time-limit"],
    "spawnd run: --time-limit needs a value (write --time-limit TIME)",
  ],
  [
    ["run", ...INET, "--engine=", ...SERVICE],
    "spawnd run: --engine needs a value (write --engine NAME)",
  ],
  [
    ["run", ...INET, "--time-limit", "5x", ...SERVICE],
    "spawnd run: --time-limit 5x: bad time value or unit " +
    "(write 90, 90s, 5m or 2h)",
  ],
  [
    ["run", ...INET, "--time-limit", "0", ...SERVICE],
    "spawnd run: --time-limit 0: invalid time (the minimum is 1s)",
  ],
  [
    ["run", ...INET, "--max-processes", "many", ...SERVICE],
    "spawnd run: --max-processes many: bad number " +
    "(write a whole number, 0 to 4194304)",
  ],
  [
    ["run", ...INET, "--max-processes", "-1", ...SERVICE],
    "spawnd run: --max-processes -1: bad number " +
    "(write a whole number, 0 to 4194304)",
  ],
  [
    ["run", ...INET, "--user", "nobody", "argv=/bin/cat"],
    "spawnd run: unknown option: --user " +
    "(attributes have no dashes: write user=NAME)",
  ],
  [
    ["run", ...INET, "user=nobody", "--argv=/bin/cat"],
    "spawnd run: unknown option: --argv=/bin/cat " +
    "(attributes have no dashes: write argv=COMMAND, last)",
  ],
  [
    ["run", ...INET, "--max-processes=-1", ...SERVICE],
    "spawnd run: --max-processes -1: bad number " +
    "(write a whole number, 0 to 4194304)",
  ],
  [
    ["run", ...INET, "--backlog", "1.5", ...SERVICE],
    "spawnd run: --backlog 1.5: bad number " +
    "(write a whole number, 0 to 4194304)",
  ],
  [
    ["run", ...INET, "--engine", "dirct", ...SERVICE],
    "spawnd run: --engine dirct: unknown value (did you mean direct?)",
  ],
  [
    ["run", ...INET, "--engine", "turbo", ...SERVICE],
    "spawnd run: --engine turbo: unknown value (write direct or relay)",
  ],
  [
    ["run", ...INET, "--log-format", "xml", ...SERVICE],
    "spawnd run: --log-format xml: unknown value (write text or json)",
  ],
  [
    ["run", ...INET, "--user", "nobody", "argv=/bin/cat"],
    "spawnd run: unknown option: --user " +
    "(attributes have no dashes: write user=NAME)",
  ],
  [
    ["run", ...INET, "--export-environment", "{ A", ...SERVICE],
    `spawnd run: --export-environment { A: missing '}' in "{ A" ` +
    "(write names, name=value words and { name = value } groups)",
  ],
  [
    ["run", ...INET, "--socket-mode", "0660", ...SERVICE],
    "spawnd run: --socket-mode 0660: only for unix services (leave it out)",
  ],
  [
    ["run", ...INET, "--socket-owner", "nobody", ...SERVICE],
    "spawnd run: --socket-owner nobody: only for unix services (leave it out)",
  ],
  [
    ["run", ...UNIX, "--socket-mode", "999", ...SERVICE],
    "spawnd run: --socket-mode 999: bad mode " +
    "(write three octal digits, such as 0660)",
  ],
  [
    ["run", ...INET, "--ready-fd", "x", ...SERVICE],
    "spawnd run: --ready-fd x: bad number " +
    "(write a whole number, 0 to 1048576)",
  ],
];

for (const [words, line] of WRONG_WORDS) {
  const shown = ["spawnd", ...words].join(" ");
  Deno.test(`"${shown}" says what is wrong and exits 64`, async () => {
    const { code, stdout, stderr } = await runToEnd(words);
    assertEquals({ code, stdout, stderr }, {
      code: 64,
      stdout: "",
      stderr: `${line}\n`,
    });
  });
}

Deno.test("a flag takes no value", async () => {
  // An unknown user keeps it from serving if it takes the words for right.
  const { code, stderr } = await runToEnd(
    ["run", ...INET, "--verbose=maybe", "user=no-such", "argv=/bin/cat"],
  );
  assertEquals(code, 64, stderr);
  assert(stderr.includes("--verbose"), stderr);
});

/** Names that no socket can have, and what the log says. */
const WRONG_NAMES: readonly (readonly [string, string, string])[] = [
  ["inet", "127.0.0.1:99999", "bad port: 99999"],
  ["inet", "127.0.0.1:no-such", "unknown service: no-such"],
  [
    "inet",
    "127.1:80",
    'valid hostname or network address required in "127.1:80"',
  ],
  ["inet", "[::1]", 'missing service information in "[::1]"'],
  [
    "unix",
    `/tmp/${"x".repeat(103)}`,
    `bad socket path: /tmp/${"x".repeat(103)}`,
  ],
];

for (const [type, name, text] of WRONG_NAMES) {
  rootTest(`"spawnd run ${type} ${name}" is refused and exits 64`, async () => {
    const { code, stderr } = await runToEnd(["run", type, name, ...SERVICE]);
    assertEquals(code, 64);
    const [line = "", ...more] = stderr.split("\n");
    assertEquals(more, [""]);
    assertEquals(/: fatal: (.*) \(.*\)$/.exec(line)?.[1], text);
  });
}

rootTest("of an option given twice, the last counts", async () => {
  await using daemon = await Daemon.start([
    ...INET,
    "--time-limit",
    "5",
    "--time-limit",
    "2m",
    ...SERVICE,
  ]);
  const { fields } = await daemon.event("listening");
  assertEquals(fields["timeLimitSeconds"], 120);
});

rootTest("options may stand between the attributes", async () => {
  await using daemon = await Daemon.start(
    [...INET, "user=nobody", "--max-processes=7", "argv=/bin/cat"],
  );
  const { fields } = await daemon.event("listening");
  assertEquals(fields["maxProcesses"], 7);
});

const BY_HAND = "(only Postfix's master(8) starts it with such words: " +
  "write spawnd serve -c DIR, or see spawnd --help)\n";

for (
  const [words, text] of [
    [["-c", "/etc/spawnd"], "no transport type specified"],
    [["-x"], "invalid option: x"],
    [["-t", "unix", ...SERVICE], ""],
  ] as const
) {
  const shown = ["spawnd", ...words].join(" ");
  rootTest(`"${shown}" by hand says what to write, and exits 1`, async () => {
    const piped = await runToEnd(words);
    const [line = ""] = piped.stderr.split(" (only ");
    assertEquals(piped.stderr, `${line} ${BY_HAND}`);
    if (text !== "") assertEquals(line, `spawnd: ${text}`);
    assertEquals(piped.code, 1);
    const typed = [...programWords(), ...words].join(" ");
    const { code, stdout } = await runToEnd([], {
      program: ["script", "-qec", typed, "/dev/null"],
    });
    const on = text === "" ? "do not run this command by hand" : text;
    assertEquals(stdout.replaceAll("\r", ""), `spawnd: ${on} ${BY_HAND}`);
    assertEquals(code, 1);
  });
}

rootTest("where inetd(8) would read it, a client is told nothing", async () => {
  const { code, stdout, stderr } = await runToEnd(["-S", "-x"]);
  assertEquals({ code, stdout, stderr }, { code: 1, stdout: "", stderr: "" });
});

for (const engine of ENGINES) {
  rootTest(
    `--ready-fd tells when connections are accepted with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const fifo = folder.join("ready");
      await output("mkfifo", fifo);
      const path = folder.join("ready.sock");
      // Ends when the daemon closes its end, which it does with the newline.
      const told = output("cat", fifo);
      const connected = told.then(() =>
        Deno.connect({ transport: "unix", path })
      );
      await using daemon = await Daemon.start(
        ["unix", path, "--ready-fd", "9", "--engine", engine, ...SERVICE],
        { prefix: ["sh", "-c", `exec "$@" 9>${fifo}`, "sh"] },
      );
      assertEquals(await told, "\n");
      (await connected).close();
      assertEquals(await daemon.talk("hello"), "hello");
    },
  );
}

rootTest("--ready-fd tells nothing where the daemon cannot start", async () => {
  await using folder = await Folder.create();
  const ready = folder.join("ready");
  using holder = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { code } = await runToEnd(
    [
      "run",
      "inet",
      `127.0.0.1:${holder.addr.port}`,
      "--ready-fd=9",
      ...SERVICE,
    ],
    { prefix: ["sh", "-c", `exec "$@" 9>${ready}`, "sh"] },
  );
  assertEquals(code, 71);
  assertEquals(await Deno.readTextFile(ready), "");
});

rootTest("a --ready-fd that is not open is refused", async () => {
  // Whatever the runtime itself opens, a low one or a high one, is not it.
  for (const fd of [3, 4, 5, 9, 999]) {
    const { code, stderr } = await runToEnd(
      ["run", ...INET, "--ready-fd", `${fd}`, ...SERVICE],
      { prefix: BOUNDED },
    );
    assertEquals(code, 64, stderr);
    const [line = "", ...more] = stderr.split("\n");
    assertEquals(more, [""]);
    assertEquals(
      /: fatal: (.*) \(.*\)$/.exec(line)?.[1],
      `--ready-fd ${fd}: no descriptor that can be written to`,
    );
  }
});

rootTest(
  "a --ready-fd that nobody can write to is told on one line",
  async () => {
    const { code, stderr } = await runToEnd(
      ["run", ...INET, "--ready-fd", "9", ...SERVICE],
      { prefix: [...BOUNDED, "sh", "-c", 'exec "$@" 9</dev/null', "sh"] },
    );
    assert([64, 71].includes(code), `${code}: ${stderr}`);
    const fatal = stderr.split("\n").filter((line) => line.includes("fatal: "));
    assertEquals(fatal.length, 1, stderr);
    assertMatch(fatal[0] ?? "", /--ready-fd 9: /);
  },
);
