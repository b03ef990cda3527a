import { assert, assertEquals } from "@std/assert";
import { PARAMETERS } from "../../lib/config/parameters.ts";
import { type Ended, runToEnd } from "./daemon.ts";
import { Folder } from "./machine.ts";

const POSTCONF = "/usr/sbin/postconf";

function isInstalled(): boolean {
  try {
    return Deno.statSync(POSTCONF).isFile;
  } catch {
    return false;
  }
}

/** A test against postconf(1). */
function postfixTest(name: string, fn: () => Promise<void>): void {
  const ignore = !isInstalled() && Deno.env.get("CI") === undefined;
  Deno.test({ name, ignore, fn });
}

/** A main.cf with something of everything, Postfix's own parameters too. */
const MAIN = `\
# of a mail server
myhostname = mail.example.com
mydestination = $myhostname, localhost
queue_directory = /var/$where/q
   more   text
\t# in between
\tand more
where = here  and   there
max_use =   5
command_time_limit=90
policy_time_limit = $max_idle
maillog_file =
multi_instance_name = \${where?{of $where}:{nowhere}}
syslog_name = \${multi_instance_name?}caf\u00e9 $$5
export_environment = TZ { A = two  words }
smtpd_policy_service_max_ttl = \${{$max_use} < {10} ? {1} : {2}}h
`;

const MASTER = `\
smtp inet n - y - - smtpd
policy unix - n n - 0 spawn user=nobody argv=/bin/cat
127.0.0.1:7007 inet n n n - - spawn -o max_use=9 user=nobody argv=/bin/cat
old unix - n n - - pipe user=nobody argv=/bin/cat
`;

async function configuration(main = MAIN, master = MASTER): Promise<Folder> {
  const folder = await Folder.create();
  await folder.file("main.cf", main);
  await folder.file("master.cf", master);
  // postconf waits for a file that may still change.
  for (const file of ["main.cf", "master.cf"]) {
    await Deno.utime(folder.join(file), 1, 1);
  }
  return folder;
}

async function config(folder: Folder, ...words: string[]): Promise<Ended> {
  return await runToEnd(["config", "-c", folder.path, ...words]);
}

async function postconf(folder: Folder, ...words: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(POSTCONF, {
    args: ["-c", folder.path, ...words],
  }).output();
  return new TextDecoder().decode(stdout);
}

/** The parameters whose values are the program's own, or spawnd's alone. */
const OWN: readonly string[] = PARAMETERS
  .filter((parameter) =>
    parameter.origin === "spawnd" || "readOnly" in parameter
  )
  .map(({ name }) => name);

const NAMES = [
  ...PARAMETERS.map(({ name }) => name).filter((name) => !OWN.includes(name)),
  "policy_time_limit",
  "127.0.0.1:7007_time_limit",
  "old_time_limit",
  // Out of order, and twice.
  "max_use",
];

/** All that can be combined; -n and -d cannot. */
const FORMS = ["", "-d", "-n"].flatMap((which) =>
  ["", "-x", "-h", "-xh"].map((how) => [which, how].filter((word) => word))
);

for (const form of FORMS) {
  const shown = ["config", ...form].join(" ");
  postfixTest(
    `"${shown}" prints every parameter as postconf does`,
    async () => {
      await using folder = await configuration();
      const { code, stdout, stderr } = await config(folder, ...form, ...NAMES);
      const expected = await postconf(folder, ...form, ...NAMES);
      assert(expected.split("\n").length > 5, expected);
      assertEquals(stdout, expected);
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
    },
  );
}

for (const which of ["", "-d"]) {
  const shown = ["config", which].join(" ").trim();
  postfixTest(
    `"${shown}" without names prints what postconf does, as far as spawnd knows it`,
    async () => {
      await using folder = await configuration();
      const words = which === "" ? [] : [which];
      const { stdout } = await config(folder, ...words);
      const lines = stdout.trimEnd().split("\n");
      const nameOf = (line: string): string => line.split(" =")[0] ?? "";
      const shared = (line: string): boolean => !OWN.includes(nameOf(line));
      const names = new Set(lines.map(nameOf));
      const theirs = (await postconf(folder, ...words)).trimEnd().split("\n");
      assertEquals(
        lines.filter(shared),
        theirs.filter((line) => names.has(nameOf(line)) && shared(line)),
      );
      assert(names.has("owner") && names.has("policy_time_limit"), stdout);
    },
  );
}

