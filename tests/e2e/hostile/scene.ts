/**
 * Where the attack takes place: a daemon with two services, one of which is the
 * attacker's.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Daemon, type StartOptions } from "../daemon.ts";
import {
  Account,
  childrenOf,
  Folder,
  proc,
  statusFields,
  until,
} from "../machine.ts";
import { processesOf } from "../load.ts";
import {
  freePort,
  inet,
  queueOf,
  writeConfiguration,
} from "../configuration.ts";
import { Attacker, compile, runAs } from "./attacker.ts";
import { answerOf } from "./patience.ts";
import { signalIfThere, stateOf } from "./victims.ts";

/** How the daemon of a {@linkcode Scene} is to be started. */
export interface SceneOptions {
  /** Lines of main.cf. */
  readonly main?: readonly string[];
  /** The attacked service's maxproc. */
  readonly maxProcesses?: number;
  /** The attacked service's command, if not the attacker's own file. */
  readonly argv?: (folder: Folder) => Promise<readonly string[]>;
  readonly prefix?: StartOptions["prefix"];
}

/**
 * `spawnd serve` with a service of the attacker, who owns its command's file,
 * and another service, which is nobody's business. Ends with the scope, and
 * with it everything that the attacker has left: `await using`.
 */
export class Scene implements AsyncDisposable {
  private constructor(
    readonly folder: Folder,
    readonly attacker: Account,
    readonly daemon: Daemon,
    /** Where the attacker's service listens. */
    readonly attacked: string,
    /** Where the other one does. */
    readonly other: string,
    /** The attacker's command. */
    readonly command: string,
    /** The words after `serve`. */
    readonly args: readonly string[],
    readonly resources: AsyncDisposableStack,
  ) {}

  static async create(
    { main = [], maxProcesses, argv, prefix = [] }: SceneOptions = {},
  ): Promise<Scene> {
    await using resources = new AsyncDisposableStack();
    const folder = resources.use(await Folder.create());
    const attacker = resources.use(await Account.create());
    // Not nobody, whose processes anybody's tests may have: limits count them.
    const bystander = resources.use(await Account.create());
    const served = await compile(folder, "served");
    const command = folder.join("command");
    await Deno.copyFile(served, command);
    await Deno.chmod(command, 0o755);
    await Deno.chown(command, attacker.uid, attacker.gid);
    const [attacked, other] = [freePort(), freePort()];
    const words = await argv?.(folder) ?? [command];
    const directory = await writeConfiguration(folder, {
      main,
      master: [
        inet(
          `127.0.0.1:${attacked}`,
          `user=${attacker.name} argv=${words.join(" ")}`,
          maxProcesses,
        ),
        inet(`127.0.0.1:${other}`, `user=${bystander.name} argv=${served}`),
      ],
    });
    await Deno.chmod(queueOf(folder), 0o755);
    const args = ["-c", directory];
    const daemon = resources.use(await Daemon.serve(args, { prefix }));
    resources.defer(() => endAll(attacker));
    return new Scene(
      folder,
      attacker,
      daemon,
      `127.0.0.1:${attacked}`,
      `127.0.0.1:${other}`,
      command,
      args,
      resources.move(),
    );
  }

  /** Takes a write lease on the command's file: exec waits for it. */
  async takeLease(): Promise<Attacker> {
    const lease = new Attacker(
      this.attacker,
      await compile(this.folder, "lease"),
      this.command,
    );
    await lease.hasPrinted(1);
    return lease;
  }

  /**
   * Waits until `count` children have not begun their command, but are the
   * attacker's already, and says which.
   */
  async awaitHeld(count: number): Promise<number[]> {
    const { uid } = this.attacker;
    let held: number[] = [];
    await until(`${count} commands have not begun`, async () => {
      held = [];
      for (const pid of await this.held()) {
        const status = await proc(`${pid}/status`).catch(() => "");
        const ids = statusFields(status).get("Uid");
        if (ids === `${uid} ${uid} ${uid} ${uid}`) held.push(pid);
      }
      return held.length >= count;
    });
    return held;
  }

  /** The children that have not begun their command. */
  async held(): Promise<number[]> {
    const { pid } = this.daemon;
    const name = await proc(`${pid}/comm`);
    const held: number[] = [];
    for (const child of await childrenOf(pid)) {
      const gone = (): string => ""; // it has ended meanwhile
      if (await proc(`${child}/comm`).catch(gone) === name) held.push(child);
    }
    return held;
  }

  /** Asserts that the daemon is there and serves both services. */
  async assertServes(): Promise<void> {
    for (const address of [this.attacked, this.other]) {
      await until(
        `${address} serves`,
        async () => await answerOf(address) === "served\n",
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.resources[Symbol.asyncDispose]();
  }
}

/** Kills whatever runs as an account, and all that comes of it. */
async function endAll({ uid }: Account): Promise<void> {
  await until("nothing of the attacker's is left", async () => {
    const pids = await processesOf(uid);
    for (const pid of pids) signalIfThere(pid, "SIGKILL");
    return pids.length === 0;
  });
}

/**
 * A command of the attacker's that stands still as it is about to begin: its
 * process is there, and is not the command yet. Ends with the scope: `await
 * using`.
 */
export class Standing implements AsyncDisposable {
  private constructor(
    readonly pid: number,
    /** What its client gets, in the end. */
    readonly answer: Promise<string>,
    /** What it waits for, if it is not stopped. */
    readonly lease: Attacker,
    readonly how: "stopped" | "leased",
  ) {}

  /** @param how By SIGSTOP, or by a lease on the command's file. */
  static async begin(
    scene: Scene,
    how: "stopped" | "leased",
  ): Promise<Standing> {
    await scene.assertServes();
    await using resources = new AsyncDisposableStack();
    const lease = resources.use(await scene.takeLease());
    const answer = answerOf(scene.attacked);
    const [pid = 0] = await scene.awaitHeld(1);
    if (how === "stopped") {
      await runAs(scene.attacker, "/bin/kill", "-STOP", String(pid));
      await until("it is stopped", async () => await stateOf(pid) === "T");
      await lease.stop("end of input");
      assertEquals(await scene.held(), [pid]);
    }
    resources.move();
    return new Standing(pid, answer, lease, how);
  }

  /** Lets it go on, if it is still there, and later ones begin. */
  async goOn(): Promise<void> {
    if (this.how === "stopped") signalIfThere(this.pid, "SIGCONT");
    else await this.lease.stop("end of input");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lease[Symbol.asyncDispose]();
  }
}
