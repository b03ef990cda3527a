import { assertEquals, assertMatch } from "@std/assert";
import { finish, readLine } from "../e2e/load.ts";
import { isAlive, output, until } from "../e2e/machine.ts";
import { Postfix, postfixTest } from "./postfix.ts";
import { COMPILER, furnishRoot } from "./root_directory.ts";

/** A test that needs commands without libraries. */
function chrootTest(name: string, fn: () => Promise<void>): void {
  postfixTest(name, fn, { others: [COMPILER] });
}

/** Finds what a process says whose program was executed anew. */
function serves(pid: number): RegExp {
  return new RegExp(`\\[${pid}\\]: the new configuration serves from now on`);
}

/** What a command says of itself, of which its words are the last. */
async function factsOf(connection: Deno.Conn): Promise<string> {
  let text = "";
  while (!text.endsWith("\n.\n")) {
    const line = await readLine(connection);
    if (line === "") throw new Error(`it has ended: ${text}`);
    text += line;
  }
  return text;
}

/** What a command of nobody's says that is locked in. */
async function lockedIn(words: readonly string[]): Promise<string> {
  const uid = (await output("id", "-u", "nobody")).trim();
  const gid = (await output("id", "-g", "nobody")).trim();
  return `uid ${uid} ${uid} ${uid}
gid ${gid} ${gid} ${gid}
groups ${gid}
capabilities 0 0 0 0 0 0
no_new_privs 0
blocked
session own, group own
umask 077
descriptors 0 1 2
directory /
root closed, has /facts-root
system unseen
variable A=b
variable PATH=/usr/bin:/bin
${words.map((word) => `word ${word}\n`).join("")}.
`;
}

chrootTest(
  "a command of a service with chroot y has queue_directory as its root",
  async () => {
    await using postfix = await Postfix.start(
      `path unix - n y - - spawnd user=nobody argv=facts { two words }
classic unix - n y - - spawnd -o spawnd_concurrency=1
  user=nobody argv=/usr/bin/facts
script unix - n y - - spawnd user=nobody argv=/script a
outside unix - n y - - spawnd user=nobody argv=/bin/cat
account unix - n y - - spawnd user=daemon argv=facts`,
      "export_environment = A=b",
    );
    await furnishRoot(postfix);
    assertEquals(
      await postfix.ask("path"),
      await lockedIn(["facts", "two words"]),
    );
    assertEquals(
      await postfix.ask("classic"),
      await lockedIn(["/usr/bin/facts"]),
    );
    // The shell of the new root, not of the machine.
    assertEquals(
      await postfix.ask("script"),
      await lockedIn(["/bin/sh", "/script", "a"]),
    );
    assertEquals(await postfix.ask("outside"), "");
    await postfix.logged(
      "warning: command /bin/cat cannot be started: No such file or directory\n",
    );
    // Accounts are the machine's: the daemon itself stays outside.
    const uid = (await output("id", "-u", "daemon")).trim();
    assertMatch(await postfix.ask("account"), new RegExp(`^uid ${uid} `));

    await Deno.remove(postfix.join("queue/bin/sh"));
    assertEquals(await postfix.ask("script"), "");
    await postfix.logged(/command \/script cannot be started: .*\n/);
  },
);

chrootTest(
  "a reload keeps a service in its chroot, or lets it out",
  async () => {
    const line = (chroot: string, words: string): string =>
      `held unix - n ${chroot} - - spawnd user=nobody argv=${words}`;
    const serves = (pid: number): RegExp =>
      new RegExp(`\\[${pid}\\]: the new configuration serves from now on`);
    await using postfix = await Postfix.start(
      line("y", "facts hold"),
      "export_environment = A=b",
    );
    await furnishRoot(postfix);
    using held = await postfix.connect("held");
    assertEquals(await factsOf(held), await lockedIn(["facts", "hold"]));
    const [pid = 0] = await postfix.daemons("held");

    await postfix.setMasterCf(line("y", "facts other"));
    await postfix.control("reload");
    await postfix.logged(serves(pid));
    assertEquals(await postfix.ask("held"), await lockedIn(["facts", "other"]));
    assertEquals(await postfix.daemons("held"), [pid]);
    assertEquals(await finish(held), "");
    await until("the process has ended", async () => !await isAlive(pid));

    using again = await postfix.connect("held");
    await factsOf(again);
    assertEquals(await finish(again), "");
    await postfix.setMasterCf(line("y", "facts hold"));
    await postfix.control("reload");
    using last = await postfix.connect("held");
    await factsOf(last);
    const [other = 0] = await postfix.daemons("held");
    await postfix.setMasterCf(
      line("n", postfix.join("queue/usr/bin/facts")),
    );
    await postfix.control("reload");
    await postfix.logged(serves(other));
    assertMatch(
      await postfix.ask("held"),
      /\nroot closed, lacks \/facts-root\n/,
    );
    assertEquals(await finish(last), "");
  },
);

chrootTest("a reload takes - for chroot as master(8) does", async () => {
  const line = (words: string): string =>
    `held unix - n - - - spawnd user=nobody argv=${words}`;
  await using postfix = await Postfix.start(
    line("facts hold"),
    "export_environment = A=b\ncompatibility_level = 0",
  );
  await furnishRoot(postfix);
  using held = await postfix.connect("held");
  assertEquals(await factsOf(held), await lockedIn(["facts", "hold"]));
  const [pid = 0] = await postfix.daemons("held");
  await postfix.setMasterCf(line("facts other"));
  await postfix.control("reload");
  await postfix.logged(serves(pid));
  assertEquals(await postfix.ask("held"), await lockedIn(["facts", "other"]));
  assertEquals(await finish(held), "");
});
