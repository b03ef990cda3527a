/**
 * Who may have a pid file, and whom `spawnd reload` signals by one.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import {
  exists,
  freeAddresses,
  inet,
  refusals,
  Server,
  serveRefused,
  talkTo,
  writeConfiguration,
} from "./configuration.ts";
import { runToEnd } from "./daemon.ts";
import { Account, Folder, isAlive, output, rootTest } from "./machine.ts";

/** A program of the system that does no harm. Ends with the scope. */
class Innocent implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<Uint8Array>;

  constructor(program: string, ...args: string[]) {
    this.#child = new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#output = this.#child.stdout.getReader();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Waits for what it says first. */
  async said(): Promise<string> {
    return new TextDecoder().decode((await this.#output.read()).value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#output.cancel();
    await this.#child.stdin.close();
    await this.#child.status;
  }
}

const UNTOUCHED = "nothing was signalled: see whether the daemon runs, and " +
  "where";

async function reloadRefused(pidFile: string): Promise<string> {
  const { code, stdout, stderr } = await runToEnd(
    ["reload", "--pid-file", pidFile],
  );
  assertEquals([code, stdout], [71, ""], stderr);
  return stderr.replaceAll(pidFile, "FILE");
}

rootTest("reload signals nobody by a file that was left behind", async () => {
  await using folder = await Folder.create();
  await using sleep = new Innocent("sleep", "60");
  for (const pid of [sleep.pid, 1]) {
    const pidFile = await folder.file("spawnd.pid", `${pid}\n`);
    assertEquals(
      await reloadRefused(pidFile),
      "spawnd reload: FILE was left behind: no process has it locked " +
        `(${UNTOUCHED})\n`,
    );
  }
  assert(await isAlive(sleep.pid), "it was signalled");
  const PID_OF_NOBODY = 2 ** 22 - 1;
  const pidFile = await folder.file("spawnd.pid", `${PID_OF_NOBODY}\n`);
  assertEquals(
    await reloadRefused(pidFile),
    "spawnd reload: FILE was left behind: there is no process id " +
      `${PID_OF_NOBODY} (see whether the daemon runs)\n`,
  );
});

/** Locks the file that its argument names, and says so. */
const LOCKER = `
  use Fcntl;
  open my $file, "+<", $ARGV[0] or die;
  my $lock = pack "s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0;
  fcntl $file, F_SETLK, $lock or die;
  $| = 1;
  print "locked";
  <STDIN>;
`;

rootTest("reload signals no other program, whatever has the lock", async () => {
  await using folder = await Folder.create();
  const pidFile = await folder.file("spawnd.pid", "");
  await using perl = new Innocent("perl", "-e", LOCKER, pidFile);
  assertEquals(await perl.said(), "locked");
  await Deno.writeTextFile(pidFile, `${perl.pid}\n`);
  const program = (await output("readlink", `/proc/${perl.pid}/exe`)).trim();
  assertEquals(
    await reloadRefused(pidFile),
    `spawnd reload: FILE names process id ${perl.pid}, which runs ${program} ` +
      `(${UNTOUCHED})\n`,
  );
  await using sleep = new Innocent("sleep", "60");
  await Deno.writeTextFile(pidFile, `${sleep.pid}\n`);
  assertEquals(
    await reloadRefused(pidFile),
    `spawnd reload: FILE names process id ${sleep.pid}, but is locked by ` +
      `another process (${UNTOUCHED})\n`,
  );
  for (const { pid } of [perl, sleep]) assert(await isAlive(pid));
});

rootTest("reload waits for nobody to write to a pipe", async () => {
  await using folder = await Folder.create();
  const pipe = folder.join("pipe");
  await output("mkfifo", pipe);
  assertEquals(
    await reloadRefused(pipe),
    "spawnd reload: cannot read FILE: it is no file (name the file that " +
      "spawnd serve --pid-file has written)\n",
  );
});

rootTest("two daemons never share a pid file", async () => {
  await using folder = await Folder.create();
  const [address = "", other = ""] = freeAddresses(2);
  const pidFile = folder.join("spawnd.pid");
  const directory = await writeConfiguration(folder, {
    master: [inet(address)],
  });
  await using server = await Server.start(
    ["-c", directory, "--pid-file", pidFile],
  );
  await writeConfiguration(folder, { master: [inet(other)] });
  const refused = async (): Promise<void> => {
    const { code, entries } = await serveRefused(
      ["-c", directory, "--pid-file", pidFile],
    );
    assertEquals(code, 71);
    assertEquals(refusals(entries), [
      `refused to write the pid file ${pidFile}: it is that of process id ` +
      `${server.pid}`,
    ]);
    assertEquals(await Deno.readTextFile(pidFile), `${server.pid}\n`);
  };
  await refused();
  await writeConfiguration(folder, { master: [inet(address)] });
  await server.reload();
  await writeConfiguration(folder, { master: [inet(other)] });
  await refused();
  await writeConfiguration(folder, { master: ["nonsense"] });
  await server.reloadInVain();
  await writeConfiguration(folder, { master: [inet(other)] });
  await refused();
  assertEquals(await talkTo(address, "hello"), "hello");
  const { code } = await runToEnd(["reload", "--pid-file", pidFile]);
  assertEquals(code, 0);
  assertEquals(await talkTo(other, "hello"), "hello");
});

rootTest(
  "a daemon that was killed leaves a pid file that the next one takes",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const pidFile = folder.join("spawnd.pid");
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    const words = ["-c", directory, "--pid-file", pidFile];
    const killed = await Server.start(words);
    killed.kill("SIGKILL");
    await killed.ended();
    assert(await exists(pidFile));
    await using server = await Server.start(words);
    assertEquals(await Deno.readTextFile(pidFile), `${server.pid}\n`);
  },
);

rootTest(
  "a pid file is not written where a stranger's link leads",
  async () => {
    await using folder = await Folder.create();
    await using account = await Account.create();
    const [address = ""] = freeAddresses(1);
    const sticky = folder.join("sticky");
    await Deno.mkdir(sticky);
    await Deno.chmod(sticky, 0o1777);
    const precious = folder.join("precious");
    await Deno.mkdir(precious);
    const link = `${sticky}/run`;
    await Deno.symlink(precious, link);
    await output("chown", "-h", account.name, link);
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    const pidFile = `${link}/spawnd.pid`;
    const { code, entries } = await serveRefused(
      ["-c", directory, "--pid-file", pidFile],
    );
    assertEquals(code, 78);
    assertEquals(refusals(entries), [
      `refused to write the pid file ${pidFile}: ${link} is a link of user id ` +
      `${account.uid}`,
    ]);
    assertEquals(await Array.fromAsync(Deno.readDir(precious)), []);
  },
);
