import { assert, assertEquals } from "@std/assert";
import { type Ended, programWords, runToEnd } from "./daemon.ts";
import { Account, Folder, output, rootTest } from "./machine.ts";
import { AnybodysProgram } from "./anybodys_program.ts";

const BROKEN = new URL("broken/", import.meta.url);

const SERVICE = "7007 inet n n n - 5 spawn user=nobody argv=/bin/cat\n";

/** A copy of a case, which only root can write to. */
async function copyOf(name: string): Promise<Folder> {
  const folder = await Folder.create();
  await Deno.mkdir(folder.join(name));
  await Deno.chmod(folder.join(name), 0o755);
  for (const file of ["main.cf", "master.cf"]) {
    const bytes = await readOrNothing(new URL(`${name}/${file}`, BROKEN));
    if (bytes === undefined) continue;
    const path = folder.join(`${name}/${file}`);
    await Deno.writeFile(path, bytes);
    await Deno.chmod(path, 0o644);
  }
  return folder;
}

async function readOrNothing(file: URL): Promise<Uint8Array | undefined> {
  try {
    return await Deno.readFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Makes a configuration that there is nothing to say about. */
async function soundFolder(main = "", master = SERVICE): Promise<Folder> {
  const folder = await Folder.create();
  await folder.file("main.cf", main);
  await folder.file("master.cf", master);
  return folder;
}

async function checkFolder(folder: Folder): Promise<Ended> {
  return await runToEnd(["check", "-c", "."], { cwd: folder.path });
}

function exitCodeFor(stdout: string): number {
  return /^[^ ]*: error: /m.test(stdout) ? 78 : 0;
}

const cases = [...Deno.readDirSync(BROKEN)].map(({ name }) => name).sort();

for (const name of cases) {
  rootTest(
    `check says of the configuration ${name} what is expected`,
    async () => {
      await using folder = await copyOf(name);
      const { code, stdout, stderr } = await runToEnd(["check", "-c", name], {
        cwd: folder.path,
      });
      assertEquals(
        stdout,
        await Deno.readTextFile(new URL(`${name}/expected`, BROKEN)),
      );
      assertEquals({ code, stderr }, { code: exitCodeFor(stdout), stderr: "" });
    },
  );
}

rootTest("serve refuses with the errors that check tells", async () => {
  for (const name of ["attributes", "master_cf_fields", "main_cf_syntax"]) {
    await using folder = await copyOf(name);
    const at = { cwd: folder.path };
    const checked = await runToEnd(["check", "-c", name], at);
    const served = await runToEnd(["serve", "-c", name], at);
    const told = checked.stdout.split("\n")
      .filter((line) => line.includes(": error: "))
      .map((line) => line.replace(": error: ", ": "));
    for (const line of told) assert(served.stderr.includes(line), line);
    assertEquals([checked.code, served.code], [78, 78]);
  }
});

rootTest("check --json is one array with what the lines tell", async () => {
  await using folder = await copyOf("names");
  const at = { cwd: folder.path };
  const { stdout: text } = await runToEnd(["check", "-c", "names"], at);
  const { code, stdout } = await runToEnd(
    ["check", "--json", "-c", "names"],
    at,
  );
  const problems: Record<string, unknown>[] = JSON.parse(stdout);
  assertEquals(code, 0);
  assertEquals(problems[0], {
    level: "warning",
    file: "names/main.cf",
    line: 1,
    column: 1,
    length: 7,
    text: "unused parameter: max_idl=5s",
    mend: "did you mean max_idle?",
  });
  assertEquals(
    problems.map(({ file, line, column, level, text, mend }) =>
      `${file}:${line}:${column}: ${level}: ${text} (${mend})\n`
    ).join(""),
    text,
  );
});

rootTest("check --json is an empty array where all is well", async () => {
  await using folder = await soundFolder();
  const { code, stdout, stderr } = await runToEnd(
    ["check", "--json", "-c", folder.path],
  );
  assertEquals({ code, stdout, stderr }, {
    code: 0,
    stdout: "[]\n",
    stderr: "",
  });
});

rootTest("check --json escapes what a terminal would obey", async () => {
  await using folder = await copyOf("odd_bytes");
  const { code, stdout } = await runToEnd(
    ["check", "--json", "-c", "odd_bytes"],
    { cwd: folder.path },
  );
  assertEquals(code, 78);
  assert(!stdout.includes("\x1b") && !stdout.includes("\u202e"), stdout);
  const problems: { text: string }[] = JSON.parse(stdout);
  assert(
    problems.some(({ text }) => text.includes("\x1b[31m\u202e")),
    stdout,
  );
});

/** Runs check on a terminal and returns what that shows. */
async function onTerminal(
  folder: Folder,
  env: Record<string, string> = {},
): Promise<string> {
  const words = [...programWords(), "check", "-c", "."].join(" ");
  const { stdout } = await runToEnd([], {
    program: ["script", "-qec", words, "/dev/null"],
    cwd: folder.path,
    env,
  });
  return stdout.replaceAll("\r\n", "\n");
}

rootTest("check shows line and caret in colours on a terminal", async () => {
  await using folder = await soundFolder("max_use =\tmany\nmax_idl = 5s\n");
  assertEquals(
    await onTerminal(folder),
    "./main.cf:1:11: \x1b[1m\x1b[31merror\x1b[39m\x1b[22m: " +
      "bad numerical configuration: max_use = many (write a whole number)\n" +
      "    max_use = many\n" +
      "              \x1b[31m^~~~\x1b[39m\n" +
      "./main.cf:2:1: \x1b[1m\x1b[33mwarning\x1b[39m\x1b[22m: " +
      "unused parameter: max_idl=5s (did you mean max_idle?)\n" +
      "    max_idl = 5s\n" +
      "    \x1b[33m^~~~~~~\x1b[39m\n",
  );
});

rootTest("check has no colours on a terminal with NO_COLOR", async () => {
  await using folder = await soundFolder("max_use = many\n");
  const shown = await onTerminal(folder, { NO_COLOR: "1" });
  assert(shown.endsWith("\n              ^~~~\n"), shown);
  assert(!shown.includes("\x1b"), shown);
});

rootTest(
  "the caret is below the character meant, whatever stands before",
  async () => {
    await using folder = await soundFolder(
      "syslog_name = caf\u00e9\u202e ${max_use\n",
    );
    const [, source = "", caret = ""] = (await onTerminal(folder, {
      NO_COLOR: "1",
    })).split("\n");
    assertEquals(source, "    syslog_name = caf\u00e9\\u{202e} ${max_use");
    assertEquals(source.slice(caret.indexOf("^")), "${max_use");
  },
);

rootTest("check tells who could put another command in place", async () => {
  await using account = await Account.create();
  const { name, uid, gid } = account;
  await using folder = await Folder.create();
  const path = (file: string): string => folder.join(file);
  for (const directory of ["theirs", "sticky", "shared"]) {
    await Deno.mkdir(path(directory));
  }
  await Deno.chmod(path("theirs"), 0o755);
  await Deno.chmod(path("sticky"), 0o1777);
  await Deno.chmod(path("shared"), 0o775);
  for (
    const [file, mode] of [
      ["theirs/cat", 0o755],
      ["sticky/cat", 0o755],
      ["shared/cat", 0o755],
      ["open", 0o777],
      ["group", 0o775],
      ["closed", 0o750],
      ["own", 0o555],
    ] as const
  ) {
    await folder.file(file, "#!/bin/sh\n", mode);
  }
  await Deno.chown(path("theirs"), uid, gid);
  await Deno.chown(path("shared"), 0, gid);
  await Deno.chown(path("group"), 0, gid);
  await Deno.chown(path("own"), uid, gid);
  await Deno.symlink("theirs/cat", path("link"));
  await Deno.symlink("/bin/cat", path("sticky/link"));
  await output("chown", "-h", `${uid}`, path("sticky/link"));
  const commands = [
    "theirs/cat",
    "sticky/cat",
    "shared/cat",
    "open",
    "group",
    "closed",
    "own",
    "link",
    "sticky/link",
  ];
  await folder.file("main.cf", "");
  await folder.file(
    "master.cf",
    commands.map((command, index) =>
      `s${index} unix - n n - 5 spawn user=${name} argv=${path(command)}\n`
    ).join(""),
  );
  const { code, stdout } = await checkFolder(folder);
  const lines = stdout.replaceAll(folder.path, "DIR").replaceAll(name, "USER")
    .replaceAll(/:\d+: warning: /g, ": ").split("\n");
  const replaced = (line: number, who: string, what: string, by = what) =>
    `./master.cf:${line}: command can be replaced by ${who}: DIR/${what} ` +
    `(let only root write to DIR/${by})`;
  assertEquals(lines, [
    replaced(1, "user USER", "theirs/cat", "theirs"),
    replaced(3, "group USER", "shared/cat", "shared"),
    replaced(4, "everybody", "open"),
    replaced(5, "group USER", "group"),
    "./master.cf:6: command not executable by USER: DIR/closed " +
    "(let USER execute it: chmod a+x DIR/closed)",
    replaced(7, "user USER", "own"),
    replaced(8, "user USER", "link", "theirs"),
    replaced(9, "user USER", "sticky/link"),
    "",
  ]);
  assertEquals(code, 0);
});

rootTest(
  "check tells which directory keeps the user from a command",
  async () => {
    await using folder = await soundFolder();
    await Deno.mkdir(folder.join("closed"), { mode: 0o700 });
    await folder.file("closed/cat", "#!/bin/sh\n", 0o755);
    await folder.file(
      "master.cf",
      SERVICE.replace("/bin", folder.join("closed")),
    );
    const { stdout } = await checkFolder(folder);
    assertEquals(
      stdout.replaceAll(folder.path, "DIR"),
      "./master.cf:1:39: warning: command not executable by nobody: " +
        "DIR/closed/cat (nobody cannot get through DIR/closed)\n",
    );
  },
);

rootTest(
  "check takes a path without leading slash as the daemon does",
  async () => {
    await using folder = await Folder.create();
    await folder.file("main.cf", `queue_directory = ${folder.path}\n`);
    await folder.file("master.cf", SERVICE.replace("/bin/cat", "./cat"));
    const missing = await checkFolder(folder);
    assertEquals(
      missing.stdout.replaceAll(folder.path, "DIR"),
      "./master.cf:1:39: warning: command does not exist: DIR/cat " +
        "(install it, or correct its path)\n",
    );
    await folder.file("cat", "#!/bin/sh\n", 0o755);
    assertEquals((await checkFolder(folder)).stdout, "");
  },
);

rootTest("check tells who else could write the configuration", async () => {
  await using account = await Account.create();
  const { name, uid, gid } = account;
  await using folder = await soundFolder();
  await Deno.chmod(folder.join("main.cf"), 0o666);
  await Deno.chmod(folder.join("master.cf"), 0o664);
  await Deno.chown(folder.join("master.cf"), uid, gid);
  await Deno.chmod(folder.path, 0o775);
  await Deno.chown(folder.path, 0, gid);
  const { code, stdout } = await checkFolder(folder);
  assertEquals(
    stdout.replaceAll(folder.path, "DIR").replaceAll(name, "USER"),
    ".: warning: writable by group USER (let only root write to DIR)\n" +
      "./main.cf: warning: writable by everybody " +
      "(let only root write to DIR/main.cf)\n" +
      "./master.cf: warning: writable by user USER and group USER " +
      "(let only root write to DIR/master.cf)\n",
  );
  assertEquals(code, 0);
});

rootTest("check tells who else could write to queue_directory", async () => {
  await using account = await Account.create();
  const { name, uid, gid } = account;
  await using folder = await soundFolder();
  const queue = folder.join("way/queue");
  await Deno.mkdir(queue, { recursive: true });
  await folder.file("main.cf", `queue_directory = ${queue}\n`);
  const told = async (): Promise<string> =>
    (await checkFolder(folder)).stdout.replaceAll(folder.path, "DIR")
      .replaceAll(name, "USER");
  assertEquals(await told(), "");
  await Deno.chown(queue, uid, gid);
  await Deno.chmod(folder.join("way"), 0o777);
  const place = "./main.cf:1:19: warning: queue_directory DIR/way/queue is";
  assertEquals(
    await told(),
    `${place} writable by everybody (let only root write to DIR/way)\n` +
      `${place} writable by user USER (let only root write to DIR/way/queue)\n`,
  );
});

rootTest("anybody can check, and is told what root would be", async () => {
  await using folder = await soundFolder();
  await using anybodys = await AnybodysProgram.create();
  const ended = await runToEnd(["check", "-c", folder.path], {
    prefix: ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"],
    program: anybodys.words,
    env: { HOME: "/nonexistent", ...anybodys.env },
    cwd: "/",
  });
  assertEquals(ended, { code: 0, signal: null, stdout: "", stderr: "" });
});

Deno.test("check looks at the directory of MAIL_CONFIG", async () => {
  await using folder = await soundFolder("max_use = many\n");
  const { code, stdout } = await runToEnd(["check"], {
    env: { MAIL_CONFIG: folder.path },
  });
  assertEquals(code, 78);
  assert(stdout.includes(`${folder.path}/main.cf:1:11: error: `), stdout);
});

Deno.test("check asks which directory is meant by a stray word", async () => {
  const { code, stdout, stderr } = await runToEnd(["check", "/etc/spawnd"]);
  assertEquals({ code, stdout, stderr }, {
    code: 64,
    stdout: "",
    stderr: "spawnd check: unexpected word: /etc/spawnd " +
      "(give the configuration's directory as -c DIR)\n",
  });
});
