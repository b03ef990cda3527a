/**
 * A user who attacks the daemon, or keeps all that it can, and the clients of
 * another service meanwhile: how long they wait is measured.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import { connectTo } from "./configuration.ts";
import {
  ATTACK_SECONDS,
  Attacker,
  attackTest,
  compile,
} from "./hostile/attacker.ts";
import { answerOf, within } from "./hostile/patience.ts";
import { Scene } from "./hostile/scene.ts";
import {
  assertUndisturbed,
  clients,
  signalIfThere,
} from "./hostile/victims.ts";
import { becomes, finish, processesOf, readLine, recordsOf } from "./load.ts";
import { isAlive } from "./machine.ts";

/** How many commands of one service may be about to begin. */
const BEGINNING_MAX = 4 * navigator.hardwareConcurrency;

/** Clients of the attacked service, more than it can have begin at once. */
const CLIENT_COUNT = BEGINNING_MAX + 6;

/** Clients at once of the service whose commands send signals. */
const SIGNALLED_CLIENT_COUNT = 8;

/** Processes that an account may have, where that is limited. */
const PROCESSES_MAX = 5;

/** Clients that come when there is nothing for them. */
const TOO_MANY_COUNT = BEGINNING_MAX + 2;

/** How soon a service goes on when a shortage is over: a second, and time to run. */
const AGAIN_MS = 5000;

/** The rest between two tries that are not the first, a second, but for the clock. */
const REST_MS = 900;

/** Says that it runs, and is a cat. */
const READY = ["/bin/sh", "-c", "{", "echo ready; exec cat", "}"];

attackTest(
  "a user who holds a lease on its command's file delays nobody else",
  async () => {
    await using scene = await Scene.create();
    const { attacked } = scene;
    await scene.assertServes();
    await using lease = await scene.takeLease();
    const answer = answerOf(attacked);
    await scene.awaitHeld(1);
    await assertUndisturbed("a lease on the command's file", scene);
    await lease.stop("end of input");
    assertEquals(await answer, "served\n");
    await scene.assertServes();
  },
);

attackTest(
  "clients of a service whose commands cannot begin wait, and are all served",
  async () => {
    await using scene = await Scene.create();
    const { daemon, attacked } = scene;
    await scene.assertServes();
    await using lease = await scene.takeLease();
    let servedCount = 0;
    const answers = Array.from({ length: CLIENT_COUNT }, async () => {
      const answer = await answerOf(attacked);
      servedCount++;
      return answer;
    });
    await scene.awaitHeld(1);
    await assertUndisturbed("a lease, and clients that wait", scene);
    assertLessOrEqual((await scene.held()).length, BEGINNING_MAX);
    assertEquals(servedCount, 0);
    await lease.stop("end of input");
    assertEquals(
      await Promise.all(answers),
      answers.map(() => "served\n"),
    );
    assertEquals(recordsOf(daemon, "start-failed"), []);
    await scene.assertServes();
  },
);

attackTest(
  "a user who stops its commands before they begin delays nobody else",
  async () => {
    await using scene = await Scene.create();
    const { folder, attacker, daemon, attacked } = scene;
    await scene.assertServes();
    await using stopper = new Attacker(
      attacker,
      await compile(folder, "stopper"),
      String(daemon.pid),
    );
    const load = clients(folder, {
      address: attacked,
      count: 4,
      seconds: 2 * ATTACK_SECONDS,
    });
    await stopper.hasPrinted(1);
    await assertUndisturbed("commands stopped before they begin", scene);
    console.log(`${stopper.lines.length} commands were stopped`);
    await stopper.stop("SIGKILL");
    for (const pid of await processesOf(attacker.uid)) {
      signalIfThere(pid, "SIGCONT");
    }
    await scene.assertServes();
    await load;
    await scene.assertServes();
  },
);

for (const [name, number] of Object.entries({ SIGTERM: 15, SIGKILL: 9 })) {
  attackTest(
    `commands that send everybody ${name} reach the daemon and others never`,
    async () => {
      await using scene = await Scene.create({
        argv: async (folder) => [
          await compile(folder, "everybody"),
          String(number),
        ],
      });
      const { folder, attacker, daemon, attacked } = scene;
      const attack = clients(folder, {
        address: attacked,
        count: SIGNALLED_CLIENT_COUNT,
      });
      await assertUndisturbed(`${name} to everybody`, scene);
      const { answered, lost } = await attack;
      console.log(`${name} was sent by up to ${answered + lost} commands`);
      assertGreater(answered + lost, 100);
      assert(await isAlive(daemon.pid));
      assertEquals(
        daemon.entries.filter(({ event }) => event === "stopping"),
        [],
      );
      await becomes([], () => processesOf(attacker.uid));
    },
  );
}

attackTest(
  "a user at its process limit makes its service rest a second, and no other",
  async () => {
    await using scene = await Scene.create({
      argv: () => Promise.resolve(READY),
      prefix: ["prlimit", `--nproc=${PROCESSES_MAX}`],
    });
    const { attacked, daemon } = scene;
    using held = new DisposableStack();
    const running: Deno.Conn[] = [];
    for (;;) {
      const client = held.use(await connectTo(attacked));
      if (await within("an answer", firstLine(client)) === "") break;
      running.push(client);
      // Who becomes a user and then executes may be one more (execve(2), EAGAIN).
      assert(running.length <= PROCESSES_MAX + 1, "no process limit holds");
    }
    assertGreater(running.length, 0);
    let lastMs = 0;
    const fromMs = performance.now();
    const tooMany = Array.from({ length: TOO_MANY_COUNT }, async () => {
      using client = await connectTo(attacked);
      const line = await within("its end", firstLine(client), 4 * AGAIN_MS)
        .catch(String);
      lastMs = performance.now();
      return line;
    });
    await assertUndisturbed("a user at its process limit", scene);
    assertEquals(await Promise.all(tooMany), tooMany.map(() => ""));
    // The first ones may have been about to begin when the shortage was known.
    assertGreaterOrEqual(lastMs - fromMs, REST_MS);
    for (const client of running) {
      assertEquals(await within("its end", finish(client, "bye")), "bye");
    }
    const freeMs = performance.now();
    using client = await connectTo(attacked);
    assertEquals(await within("ready", readLine(client)), "ready\n");
    const againMs = performance.now() - freeMs;
    console.log(`served again after ${againMs.toFixed(0)} ms`);
    assertLess(againMs, AGAIN_MS);
    const [failed] = daemon.entries.filter(({ event }) =>
      event === "start-failed"
    );
    assert(
      failed?.text.includes("Resource temporarily unavailable"),
      failed?.text,
    );
  },
);

/** The first line of a command that began; empty if it did not. */
async function firstLine(client: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(64);
  try {
    const count = await client.read(buffer) ?? 0;
    return new TextDecoder().decode(buffer.subarray(0, count));
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return "";
    throw error;
  }
}
