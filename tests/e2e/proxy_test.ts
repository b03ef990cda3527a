import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import {
  connectTo,
  freeAddresses,
  inet,
  Server,
  writeConfiguration,
} from "./configuration.ts";
import { type Daemon, readAll, writeAll } from "./daemon.ts";
import {
  becomes,
  finish,
  holdingsOf,
  readLine,
  recordsOf,
  settled,
  startOnLoopback,
} from "./load.ts";
import { ENGINES, Folder, rootTest } from "./machine.ts";
import { answerTo } from "./sources.ts";

/** What every daemon here is told beside. */
const PROXIED = ["--proxy-protocol", "--proxy-clients=127.0.0.1"];

/** A header of version 1. */
function header(client = "192.0.2.1", port = 4711): string {
  return `PROXY TCP4 ${client} 192.0.2.2 ${port} 25\r\n`;
}

/** The same of version 2. */
function binaryHeader(last = 1): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(
    ...[13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x21, 0x11, 0, 12],
    ...[192, 0, 2, last, 192, 0, 2, 2, 0x12, 0x67, 0, 25],
  );
}

const encode = (text: string): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(text);

function peers(daemon: Daemon): unknown[] {
  return recordsOf(daemon, "connected").map(({ fields }) => fields["peer"]);
}

function refusals(daemon: Daemon): string[] {
  return recordsOf(daemon, "client-refused").map(({ text }) => text);
}

/** How many descriptors a process has, when it makes and closes no more. */
async function descriptorsOf(pid: number): Promise<number> {
  return await settled(
    "the number of descriptors",
    async () => (await holdingsOf(pid)).descriptors,
  );
}

/** What comes back until the other side ends, in whatever way. */
async function rest(connection: Deno.Conn): Promise<string> {
  try {
    return new TextDecoder().decode(await readAll(connection));
  } catch (error) {
    // Closed with bytes that nobody has read.
    assert(error instanceof Deno.errors.ConnectionReset, String(error));
    return "";
  }
}

