/**
 * A service's user that owns queue_directory, and puts links in the place of
 * what the daemon makes there while it starts.
 *
 * @module
 */

import { assertEquals, assertGreater } from "@std/assert";
import { queueOf, unix, writeConfiguration } from "./configuration.ts";
import { Daemon } from "./daemon.ts";
import { Account, Folder, output, rootTest, until } from "./machine.ts";

/** Enough for the attack: it succeeded on the third, where it could. */
const STARTS = 20;

/**
 * Turns each `private` that comes into being into a link to the second
 * argument, for a moment, and tells how often.
 */
const SWAPPER = `
  $| = 1;
  chdir $ARGV[0] or die;
  print "ready\\n";
  for (my $count = 0;; ) {
    next unless rename "private", "moved.$count";
    symlink $ARGV[1], "private";
    print ++$count, "\\n";
    select undef, undef, undef, 0.02;
    unlink "private";
  }
`;

/** The attacker. Ends with the scope: `await using`. */
class Swapper implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #said = "";

  constructor({ uid, gid }: Account, queue: string, target: string) {
    const ids = [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
    this.#child = new Deno.Command("setpriv", {
      args: [...ids, "perl", "-e", SWAPPER, queue, target],
      stdout: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  /** How often it has put its link there; -1 before it has begun. */
  get swaps(): number {
    return this.#said.split("\n").length - 2;
  }

  async #read(): Promise<void> {
    const text = this.#child.stdout.pipeThrough(new TextDecoderStream());
    for await (const piece of text) this.#said += piece;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#reading;
  }
}

rootTest(
  "the owner of queue_directory can have no directory of root's given away",
  async () => {
    await using folder = await Folder.create();
    await using account = await Account.create();
    const precious = folder.join("precious");
    await Deno.mkdir(precious);
    const directory = await writeConfiguration(folder, {
      main: [`owner = ${account.name}`],
      master: [unix("policy")],
    });
    const queue = queueOf(folder);
    await Deno.chown(queue, account.uid, account.gid);
    const access = (): Promise<string> =>
      output("stat", "--format", "%u %g %a", precious);
    const before = await access();
    await using swapper = new Swapper(account, queue, precious);
    await until("it has begun", () => swapper.swaps >= 0);
    for (let start = 0; start < STARTS; start++) {
      const ended = await startAndStop(directory);
      assertEquals(await access(), before, ended);
      const left = await Array.fromAsync(Deno.readDir(precious));
      assertEquals(left, [], ended);
    }
    assertGreater(swapper.swaps, 0, "nothing was attacked");
  },
);

/** Starts a daemon that serves, or refuses to, and ends it. */
async function startAndStop(directory: string): Promise<string> {
  try {
    await using daemon = await Daemon.serve(["-c", directory]);
    daemon.kill("SIGTERM");
    await daemon.ended();
    return daemon.lines.join("\n");
  } catch (error) {
    return String(error);
  }
}
