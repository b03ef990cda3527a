import { assertEquals, assertLess } from "@std/assert";
import { finish, peerTest } from "./load.ts";
import { connectTo, IS_FROM_SOURCE } from "./configuration.ts";
import { attackTest } from "./hostile/attacker.ts";
import { answerOf, within } from "./hostile/patience.ts";
import { Scene } from "./hostile/scene.ts";

/** Descriptors that a daemon may have, where that is limited. */
const DESCRIPTORS_MAX = 64;

/** How soon a service goes on when a shortage is over: a second, and time to run. */
const AGAIN_MS = 5000;

/** Says that it runs, and is a cat. */
const READY = ["/bin/sh", "-c", "{", "echo ready; exec cat", "}"];

// From source the runtime opens files whenever it likes, and may take the one
// descriptor that the daemon keeps in reserve.
if (!IS_FROM_SOURCE) {
  attackTest(
    "a daemon without descriptors for one service's clients loses nobody's",
    async () => {
      await using scene = await Scene.create({
        maxProcesses: 0,
        argv: () => Promise.resolve(READY),
        prefix: ["prlimit", `--nofile=${DESCRIPTORS_MAX}`],
      });
      const { attacked, other, daemon } = scene;
      using held = new DisposableStack();
      const clients: Deno.Conn[] = [];
      while (clients.length < DESCRIPTORS_MAX) {
        clients.push(held.use(await connectTo(attacked)));
      }
      await within("it is told", daemon.event("accept-failed"));
      const waiting = answerOf(other);
      const endsMs = performance.now();
      for (const client of clients) {
        assertEquals(
          await within("an answer", finish(client, "bye")),
          "ready\nbye",
        );
      }
      assertEquals(await waiting, "served\n");
      assertLess(performance.now() - endsMs, AGAIN_MS);
      assertEquals(
        daemon.entries.filter(({ event }) => event === "start-failed"),
        [],
      );
      assertEquals(await answerOf(other), "served\n");
    },
  );
}

for (const [call, code] of [["accept4", "ENFILE"], ["accept4", "ENOMEM"]]) {
  peerTest(`${code} from ${call} is no fault of the service`, [
    "/usr/bin/gcc",
    "/usr/bin/strace",
  ], async () => {
    await using scene = await Scene.create({
      prefix: [
        "strace",
        "-D",
        "-f",
        "-o",
        "/dev/null",
        `--inject=${call}:error=${code}:when=1..2`,
      ],
    });
    const { attacked, other } = scene;
    const fromMs = performance.now();
    assertEquals(await answerOf(attacked), "served\n");
    assertEquals(await answerOf(other), "served\n");
    assertLess(performance.now() - fromMs, AGAIN_MS);
  });
}
