/**
 * `spawnd install-postfix` on a real Postfix, and with the real postconf(1) on
 * configurations that nothing runs.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { AnybodysProgram } from "../e2e/anybodys_program.ts";
import { IS_FROM_SOURCE } from "../e2e/configuration.ts";
import { type Ended, programWords, runToEnd } from "../e2e/daemon.ts";
import { peerTest } from "../e2e/load.ts";
import { Folder, output, until } from "../e2e/machine.ts";
import { Postfix } from "./postfix.ts";

/** A test with postconf, and with the binary, which alone can be installed. */
function installTest(name: string, fn: () => Promise<void>): void {
  if (IS_FROM_SOURCE) Deno.test.ignore(name, fn);
  else peerTest(name, "/usr/sbin/postconf", fn);
}

const MAIN_CF = `compatibility_level = 3.6
mail_owner = postfix
multi_instance_name =
`;

const MASTER_CF = `# The table of services.
smtp      inet  n       -       y       -       -       smtpd
# Asked by smtpd.
policy\tunix - n n - 3 spawn -v -o { max_idle = 10s }
    # Two lines, the second one indented.
    user=nobody   argv=/bin/sh -c { echo "it's  $0"; cat }
\tit

# Asks nobody.
other unix - n n - - spawn user=nobody argv=/bin/cat
# The end.
`;

const EDIT =
  "'policy/unix=policy unix - n n - 3 spawnd -v -o max_idle=10s user=nobody " +
  `argv=/bin/sh -c {echo "it'\\''s  $0"; cat} it'`;

/** A configuration that no Postfix runs. Goes with the scope. */
class Place implements AsyncDisposable {
  private constructor(readonly folder: Folder) {}

  static async create(masterCf = MASTER_CF): Promise<Place> {
    const place = new Place(await Folder.create());
    const { folder } = place;
    await Deno.mkdir(folder.join("etc"));
    await Deno.mkdir(folder.join("sbin"));
    await folder.file(
      "etc/main.cf",
      `${MAIN_CF}daemon_directory = ${folder.join("sbin")}\n`,
    );
    await folder.file("etc/master.cf", masterCf);
    return place;
  }

  get binary(): string {
    return this.folder.join("sbin/spawnd");
  }

  async install(...words: string[]): Promise<Ended> {
    const etc = this.folder.join("etc");
    return await runToEnd(["install-postfix", "-c", etc, ...words]);
  }

  async masterCf(): Promise<string> {
    return await Deno.readTextFile(this.folder.join("etc/master.cf"));
  }

  async setMasterCf(change: (text: string) => string): Promise<void> {
    await this.folder.file("etc/master.cf", change(await this.masterCf()));
  }

  /** The files of its two directories. */
  async files(): Promise<string[]> {
    const text = await output(
      "find",
      this.folder.path,
      "-mindepth",
      "2",
      "-printf",
      "%P %M %u:%g\\n",
    );
    return text.trim().split("\n").sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]();
  }
}

/** That it ended well; and what it printed. */
function printed({ code, stdout, stderr }: Ended): string {
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  return stdout;
}

/** That it was refused; and why. */
function refused(code: number, ended: Ended): string {
  assertEquals({ code: ended.code, stdout: ended.stdout }, {
    code,
    stdout: "",
  });
  return ended.stderr.trimEnd();
}

