import { assert, assertEquals, assertGreater } from "@std/assert";
import { isAlive } from "./machine.ts";
import {
  ATTACK_SECONDS,
  attackTest,
  compile,
  runAs,
} from "./hostile/attacker.ts";
import { Scene } from "./hostile/scene.ts";
import { clients } from "./hostile/victims.ts";

/** Clients of the attacked service at once. */
const CLIENT_COUNT = 8;

/** Tries below which an attack was none. */
const TRIES_MIN = 1000;

/** What `kill -l` calls 0 asks for permission and does nothing. */
const SIGNALS: Readonly<Record<string, number>> = {
  "the signal 0": 0,
  SIGSTOP: 19,
  SIGTERM: 15,
  SIGKILL: 9,
};

for (const [name, number] of Object.entries(SIGNALS)) {
  attackTest(
    `a service's user never gets ${name} through to the daemon under load`,
    async () => {
      await using scene = await Scene.create();
      const { folder, attacker, daemon, attacked } = scene;
      const signaller = await compile(folder, "signaller");
      const [printed, fared] = await Promise.all([
        runAs(
          attacker,
          signaller,
          String(daemon.pid),
          String(ATTACK_SECONDS),
          String(number),
        ),
        clients(folder, {
          address: attacked,
          count: CLIENT_COUNT,
          seconds: ATTACK_SECONDS,
        }),
      ]);
      const [tries = 0, successes] = printed.split(" ").map(Number);
      console.log(
        `${name}: ${successes} of ${tries} tries succeeded, ` +
          `${fared.answered} connections were served, ${fared.lost} lost`,
      );
      assertEquals(successes, 0);
      assertGreater(tries, TRIES_MIN);
      assert(await isAlive(daemon.pid));
      assertEquals(fared.lost, 0);
      await scene.assertServes();
    },
  );
}

attackTest(
  "a service's user never traces, reads or reschedules the daemon under load",
  async () => {
    await using scene = await Scene.create();
    const { folder, attacker, daemon, attacked } = scene;
    const [printed, fared] = await Promise.all([
      runAs(
        attacker,
        await compile(folder, "intruder"),
        String(daemon.pid),
        String(ATTACK_SECONDS),
      ),
      clients(folder, {
        address: attacked,
        count: CLIENT_COUNT,
        seconds: ATTACK_SECONDS,
      }),
    ]);
    assertEquals(successful(printed), []);
    assertEquals(fared.lost, 0);
    await scene.assertServes();
  },
);

attackTest(
  "a service's user cannot trace or read a child that has the daemon's memory",
  async () => {
    await using scene = await Scene.create();
    const { folder, attacker, attacked } = scene;
    const intruder = await compile(folder, "intruder");
    await using lease = await scene.takeLease();
    const waiting = clients(folder, { address: attacked, seconds: 1 });
    const [child = 0] = await scene.awaitHeld(1);
    const printed = await runAs(attacker, intruder, String(child), "1");
    assert((await scene.held()).includes(child));
    // As its own process it may be slowed down, but it holds no secret.
    const harmless = ["sched_", "setpriority", "ioprio_set", "prlimit"];
    assertEquals(
      successful(printed).filter((line) =>
        !harmless.some((way) => line.startsWith(way))
      ),
      [],
    );
    await lease.stop("end of input");
    assertEquals((await waiting).lost, 0);
    await scene.assertServes();
  },
);

/** The lines of the intruder that tell of a success. */
function successful(printed: string): string[] {
  const lines = printed.trim().split("\n");
  assertGreater(lines.length, 1);
  for (const line of lines) assertGreater(Number(line.split(" ")[1]), 0, line);
  return lines.filter((line) => !line.endsWith(" 0"));
}
