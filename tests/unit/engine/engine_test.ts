import { assert, assertEquals } from "@std/assert";
import type { WaitStatus } from "../../../lib/engine/wait_status.ts";
import { readAll } from "../../e2e/daemon.ts";
import { ENGINES, isAlive, until } from "../../e2e/machine.ts";
import { ALLOW_LIBC, Fixture } from "../fixture.ts";

/** What fixtures/engine.ts prints. */
interface EngineEvent {
  readonly event: string;
  readonly address?: string;
  readonly pid?: number;
  readonly peer?: string;
  /** How many connections were accepted before. */
  readonly place?: number;
  readonly status?: WaitStatus;
  readonly reason?: string;
}

/** An engine in a process of its own. Ends with the scope: `await using`. */
class ServingEngine extends Fixture {
  port = 0;

  static async start(
    engine: string,
    ...argv: string[]
  ): Promise<ServingEngine> {
    const serving = new ServingEngine("engine.ts", {
      args: [engine, ...argv],
      allow: [...ALLOW_LIBC, "--allow-net", "--allow-run"],
    });
    const { address } = await serving.entry<EngineEvent>();
    serving.port = Number(address?.split(":")[1]);
    return serving;
  }

  async connect(): Promise<Deno.TcpConn> {
    return await Deno.connect({ hostname: "127.0.0.1", port: this.port });
  }

  /** The next event, which must have that name. */
  async event(name: string): Promise<EngineEvent> {
    const entry = await this.entry<EngineEvent>();
    assertEquals(entry.event, name, JSON.stringify(entry));
    return entry;
  }
}

/** Clients that nobody has accepted yet. Go with the scope: `using`. */
class Waiting implements Disposable {
  private constructor(readonly all: readonly Deno.TcpConn[]) {}

  /** Connects one after the other. */
  static async connect(
    serving: ServingEngine,
    count: number,
  ): Promise<Waiting> {
    const all: Deno.TcpConn[] = [];
    while (all.length < count) all.push(await serving.connect());
    return new Waiting(all);
  }

  /** Has each say something of its own to its cat. */
  async talk(): Promise<void> {
    await Promise.all(this.all.map(async (client, index) => {
      await client.write(new TextEncoder().encode(`client ${index}`));
      await client.closeWrite();
      assertEquals(await textFrom(client), `client ${index}`);
    }));
  }

  [Symbol.dispose](): void {
    for (const client of this.all) client.close();
  }
}

async function textFrom(connection: Deno.Conn): Promise<string> {
  return new TextDecoder().decode(await readAll(connection));
}

for (const engine of ENGINES) {
  Deno.test(`the ${engine} engine runs a command for a connection and tells how it ended`, async () => {
    await using serving = await ServingEngine.start(
      engine,
      "sh",
      "-c",
      'read line; echo "$GREETING, $line"; exit 3',
    );
    await serving.tell("accept");
    using connection = await serving.connect();
    const { port } = connection.localAddr as Deno.NetAddr;
    const { pid, peer } = await serving.event("started");
    assertEquals(peer, `127.0.0.1:${port}`);
    await connection.write(new TextEncoder().encode("client\n"));
    assertEquals(await textFrom(connection), "hello world, client\n");
    const ended = await serving.event("ended");
    assertEquals(ended.pid, pid);
    assertEquals(ended.status, { kind: "exited", code: 3 });
  });

  Deno.test(`the ${engine} engine leaves clients in the queue while it is not to accept`, async () => {
    await using serving = await ServingEngine.start(engine, "cat");
    using first = await serving.connect();
    await serving.tell("ping");
    await serving.event("pong");

    await serving.tell("accept");
    await serving.event("started");
    await first.closeWrite();
    assertEquals(await textFrom(first), "");
    await serving.event("ended");

    await serving.tell("refuse");
    await serving.tell("ping");
    await serving.event("pong");
    using second = await serving.connect();
    await second.closeWrite();
    await serving.tell("ping");
    await serving.event("pong");
    await serving.tell("accept");
    await serving.event("started");
    assertEquals(await textFrom(second), "");
    await serving.event("ended");
  });

  Deno.test(`the ${engine} engine runs a command for each of many that have waited`, async () => {
    await using serving = await ServingEngine.start(engine, "cat");
    using clients = await Waiting.connect(serving, 20);
    await serving.tell("accept");
    const started: EngineEvent[] = [];
    while (started.length < clients.all.length) {
      started.push(await serving.event("started"));
    }
    // Accepted in their order; who runs first is the kernel's to say.
    started.sort(({ place: one = 0 }, { place: other = 0 }) => one - other);
    assertEquals(
      started.map(({ peer }) => peer),
      clients.all.map(({ localAddr: { port } }) => `127.0.0.1:${port}`),
    );
    assertEquals(
      new Set(started.map(({ pid }) => pid)).size,
      clients.all.length,
    );
    await clients.talk();
  });

  Deno.test(`the ${engine} engine starts no more commands than there is room for`, async () => {
    await using serving = await ServingEngine.start(engine, "cat");
    using clients = await Waiting.connect(serving, 10);
    await serving.tell("accept 3");
    for (let count = 0; count < 3; count++) await serving.event("started");
    await serving.tell("ping");
    await serving.event("pong");
    for (const [index, client] of clients.all.entries()) {
      await client.closeWrite();
      assertEquals(await textFrom(client), "");
      await serving.event("ended");
      if (index + 3 < clients.all.length) await serving.event("started");
    }
  });

  Deno.test(`the ${engine} engine signals a command's whole group`, async () => {
    await using serving = await ServingEngine.start(
      engine,
      "sh",
      "-c",
      "sleep 60 & echo $!; wait",
    );
    await serving.tell("accept");
    using connection = await serving.connect();
    await serving.event("started");
    const buffer = new Uint8Array(32);
    const count = await connection.read(buffer) ?? 0;
    const grandchild = Number(
      new TextDecoder().decode(buffer.subarray(0, count)),
    );
    assert(await isAlive(grandchild));
    await serving.tell("kill 9");
    const { status } = await serving.event("ended");
    assertEquals(status, { kind: "signaled", signal: 9 });
    await until("the group is gone", async () => !await isAlive(grandchild));
  });

  Deno.test(`the ${engine} engine closes the connection of a command that cannot be started`, async () => {
    await using serving = await ServingEngine.start(engine, "/no/such/command");
    await serving.tell("accept");
    using connection = await serving.connect();
    const { reason } = await serving.event("notStarted");
    assert(reason?.includes("No such file or directory"), reason);
    assertEquals(await textFrom(connection), "");
  });

  Deno.test(`the ${engine} engine stops listening and lets a command finish`, async () => {
    await using serving = await ServingEngine.start(engine, "cat");
    await serving.tell("accept");
    using connection = await serving.connect();
    await serving.event("started");
    await serving.tell("close");
    await serving.tell("ping");
    await serving.event("pong");
    await until("nobody listens", async () => {
      try {
        (await serving.connect()).close();
        return false;
      } catch (error) {
        return error instanceof Deno.errors.ConnectionRefused;
      }
    });
    await connection.write(new TextEncoder().encode("still there\n"));
    await connection.closeWrite();
    assertEquals(await textFrom(connection), "still there\n");
    await serving.event("ended");
    await serving.tell("stop");
    await serving.event("stopped");
    assertEquals((await serving.ended()).code, 0);
  });
}
