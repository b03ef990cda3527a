import { assert, assertEquals, assertMatch } from "@std/assert";
import { DatagramReader } from "../unit/datagram_reader.ts";
import {
  freeAddress,
  inet,
  Server,
  talkTo,
  writeConfiguration,
} from "./configuration.ts";
import { Folder, output, rootTest } from "./machine.ts";

/** The assignments of a datagram. */
async function told(
  reader: DatagramReader,
  count: number,
): Promise<Record<string, string>> {
  const lines = await reader.take(1, count);
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

rootTest(
  "the service manager is told when it serves, reloads and stops",
  async () => {
    await using folder = await Folder.create();
    const socket = folder.join("notify");
    const address = freeAddress();
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    await using reader = await DatagramReader.bind(socket);
    await Deno.chmod(socket, 0o777);
    await Deno.chmod(folder.path, 0o755);
    await using server = await Server.start(["-c", directory], {
      env: { NOTIFY_SOCKET: socket },
    });
    assertEquals(await told(reader, 2), {
      READY: "1",
      STATUS: "Serving 1 service",
    });
    const before = Number((await output("cat", "/proc/uptime")).split(" ")[0]);
    server.kill("SIGHUP");
    const reloading = await told(reader, 3);
    assertEquals(reloading["RELOADING"], "1");
    const seconds = Number(reloading["MONOTONIC_USEC"]) / 1e6;
    assert(Math.abs(seconds - before) < 60, `${seconds}, not ${before}`);
    assertEquals((await told(reader, 2))["READY"], "1");
    // A reload that fails is over as well.
    await writeConfiguration(folder, { master: ["nonsense"] });
    server.kill("SIGHUP");
    assertEquals((await told(reader, 3))["RELOADING"], "1");
    assertEquals((await told(reader, 2))["READY"], "1");
    assertEquals(await talkTo(address, "hello"), "hello");
    server.kill("SIGTERM");
    assertEquals(await told(reader, 2), {
      STOPPING: "1",
      STATUS: "0 commands left",
    });
    assertEquals((await server.ended()).code, 0);
  },
);

rootTest("the watchdog is told twice as often as it wants to be", async () => {
  await using folder = await Folder.create();
  const name = `@spawnd-${crypto.randomUUID()}`;
  const directory = await writeConfiguration(folder, {
    master: [inet(freeAddress())],
  });
  await using reader = await DatagramReader.bind(name);
  await using _server = await Server.start(["-c", directory], {
    env: { NOTIFY_SOCKET: name, WATCHDOG_USEC: "400000" },
  });
  assertEquals((await told(reader, 2))["READY"], "1");
  for (let count = 0; count < 3; count++) {
    assertEquals(await told(reader, 1), { WATCHDOG: "1" });
  }
});

rootTest("a watchdog for another process is not told", async () => {
  await using folder = await Folder.create();
  const name = `@spawnd-${crypto.randomUUID()}`;
  const directory = await writeConfiguration(folder, {
    master: [inet(freeAddress())],
  });
  await using reader = await DatagramReader.bind(name);
  await using server = await Server.start(["-c", directory], {
    env: { NOTIFY_SOCKET: name, WATCHDOG_USEC: "1000", WATCHDOG_PID: "1" },
  });
  assertEquals((await told(reader, 2))["READY"], "1");
  server.kill("SIGTERM");
  assertMatch(Object.keys(await told(reader, 2)).join(), /^STOPPING,STATUS$/);
});

rootTest("commands see nothing of the service manager", async () => {
  await using folder = await Folder.create();
  const address = freeAddress();
  const directory = await writeConfiguration(folder, {
    master: [inet(address, "user=nobody argv=/usr/bin/env")],
  });
  await using _server = await Server.start(["-c", directory], {
    env: { NOTIFY_SOCKET: "/run/none", WATCHDOG_USEC: "1000000" },
  });
  const environment = await talkTo(address);
  assert(!/NOTIFY|WATCHDOG|LISTEN/.test(environment), environment);
});
