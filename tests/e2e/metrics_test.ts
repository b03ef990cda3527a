import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  freeAddress,
  freePort,
  inet,
  Server,
  serveRefused,
  talkTo,
  unix,
  writeConfiguration,
} from "./configuration.ts";
import { readAll } from "./daemon.ts";
import { becomes, rssAnonKiB } from "./load.ts";
import { Folder, rootTest } from "./machine.ts";
import { metricsAt, request, responseOf, sampleOf } from "./status.ts";

const GET = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** More than a daemon may grow by, whatever clients of its metrics send. */
const GROWTH_KIB_MAX = 16 * 1024;

/** A daemon with metrics, and where they are. */
async function serving(folder: Folder): Promise<{
  server: Server;
  directory: string;
  address: string;
  port: number;
}> {
  const address = freeAddress();
  const port = freePort();
  const directory = await writeConfiguration(folder, {
    main: [`spawnd_metrics_address = ${port}`],
    master: [inet(address), unix("policy", "user=nobody argv=/bin/false")],
  });
  const server = await Server.start(["-c", directory]);
  return { server, directory, address, port };
}

rootTest("metrics are what clients did, also after a reload", async () => {
  await using folder = await Folder.create();
  const { server: started, address, port } = await serving(folder);
  await using server = started;
  for (let count = 0; count < 7; count++) await talkTo(address, "hello");
  for (let count = 0; count < 2; count++) {
    await talkTo(folder.join("queue/private/policy"));
  }
  const values = async () => {
    const metrics = await metricsAt(port);
    const of = (name: string, service: string, type: string) =>
      sampleOf(metrics, `${name}{service="${service}",type="${type}"}`);
    return {
      total: of("spawnd_connections_total", address, "inet"),
      failed: of("spawnd_commands_failed_total", "policy", "unix"),
      ended: of("spawnd_command_duration_seconds_count", address, "inet"),
      limit: of("spawnd_commands_limit", address, "inet"),
      waiting: of("spawnd_connections_waiting", "policy", "unix"),
      serving: sampleOf(metrics, "spawnd_serving"),
    };
  };
  const expected = {
    ...{ total: 7, failed: 2, ended: 7, limit: 100, waiting: 0, serving: 1 },
  };
  await becomes(expected, values);
  await server.reload();
  await becomes(expected, values);
});

rootTest(
  "metrics are on the loopback alone, unless a host is named",
  async () => {
    await using folder = await Folder.create();
    const { server, port } = await serving(folder);
    await using _server = server;
    const hosts = Deno.networkInterfaces()
      .filter(({ family, address }) =>
        family === "IPv4" && !address.startsWith("127.")
      );
    for (const { address: hostname } of hosts) {
      const refused = await Deno.connect({ hostname, port })
        .then((connection) => connection.close(), () => "refused");
      assertEquals(refused, "refused", hostname);
    }
    await metricsAt(port);
  },
);

rootTest("metrics are on a unix socket where its path is given", async () => {
  await using folder = await Folder.create();
  const path = folder.join("metrics");
  const directory = await writeConfiguration(folder, {
    main: [`spawnd_metrics_address = ${path}`],
    master: [inet(freeAddress())],
  });
  {
    await using server = await Server.start(["-c", directory]);
    await server.reload();
    using connection = await Deno.connect({ transport: "unix", path });
    assertMatch((await request(connection, GET)).body, /^spawnd_serving 1$/m);
  }
  const isGone = await Deno.lstat(path).then(() => false, () => true);
  assert(isGone, "its socket is still there");
});

rootTest("an address for metrics that is taken is a mistake", async () => {
  await using folder = await Folder.create();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const directory = await writeConfiguration(folder, {
    main: [`spawnd_metrics_address = 127.0.0.1:${port}`],
    master: [inet(freeAddress())],
  });
  const { code, entries } = await serveRefused(["-c", directory]);
  assertEquals(code, 71);
  assertMatch(
    entries.find(({ event }) => event === "refused")?.text ?? "",
    /^spawnd_metrics_address: cannot listen on 127\.0\.0\.1:\d+: /,
  );
});

rootTest(
  "slow, huge and broken requests delay no client and take no memory",
  async () => {
    await using folder = await Folder.create();
    const { server: started, address, port } = await serving(folder);
    await using server = started;
    const connect = () => Deno.connect({ hostname: "127.0.0.1", port });
    const bytes = (text: string) => new TextEncoder().encode(text);
    await metricsAt(port);
    const before = await rssAnonKiB(server.pid);
    // All that are answered at a time, each of them in the midst of a request;
    // and others behind them.
    const slow = await Promise.all(Array.from({ length: 30 }, connect));
    for (const connection of slow) await connection.write(bytes("GET /met"));
    for (let count = 0; count < 20; count++) {
      assertEquals(await talkTo(address, "hello"), "hello");
    }
    for (const connection of slow) connection.close();
    const huge = new Uint8Array(1024 * 1024).fill(0x61);
    for (const start of ["", "GET /metrics HTTP/1.1\r\nX: ", "\0\0\0\0"]) {
      using connection = await connect();
      const answer = readAll(connection).catch(() => new Uint8Array());
      try {
        await connection.write(bytes(start));
        for (let count = 0; count < 8; count++) await connection.write(huge);
      } catch {
        // It is closed before all of that is taken.
      }
      await connection.closeWrite().catch(() => {});
      const { status } = responseOf(new TextDecoder().decode(await answer));
      assert(!status.startsWith("200"), status);
    }
    // Who asks and does not read keeps nothing but a place.
    const deaf = await Promise.all(Array.from({ length: 4 }, connect));
    for (const connection of deaf) await connection.write(bytes(GET));
    assertEquals(await talkTo(address, "hello"), "hello");
    await metricsAt(port);
    for (const connection of deaf) connection.close();
    const growth = await rssAnonKiB(server.pid) - before;
    assert(growth < GROWTH_KIB_MAX, `grown by ${growth} KiB`);
  },
);