installTest("a running Postfix takes spawnd, and spawn(8) again", async () => {
  await using postfix = await Postfix.start(
    "whose unix - n n - 3 spawn user=nobody " +
      "argv=/bin/sh -c { ps -o args= -p $PPID }",
  );
  const etc = postfix.join("etc");
  const install = async (...words: string[]): Promise<string> =>
    printed(await runToEnd(["install-postfix", "-c", etc, ...words]));
  // A reload counts when the process that is there has left.
  const serves = async (program: string): Promise<void> =>
    await until(`${program} serves`, async () => {
      return (await postfix.ask("whose")).split(" ")[0] === program;
    });
  const before = await Deno.readTextFile(`${etc}/master.cf`);
  await Deno.remove(postfix.join("sbin/spawnd"));

  await install();
  assertEquals(await Deno.readTextFile(`${etc}/master.cf`), before);
  assertMatch(
    await install("--yes"),
    new RegExp(`\\nnow run: postfix -c ${etc} reload\\n$`),
  );
  await serves("spawn");
  await postfix.control("reload");
  await serves("spawnd");
  assertEquals(
    await install("--check"),
    `${postfix.join("sbin/spawnd")}: installed, the same as this program
whose/unix: runs spawnd
`,
  );

  await install("--undo", "--yes");
  await postfix.control("reload");
  await serves("spawn");
  assertEquals(await Deno.readTextFile(`${etc}/master.cf`), before);
  assertEquals(await install("--undo", "--yes"), "nothing to undo\n");
});

installTest("without --yes it shows what it would do, alone", async () => {
  await using place = await Place.create();
  const etc = place.folder.join("etc");
  const before = await place.files();
  const [source] = programWords();
  assertEquals(
    printed(await place.install()),
    `${place.binary}: to be copied from ${source}
${etc}/master.cf: to be kept as ${etc}/master.cf.before-spawnd
policy/unix: to run spawnd:
  postconf -c ${etc} -Me ${EDIT}
other/unix: to run spawnd:
  postconf -c ${etc} -Me 'other/unix=other unix - n n - - spawnd user=nobody argv=/bin/cat'
nothing is changed yet: --yes does it; then run: postfix -c ${etc} reload
`,
  );
  assertEquals(await place.masterCf(), MASTER_CF);
  assertEquals(await place.files(), before);
});

installTest("what it shows, a shell does as --yes does it", async () => {
  await using pasted = await Place.create();
  await using done = await Place.create();
  const lines = printed(await pasted.install()).split("\n")
    .filter((line) => line.startsWith("  postconf "));
  assertEquals(lines.length, 2);
  await output("sh", "-ec", lines.join("\n"));
  printed(await done.install("--yes"));
  assertEquals(await pasted.masterCf(), await done.masterCf());
});

installTest("--yes changes two entries, and --undo no byte", async () => {
  await using place = await Place.create();
  const master = place.folder.join("etc/master.cf");
  await Deno.chmod(master, 0o640);
  await output("chown", "root:mail", master);
  const before = await place.files();
  printed(await place.install("--yes"));
  assertEquals(
    await place.masterCf(),
    `# The table of services.
smtp      inet  n       -       y       -       -       smtpd
# Asked by smtpd.
policy     unix  -       n       n       -       3       spawnd -v
    -o max_idle=10s
    user=nobody argv=/bin/sh -c {echo "it's  $0"; cat} it
    # Two lines, the second one indented.

# Asks nobody.
other      unix  -       n       n       -       -       spawnd user=nobody
    argv=/bin/cat
# The end.
`,
  );
  const installed = await place.files();
  assertEquals(
    installed,
    [
      ...before,
      "etc/master.cf.before-spawnd -rw-r----- root:mail",
      "etc/spawnd-install.json -rw-r----- root:mail",
      "sbin/spawnd -rwxr-xr-x root:root",
    ].sort(),
  );
  assertEquals(
    printed(await place.install("--yes")),
    "everything is in place\n",
  );
  assertEquals(await place.files(), installed);
  printed(await place.install("--undo", "--yes"));
  assertEquals(await place.masterCf(), MASTER_CF);
  assertEquals(await place.files(), before);
});