Deno.test("config has the values of Postfix 3.11 outside of a service", async () => {
  await using folder = await configuration("syslog_name = x/$service_name\n");
  const { stdout } = await config(folder, "-x", "service_name", "syslog_name");
  assertEquals(stdout, "service_name = amnesiac\nsyslog_name = x/amnesiac\n");
});

postfixTest('"config -n" prints all of main.cf as postconf does', async () => {
  await using folder = await configuration();
  assertEquals(
    (await config(folder, "-n")).stdout,
    await postconf(folder, "-n"),
  );
  assertEquals(
    (await config(folder, "-nx")).stdout,
    await postconf(folder, "-nx"),
  );
});

/** Parameters of every class, used and not. */
const CLASSIFIED = `\
a = $b
b = 1
c = 2
relayhost = x
max_use = $d
d = 5
e = 3
policy_time_limit = 7
`;

for (const words of ["-n", "-n -C user", "-n -C service,user", "-n -C all"]) {
  postfixTest(
    `"config ${words}" leaves out what nothing uses, as postconf does`,
    async () => {
      await using folder = await configuration(
        CLASSIFIED,
        `${MASTER}x unix - n n - - pipe -o f=$e user=nobody argv=/bin/cat\n`,
      );
      const { stdout } = await config(folder, ...words.split(" "));
      assertEquals(stdout, await postconf(folder, ...words.split(" ")));
      assert(!stdout.includes("c = 2") && stdout.includes("b = 1"), stdout);
    },
  );
}

Deno.test("config --json prints an object for each parameter", async () => {
  await using folder = await configuration(
    'syslog_name = caf\u00e9 "x"\u001b\nmax_use = $undefined\n',
  );
  const { stdout } = await config(folder, "-jn", "syslog_name", "max_use");
  assertEquals(
    stdout,
    '{"syslog_name":"caf\u00e9 \\"x\\"\\u001b"}\n{"max_use":"$undefined"}\n',
  );
  const { stdout: expanded } = await config(folder, "-jx", "max_use");
  assertEquals(expanded, '{"max_use":""}\n');
});

postfixTest('"config" keeps bytes that are no text', async () => {
  await using folder = await configuration();
  const bytes = new Uint8Array([
    ...new TextEncoder().encode("max_use = "),
    255,
  ]);
  await Deno.writeFile(folder.join("main.cf"), bytes);
  await Deno.utime(folder.join("main.cf"), 1, 1);
  const run = async (program: string, words: string[]): Promise<Uint8Array> =>
    (await new Deno.Command(program, { args: words }).output()).stdout;
  const words = ["-c", folder.path, "max_use"];
  const ours = await runToEnd(["config", ...words], {
    prefix: ["sh", "-c", '"$@" | od -An -tx1', "sh"],
  });
  const theirs = await run("sh", [
    "-c",
    `${POSTCONF} "$@" | od -An -tx1`,
    "sh",
    ...words,
  ]);
  assertEquals(ours.stdout, new TextDecoder().decode(theirs));
  assert(ours.stdout.includes("ff"), ours.stdout);
});

Deno.test("config tells that it is spawnd that reads", async () => {
  await using folder = await configuration();
  const { stdout } = await config(folder, "process_name", "process_id");
  const [name, id] = stdout.split("\n");
  assertEquals(name, "process_name = spawnd");
  assert(/^process_id = \d+$/.test(id ?? ""), stdout);
});

Deno.test("config --origin tells the file and line that set a value", async () => {
  await using folder = await configuration(
    "max_use = 1\n\nmax_idle = 5\n  m\n",
  );
  const { code, stdout } = await config(
    folder,
    "--origin",
    "max_use",
    "max_idle",
    "ipc_timeout",
    "config_directory",
    "process_name",
  );
  assertEquals(
    stdout.replaceAll(folder.path, "DIR"),
    "DIR/main.cf:1: max_use = 1\n" +
      "DIR/main.cf:3: max_idle = 5 m\n" +
      "default: ipc_timeout = 3600s\n" +
      "spawnd: config_directory = DIR\n" +
      "spawnd: process_name = spawnd\n",
  );
  assertEquals(code, 0);
});

