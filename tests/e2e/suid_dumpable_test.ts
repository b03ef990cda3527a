/**
 * What becomes of a daemon by fs.suid_dumpable, a setting of the whole machine.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { freeAddress, inet, writeConfiguration } from "./configuration.ts";
import { runToEnd } from "./daemon.ts";
import { runAs } from "./hostile/attacker.ts";
import { answerOf } from "./hostile/patience.ts";
import { Scene } from "./hostile/scene.ts";
import { dumpableTest, withSuidDumpable } from "./hostile/suid_dumpable.ts";
import { BOUNDED, Folder, isAlive, until } from "./machine.ts";

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
      master: [inet(freeAddress())],
    });
    const starts = [
      ["serve", "-c", directory],
      ["run", "inet", "127.0.0.1:0", "user=nobody", "argv=/bin/cat"],
    ];
    await using _setting = await withSuidDumpable(1);
    for (const words of starts) {
      const { code, stderr } = await runToEnd(words, {
        prefix: BOUNDED,
      });
      assert(code === 77 || code === 78, `exit code ${code}: ${stderr}`);
      assert(stderr.includes("fs.suid_dumpable"), stderr);
    }
  },
);
