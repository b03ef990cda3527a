import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Folder, isAlive, until } from "./machine.ts";
import { recordsOf } from "./load.ts";
import { freePort, inet, writeConfiguration } from "./configuration.ts";
import { runToEnd } from "./daemon.ts";
import { attackTest, runAs } from "./hostile/attacker.ts";
import { answerOf } from "./hostile/patience.ts";
import { Scene } from "./hostile/scene.ts";
import { dumpableTest, withSuidDumpable } from "./hostile/suid_dumpable.ts";
import { assertUndisturbed } from "./hostile/victims.ts";

/** A program that does not end within this many seconds hangs. */
const HUNG_SECONDS = 5;

/** How many commands of one service may be about to begin. */
const BEGINNING_MAX = 4 * navigator.hardwareConcurrency;

/** Clients of the attacked service, more than it can have begin at once. */
const CLIENT_COUNT = BEGINNING_MAX + 6;

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

for (const dumpable of [0, 2]) {
  dumpableTest(
    `a signal that dumps core ends one child alone, with fs.suid_dumpable ${dumpable}`,
    async () => {
      await using _setting = await withSuidDumpable(dumpable);
      await using scene = await Scene.create({
        prefix: ["prlimit", "--core=unlimited"],
      });
      const { attacker, daemon, attacked, other } = scene;
      for (const signal of ["ABRT", "QUIT", "SEGV"]) {
        await scene.assertServes();
        await using lease = await scene.takeLease();
        const answer = answerOf(attacked);
        const [child = 0] = await scene.awaitHeld(1);
        await runAs(attacker, "/bin/kill", `-${signal}`, String(child));
        await until(`${signal} ends it`, async () => !await isAlive(child));
        assertEquals(await answer, "", signal);
        assert(await isAlive(daemon.pid), signal);
        assertEquals(await answerOf(other), "served\n", signal);
        await lease.stop("end of input");
      }
      await scene.assertServes();
    },
  );
}

dumpableTest(
  "a daemon refuses to start with fs.suid_dumpable 1, and says what to do",
  async () => {
    await using folder = await Folder.create();
    const directory = await writeConfiguration(folder, {
      master: [inet(`127.0.0.1:${freePort()}`)],
    });
    const starts = [
      ["serve", "-c", directory],
      ["run", "inet", "127.0.0.1:0", "user=nobody", "argv=/bin/cat"],
    ];
    await using _setting = await withSuidDumpable(1);
    for (const words of starts) {
      const { code, stderr } = await runToEnd(words, {
        prefix: ["timeout", String(HUNG_SECONDS)],
      });
      assert(code === 77 || code === 78, `exit code ${code}: ${stderr}`);
      assert(stderr.includes("fs.suid_dumpable"), stderr);
    }
  },
);