Deno.test("config --origin tells the last of several lines", async () => {
  await using folder = await configuration("max_use = 1\nmax_use = 2\n");
  const { stdout } = await config(folder, "-h", "--origin", "max_use");
  assertEquals(stdout, `${folder.path}/main.cf:2: 2\n`);
});

Deno.test("config says which name it does not know, and goes on", async () => {
  await using folder = await configuration("");
  const ended = await config(folder, "max_ues", "max_use", "nothing_like_it");
  assertEquals(ended, {
    code: 0,
    signal: null,
    stdout: "max_use = 100\n",
    stderr: "spawnd config: warning: max_ues: unknown parameter " +
      "(did you mean max_use?)\n" +
      "spawnd config: warning: nothing_like_it: unknown parameter\n",
  });
});

Deno.test("config prints a bad value as it is written", async () => {
  await using folder = await configuration("max_use = many\n");
  const { code, stdout } = await config(folder, "max_use");
  assertEquals({ code, stdout }, { code: 0, stdout: "max_use = many\n" });
});

Deno.test("config -x tells which value cannot be expanded, and exits 78", async () => {
  await using folder = await configuration("max_use = $a\na = ${b\n");
  const { code, stdout, stderr } = await config(
    folder,
    "-x",
    "max_use",
    "max_idle",
  );
  assertEquals({ code, stdout, stderr }, {
    code: 78,
    stdout: "max_idle = 100s\n",
    stderr: `${folder.path}/main.cf:2:5: error: ` +
      'truncated macro reference: "${b" (close it with })\n',
  });
});

Deno.test("config prints nothing of a main.cf that makes no sense", async () => {
  await using folder = await configuration("max_use 5\n");
  const { code, stdout, stderr } = await config(folder, "max_use");
  assertEquals({ code, stdout, stderr }, {
    code: 78,
    stdout: "",
    stderr: `${folder.path}/main.cf:1:1: error: missing '=' after attribute ` +
      'name: "max_use 5" (write name = value)\n',
  });
  const defaults = await config(folder, "-d", "max_use");
  assertEquals([defaults.code, defaults.stdout], [0, "max_use = 100\n"]);
});

Deno.test("config exits 78 where there is no main.cf", async () => {
  await using folder = await Folder.create();
  const { code, stdout, stderr } = await config(folder, "max_use");
  assertEquals([code, stdout], [78, ""]);
  assert(stderr.startsWith(`${folder.path}/main.cf: error: `), stderr);
});

Deno.test("config without master.cf prints main.cf", async () => {
  await using folder = await configuration("max_use = 3\n");
  await Deno.remove(folder.join("master.cf"));
  const { code, stdout, stderr } = await config(folder, "-n", "max_use");
  assertEquals({ code, stdout, stderr }, {
    code: 0,
    stdout: "max_use = 3\n",
    stderr: "",
  });
});

Deno.test("config does not mind a reader that stops", async () => {
  await using folder = await configuration();
  const { stdout, stderr } = await runToEnd(["config", "-c", folder.path], {
    prefix: ["bash", "-c", '"$@" | :; echo "${PIPESTATUS[0]}"', "bash"],
  });
  assertEquals({ stdout, stderr }, { stdout: "0\n", stderr: "" });
});

for (
  const [words, line] of [
    [["-dn"], "spawnd config: specify one of -d -n (defaults are set nowhere)"],
    [
      ["-d", "--origin"],
      "spawnd config: specify one of -d --origin (defaults are set nowhere)",
    ],
    [
      ["--orgin"],
      "spawnd config: unknown option: --orgin (did you mean --origin?)",
    ],
    [["-c"], "spawnd config: --config needs a value (write --config DIR)"],
  ] as const
) {
  Deno.test(`"config ${words.join(" ")}" says what is wrong and exits 64`, async () => {
    const { code, stdout, stderr } = await runToEnd(["config", ...words]);
    assertEquals({ code, stdout, stderr }, {
      code: 64,
      stdout: "",
      stderr: `${line}\n`,
    });
  });
}
