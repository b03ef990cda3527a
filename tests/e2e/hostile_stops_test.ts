import { assert, assertEquals, assertLess } from "@std/assert";
import { Daemon } from "./daemon.ts";
import { isAlive, until } from "./machine.ts";
import { recordsOf } from "./load.ts";
import { attackTest } from "./hostile/attacker.ts";
import { answerOf, within } from "./hostile/patience.ts";
import { Scene, Standing } from "./hostile/scene.ts";
import { processorShare } from "./hostile/victims.ts";

/** The part of a processor that a daemon may take while it only waits. */
const IDLE_SHARE_MAX = 0.1;

/** Within what two SIGTERMs end a daemon: commands are given five seconds. */
const END_MS = 15_000;

const TIME_LIMIT_SECONDS = 2;

for (const how of ["stopped", "leased"] as const) {
  attackTest(
    `a command that is ${how} before it begins is served when it goes on`,
    async () => {
      await using scene = await Scene.create();
      await using standing = await Standing.begin(scene, how);
      await standing.goOn();
      assertEquals(await standing.answer, "served\n");
      await scene.assertServes();
    },
  );

  attackTest(
    `a command that is ${how} before it begins is killed at its time limit`,
    async () => {
      await using scene = await Scene.create({
        main: [`command_time_limit = ${TIME_LIMIT_SECONDS}`],
      });
      const { daemon } = scene;
      await using standing = await Standing.begin(scene, how);
      const { pid, answer } = standing;
      await within("the time limit", daemon.event("time-limit"));
      await until("it is gone", async () => !await isAlive(pid));
      assertEquals(await answer, "");
      assertEquals(recordsOf(daemon, "time-limit").length, 1);
      await standing.goOn();
      await scene.assertServes();
    },
  );

  attackTest(
    `two SIGTERMs end a daemon with a command that is ${how} before it begins`,
    async () => {
      await using scene = await Scene.create();
      const { daemon } = scene;
      await using standing = await Standing.begin(scene, how);
      const { pid, answer } = standing;
      daemon.kill("SIGTERM");
      await within("the first SIGTERM", daemon.event("stopping"));
      daemon.kill("SIGTERM");
      const { code } = await within("its end", daemon.ended(), END_MS);
      assertEquals(code, 0);
      assert(!await isAlive(pid));
      assertEquals(await answer, "");
    },
  );

  attackTest(
    `a command that is ${how} before it begins and outlives a killed daemon leaves its addresses free`,
    async () => {
      await using scene = await Scene.create();
      const { daemon, args } = scene;
      await using standing = await Standing.begin(scene, how);
      const { pid, answer } = standing;
      daemon.kill("SIGKILL");
      await until("it is gone", async () => !await isAlive(daemon.pid));
      assert(await isAlive(pid));
      await using _successor = await within("a start", Daemon.serve(args));
      assertEquals(await answerOf(scene.other), "served\n");
      assert(await isAlive(pid));
      await standing.goOn();
      // It never had more than its own client.
      assertEquals(await answer, "served\n");
      await scene.assertServes();
    },
  );

  attackTest(
    `a daemon takes no processor while a command is ${how} before it begins`,
    async () => {
      await using scene = await Scene.create();
      await using standing = await Standing.begin(scene, how);
      const share = await processorShare(scene.daemon.pid);
      console.log(`${how}: ${(100 * share).toFixed(1)} % of a processor`);
      assertLess(share, IDLE_SHARE_MAX);
      assertEquals(await scene.held(), [standing.pid]);
      await standing.goOn();
      assertEquals(await standing.answer, "served\n");
    },
  );
}
