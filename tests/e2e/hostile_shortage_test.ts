import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
} from "@std/assert";
import { finish, readLine } from "./load.ts";
import { connectTo } from "./configuration.ts";
import { attackTest } from "./hostile/attacker.ts";
import { answerOf, within } from "./hostile/patience.ts";
import { Scene } from "./hostile/scene.ts";
import { assertUndisturbed } from "./hostile/victims.ts";

/** Processes that an account may have, where that is limited. */
const PROCESSES_MAX = 5;

/** Descriptors that a daemon may have, where that is limited. */
const DESCRIPTORS_MAX = 64;

/** How many commands of one service may be about to begin. */
const BEGINNING_MAX = 4 * navigator.hardwareConcurrency;

/** Clients that come when there is nothing for them. */
const TOO_MANY_COUNT = BEGINNING_MAX + 2;

/** How soon a service goes on when a shortage is over: a second, and time to run. */
const AGAIN_MS = 5000;

/** The rest between two tries that are not the first, a second, but for the clock. */
const REST_MS = 900;

/** Says that it runs, and is a cat. */
const READY = ["/bin/sh", "-c", "{", "echo ready; exec cat", "}"];

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
    const closedMs: number[] = [];
    const tooMany = Array.from({ length: TOO_MANY_COUNT }, async () => {
      using client = await connectTo(attacked);
      const line = await within("its end", firstLine(client), 4 * AGAIN_MS)
        .catch(String);
      closedMs.push(performance.now());
      return line;
    });
    await assertUndisturbed("a user at its process limit", scene);
    assertEquals(await Promise.all(tooMany), tooMany.map(() => ""));
    // The first ones may have been about to begin when the shortage was known.
    const [first = 0, last = 0] = [closedMs.at(-2), closedMs.at(-1)];
    assertGreaterOrEqual(last - first, REST_MS);
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

for (const [call, code] of [["accept4", "ENFILE"], ["accept4", "ENOMEM"]]) {
  attackTest(`${code} from ${call} is no fault of the service`, async () => {
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