for (const engine of ENGINES) {
  rootTest(
    `a proxy's header is taken, and no byte of its client's, however it comes, with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(engine, [
        ...PROXIED,
        ...["user=nobody", "argv=/bin/cat"],
      ]);
      const headers = [encode(header()), binaryHeader()];
      for (const bytes of headers) {
        // All at once, cut at any place, and with the client's first bytes.
        for (const cut of [0, 1, 7, 13, 20, bytes.length]) {
          using connection = await daemon.connect();
          await writeAll(connection, bytes.slice(0, cut));
          if (cut % 2 === 1) {
            // What has come by now was looked at, and is looked at again.
            await becomes(
              0,
              async () => (await holdingsOf(daemon.pid)).children,
            );
          }
          const late = [...bytes.slice(cut), ...encode("PROXY first\n")];
          await writeAll(connection, Uint8Array.from(late));
          assertEquals(
            await finish(connection, "last\n"),
            "PROXY first\nlast\n",
          );
        }
      }
      await becomes(12, () => recordsOf(daemon, "disconnected").length);
      assertEquals(
        peers(daemon),
        Array.from({ length: 12 }, () => "192.0.2.1:4711"),
      );
      await becomes([], () => refusals(daemon));
    },
  );

  rootTest(
    `a command is told of the client that a proxy names with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(engine, [
        ...PROXIED,
        ...["--connection-environment=ucspi", "user=nobody", "argv=/bin/sh"],
        ...["-c", 'echo "$PROTO $TCPREMOTEIP $TCPREMOTEPORT"'],
      ]);
      for (const bytes of [encode(header()), binaryHeader()]) {
        using connection = await daemon.connect();
        await writeAll(connection, bytes);
        assertEquals(await finish(connection), "TCP 192.0.2.1 4711\n");
      }
      using local = await daemon.connect();
      const { port } = local.localAddr as Deno.NetAddr; // of the loopback
      await writeAll(local, encode("PROXY UNKNOWN\r\n"));
      assertEquals(await finish(local), `TCP 127.0.0.1 ${port}\n`);
    },
  );

  rootTest(
    `rules and limits are about the client that a proxy names with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const table = await folder.file(
        "table",
        "192.0.2.0/24 allow WHO=net\n127.0.0.1 allow WHO=proxy\n",
      );
      await using daemon = await startOnLoopback(engine, [
        ...PROXIED,
        ...["--clients", `cidr:${table}`, "--client-connection-count-limit=1"],
        ...["user=nobody", "argv=/bin/sh", "-c", 'echo "$WHO"; cat'],
      ]);
      using first = await daemon.connect();
      await writeAll(first, encode(header("192.0.2.1")));
      assertEquals(await readLine(first), "net\n");
      const answers = [];
      const others = [
        encode(header("192.0.2.1", 1)),
        encode(header("198.51.100.1")),
        binaryHeader(7),
        encode("PROXY UNKNOWN\r\n"),
      ];
      for (const bytes of others) {
        using connection = await daemon.connect();
        await writeAll(connection, bytes);
        await connection.closeWrite();
        answers.push(await rest(connection));
      }
      assertEquals(answers, ["", "", "net\n", "proxy\n"]);
      await becomes([
        "refused 192.0.2.1: more than 1 connections at once",
        "refused 198.51.100.1: not in spawnd_clients",
      ], () => refusals(daemon));
      await finish(first);
    },
  );

  rootTest(
    `whoever is no proxy, or sends no header, is closed, with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(engine, [
        ...PROXIED,
        ...["--proxy-timeout=1s", "user=nobody", "argv=/bin/cat"],
      ]);
      assertEquals(await answerTo("127.0.0.2", daemon.port), "");
      const bad = [
        "EHLO client\r\n",
        "PROXY TCP4 192.0.2.1\r\n",
        `PROXY UNKNOWN ${"x".repeat(200)}`,
        "",
      ];
      for (const text of bad) {
        using connection = await daemon.connect();
        await writeAll(connection, encode(text));
        if (text === "") await connection.closeWrite();
        assertEquals(await rest(connection), "");
      }
      // One that says nothing, and one that says too little.
      for (const text of ["", "PROXY TCP4"]) {
        using connection = await daemon.connect();
        await writeAll(connection, encode(text));
        assertEquals(await rest(connection), "");
      }
      assertEquals(peers(daemon), []);
      await becomes([
        "refused 127.0.0.2: no proxy, for it is not in spawnd_proxy_clients",
        "refused 127.0.0.1: no PROXY header",
      ], () => refusals(daemon));
    },
  );

  rootTest(
    `proxies that are slow to say something delay nobody with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(engine, [
        ...PROXIED,
        ...["--max-processes=1", "--proxy-timeout=1h"],
        ...["user=nobody", "argv=/bin/cat"],
      ]);
      const slow: Deno.Conn[] = [];
      // More than there are places for.
      for (let count = 0; count < 300; count++) {
        const connection = await daemon.connect();
        slow.push(connection);
        await writeAll(connection, encode("PROXY TCP4 192.0.2.1 "));
      }
      using connection = await daemon.connect();
      await writeAll(connection, encode(header("192.0.2.9")));
      assertEquals(await finish(connection, "served\n"), "served\n");
      // Those that have waited the longest had to go.
      const [first, last] = [slow[0], slow.at(-1)];
      if (first === undefined || last === undefined) throw new Error("none");
      assertEquals(await rest(first), "");
      await writeAll(last, encode("192.0.2.2 1 25\r\n"));
      assertEquals(await finish(last, "late\n"), "late\n");
      for (const each of slow) each.close();
    },
  );
}

rootTest(
  "proxied clients wait for their turn at the limit, and none is lost",
  async () => {
    await using daemon = await startOnLoopback("direct", [
      ...PROXIED,
      ...["--max-processes=2", "user=nobody", "argv=/bin/cat"],
    ]);
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        using connection = await daemon.connect();
        await writeAll(connection, binaryHeader(index));
        return await finish(connection, `client ${index}\n`);
      }),
    );
    assertEquals(answers, answers.map((_, index) => `client ${index}\n`));
    await becomes(60, () => new Set(peers(daemon)).size);
  },
);

rootTest(
  "a header that comes before and after a reload is one, and so is a client that waits",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const proxied = "-o spawnd_proxy_protocol=yes " +
      "-o spawnd_proxy_clients=127.0.0.1 user=nobody argv=/bin/cat";
    const directory = await writeConfiguration(folder, {
      master: [inet(address, proxied, 1)],
    });
    await using server = await Server.start(["-v", "-c", directory]);
    // The first image has what it was started with, too.
    await server.reload();
    const before = await descriptorsOf(server.pid);
    using first = await connectTo(address);
    await writeAll(first, encode(`${header("192.0.2.1")}first\n`));
    assertEquals(await readLine(first), "first\n");
    // Its turn does not come before the end of the first.
    using second = await connectTo(address);
    await writeAll(second, encode(`${header("192.0.2.2")}second\n`));
    using third = await connectTo(address);
    await writeAll(third, encode("PROXY TCP4 192.0.2.3"));
    await server.reload();
    await writeAll(third, encode(" 192.0.2.2 4711 25\r\nthird\n"));
    assertEquals(await finish(first), "");
    assertEquals(await readLine(second), "second\n");
    assertEquals(await finish(second), "");
    assertEquals(await finish(third), "third\n");
    await becomes(3, () => recordsOf(server.daemon, "disconnected").length);
    assertEquals(peers(server.daemon), [
      "192.0.2.1:4711",
      "192.0.2.2:4711",
      "192.0.2.3:4711",
    ]);
    // What the one image has handed on, the next one has closed.
    assertLessOrEqual(await descriptorsOf(server.pid), before);
  },
);

rootTest(
  "a stop waits for a proxy that was accepted, but not for long",
  async () => {
    for (const text of [header(), "PROXY TCP4 "]) {
      await using daemon = await startOnLoopback("direct", [
        ...PROXIED,
        ...["--proxy-timeout=1s", "user=nobody", "argv=/bin/cat"],
      ]);
      const before = await descriptorsOf(daemon.pid);
      using connection = await daemon.connect();
      await writeAll(connection, encode("P"));
      await becomes(
        before + 1,
        async () => (await holdingsOf(daemon.pid)).descriptors,
      );
      daemon.kill("SIGTERM");
      await daemon.event("stopping");
      await writeAll(connection, encode(text.slice(1)));
      const isWhole = text === header();
      if (isWhole) {
        assertEquals(await finish(connection, "end\n"), "end\n");
      } else assertEquals(await rest(connection), "");
      assertEquals((await daemon.ended()).code, 0);
    }
  },
);