installTest("services that were named are changed, and no other", async () => {
  await using place = await Place.create();
  printed(await place.install("--yes", "other/unix"));
  assertMatch(await place.masterCf(), /3 spawn -v/);
  assertEquals((await place.install("--check")).code, 0);
  assertEquals((await place.install("--check", "policy/unix")).code, 1);
  printed(await place.install("--yes", "policy/unix"));
  const one = printed(await place.install("--undo", "--yes", "other/unix"));
  assertMatch(one, /^other\/unix: runs spawn again\n/);
  assertMatch(await place.masterCf(), / spawn user=nobody\n +argv=\/bin\/cat/);
  printed(await place.install("--undo", "--yes"));
  assert(!(await place.masterCf()).includes("spawnd"));
  assertEquals(
    (await place.files()).filter((file) => file.startsWith("sbin")),
    [],
  );
});

installTest("two steps are undone in one, to the byte", async () => {
  await using place = await Place.create();
  printed(await place.install("--yes", "other/unix"));
  printed(await place.install("--yes"));
  printed(await place.install("--undo", "--yes"));
  assertEquals(await place.masterCf(), MASTER_CF);
});

installTest("--undo leaves what others have changed since", async () => {
  await using place = await Place.create();
  printed(await place.install("--yes"));
  await place.setMasterCf((text) =>
    `${text.replace("argv=/bin/cat", "argv=/bin/tac")}# New.\n`
  );
  const changed = await place.install("--undo", "--yes");
  assertEquals([changed.code, changed.stderr], [1, ""]);
  assertMatch(
    changed.stdout,
    /other\/unix: left .* since: spawnd user=nobody argv=\/bin\/tac\n/,
  );
  assertMatch(
    changed.stdout,
    /sbin\/spawnd: left .* for other\/unix runs it\n/,
  );
  const text = await place.masterCf();
  assertMatch(text, /3 +spawn -v/);
  assertMatch(text, /spawnd user=nobody\n +argv=\/bin\/tac\n/);
  assertMatch(text, /# New\.\n$/);
  // Nobody needs the program once that entry is put back by hand.
  await place.setMasterCf((text) => text.replace("spawnd", "spawn"));
  assertMatch(
    printed(await place.install("--undo", "--yes")),
    /sbin\/spawnd: removed\n/,
  );
  assertEquals(
    printed(await place.install("--undo", "--yes")),
    "nothing to undo\n",
  );
});

installTest("another program there is replaced at once, and kept", async () => {
  await using place = await Place.create();
  await place.folder.file("sbin/real", "the one before");
  await Deno.symlink("real", place.binary);
  assertEquals((await place.install("--check")).code, 1);
  assertMatch(
    printed(await place.install("--yes")),
    /sbin\/spawnd: replaced by .*\/spawnd, an upgrade\n/,
  );
  assertMatch(
    printed(await place.install("--check")),
    /sbin\/spawnd: installed, the same as this program\n/,
  );
  assertEquals(
    await Deno.readTextFile(place.folder.join("sbin/real")),
    "the one before",
  );
  // An older one of ours needs no keeping.
  await place.folder.file("sbin/spawnd", "an older one", 0o755);
  assertMatch(printed(await place.install("--yes")), /, an upgrade\n/);
  printed(await place.install("--undo", "--yes"));
  assertEquals(await Deno.readLink(place.binary), "real");
  assertEquals(
    (await place.files()).filter((file) => /sbin|before/.test(file)).length,
    2,
  );
});

installTest("a service with chroot is taken as any other", async () => {
  await using place = await Place.create(
    "jailed unix - n y - - spawn user=nobody argv=/bin/cat\n",
  );
  assertMatch(
    printed(await place.install("--yes")),
    /jailed\/unix: runs spawnd\n/,
  );
  assertEquals((await place.install("--check")).code, 0);
});

installTest("--check exits with 78 for what spawnd would refuse", async () => {
  await using place = await Place.create(
    "wrong unix - n n - - spawnd user=root argv=/bin/cat\n",
  );
  const { code, stdout } = await place.install("--check");
  assertEquals(code, 78);
  assertMatch(
    stdout,
    /^wrong\/unix: runs spawnd and fails: request to deliver as root \(/m,
  );
});

installTest("--check warns of a command that is not there", async () => {
  await using place = await Place.create(
    "absent unix - n n - - spawn user=nobody argv=/nonexistent/command\n",
  );
  printed(await place.install("--yes"));
  const master = place.folder.join("etc/master.cf");
  assertEquals(
    printed(await place.install("--check", "absent/unix")),
    `${place.binary}: installed, the same as this program
absent/unix: runs spawnd
${master}:2:5: warning: command does not exist: /nonexistent/command ` +
      "(install it, or correct its path)\n",
  );
});

installTest("refusals name what is wrong and change nothing", async () => {
  await using place = await Place.create();
  const { folder } = place;
  const before = await place.files();
  const etc = folder.join("etc");
  const says = "spawnd install-postfix: ";
  assertEquals(
    refused(64, await place.install("--yes", "smtp/inet")),
    `${says}smtp/inet runs smtpd, not spawn ` +
      "(those that run spawn: policy/unix, other/unix)",
  );
  assertEquals(
    refused(64, await place.install("--yes", "polcy/unix")),
    `${says}no such service in ${etc}/master.cf: polcy/unix ` +
      "(did you mean policy/unix?)",
  );
  assertEquals(
    refused(78, await runToEnd(["install-postfix", "-c", folder.path])),
    `${says}no Postfix configuration: there is no ${folder.path}/main.cf ` +
      "(give its directory as -c DIR)",
  );
  await Deno.chmod(folder.join("sbin"), 0o777);
  assertEquals(
    refused(78, await place.install("--yes")),
    `${says}${folder.join("sbin")} can be changed by everybody ` +
      `(let only root write to ${folder.join("sbin")})`,
  );
  await Deno.chmod(folder.join("sbin"), 0o755);
  await output("chown", "nobody", `${etc}/main.cf`);
  assertEquals(
    refused(78, await place.install("--yes")),
    `${says}${etc}/main.cf can be changed by user nobody ` +
      `(let only root write to ${etc}/main.cf)`,
  );
  await output("chown", "root", `${etc}/main.cf`);
  assertEquals(await place.files(), before);

  const backup = await folder.file("etc/master.cf.before-spawnd", "mine\n");
  assertEquals(
    refused(78, await place.install("--yes")),
    `${says}${backup} is there already, and is another master.cf ` +
      "(move it away)",
  );
  await Deno.remove(backup);
  await Deno.rename(`${etc}/master.cf`, `${etc}/real.cf`);
  await Deno.symlink("real.cf", `${etc}/master.cf`);
  assertMatch(
    refused(78, await place.install("--yes")),
    /master\.cf is a link, in whose place postconf would put a file \(/,
  );
  await Deno.remove(`${etc}/master.cf`);
  await folder.file("etc/master.cf", `${MASTER_CF}bad\n`);
  assertMatch(
    refused(78, await place.install("--yes")),
    /master\.cf:12:1: missing "transport type" field$/,
  );
});

installTest("only root installs; anybody may look", async () => {
  await using place = await Place.create();
  await using program = await AnybodysProgram.create();
  const options = {
    program: program.words,
    env: program.env,
    prefix: ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"],
    // The checkout may be where only root may go.
    cwd: place.folder.path,
  };
  const words = ["install-postfix", "-c", place.folder.join("etc")];
  assertEquals(
    refused(77, await runToEnd([...words, "--yes"], options)),
    "spawnd install-postfix: only root can change Postfix's files " +
      "(start it as root; without --yes, anybody can look)",
  );
  assertMatch(
    printed(await runToEnd(words, options)),
    /^policy\/unix: to run spawnd:$/m,
  );
  printed(await place.install("--yes"));
  assertMatch(
    printed(await runToEnd(words, options)),
    /\neverything is in place\n$/,
  );
});
