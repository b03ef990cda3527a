/**
 * How soon a client is served when there is room: measured by the daemon's own
 * clock.
 *
 * @module
 */

import { assertEquals, assertLess } from "@std/assert";
import { Clients, finish, startOnLoopback } from "./load.ts";
import { ENGINES, rootTest } from "./machine.ts";

/** For how long the daemon may leave a client waiting when there is room. */
const AT_ONCE_MS = 500;

for (const engine of ENGINES) {
  rootTest(
    `the moment that a command ends the next is served with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(
        engine,
        ["--max-processes", "1", "user=nobody", "argv=/bin/cat"],
      );
      using clients = await Clients.connect(daemon, 5);
      for (const client of clients.all) assertEquals(await finish(client), "");
      await daemon.event("disconnected", clients.all.length);
      const turns = daemon.lines
        .map((line) => JSON.parse(line))
        .filter(({ event }) => /^(dis)?connected$/.test(event));
      let endedMs: number | undefined;
      for (const [index, { event, fields, time }] of turns.entries()) {
        assertEquals(event, index % 2 === 0 ? "connected" : "disconnected");
        assertEquals(
          [fields.peer],
          clients.addresses.slice(index / 2, index / 2 + 1),
        );
        const ms = Date.parse(time);
        if (event === "disconnected") endedMs = ms;
        else if (endedMs !== undefined) assertLess(ms - endedMs, AT_ONCE_MS);
      }
    },
  );
}
