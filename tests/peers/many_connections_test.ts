import { assert, assertEquals, assertLess } from "@std/assert";
import { rssAnonKiB } from "../e2e/load.ts";
import { childrenOf, isAlive, until } from "../e2e/machine.ts";
import { Postfix, postfixTest } from "./postfix.ts";

for (
  const { way, options, maxproc } of [
    { way: "by default", options: "", maxproc: 32 },
    {
      way: "with spawnd_concurrency=1",
      options: "-o spawnd_concurrency=1",
      maxproc: 3,
    },
  ]
) {
  postfixTest(
    `20,000 connections ${way} lose nothing and leave nothing behind`,
    async () => {
      await using postfix = await Postfix.start(
        `many unix - n n - ${maxproc} spawnd ${options}
    user=nobody argv=/bin/cat`,
      );
      let left = 20_000;
      const lost: string[] = [];
      const client = async (): Promise<void> => {
        while (left > 0) {
          const text = `connection ${left--}`;
          const answer = await postfix.ask("many", text).catch(String);
          if (answer !== text) lost.push(`${text}: ${answer}`);
        }
      };
      /** The most that a process has of its own until so many are left. */
      const mostKiB = async (end: number): Promise<number> => {
        let most = 0;
        while (left > end) {
          for (const pid of await postfix.daemons("many")) {
            // It may have ended since.
            const kiB = await rssAnonKiB(pid).catch(() => 0);
            if (kiB > most) most = kiB;
          }
          const next = Math.max(end, left - 500);
          await until("more are served", () => left <= next);
        }
        return most;
      };
      const clients = Promise.all(Array.from({ length: 6 }, client));
      const earlyKiB = await mostKiB(10_000);
      const lateKiB = await mostKiB(0);
      await clients;
      const log = await postfix.log();
      assertEquals(lost, [], log);
      assertLess(lateKiB, earlyKiB + 2048);
      for (const pid of await postfix.daemons("many")) {
        await until("no child is left, no zombie", async () => {
          return !await isAlive(pid) || (await childrenOf(pid)).length === 0;
        });
      }
      assert(!/(?:warning|fatal|error|panic):/.test(log), log);
    },
  );
}
