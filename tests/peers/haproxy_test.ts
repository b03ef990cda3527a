/**
 * Behind a real HAProxy, which tells of its clients in either version of the
 * PROXY protocol, and looks after two daemons of which one is killed.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { freePort } from "../e2e/configuration.ts";
import { Daemon } from "../e2e/daemon.ts";
import { becomes, peerTest, recordsOf } from "../e2e/load.ts";
import { childrenOf, Folder, isAlive, until } from "../e2e/machine.ts";
import { closedLoop } from "../e2e/reloading.ts";
import { answerTo } from "../e2e/sources.ts";

const HAPROXY = "/usr/sbin/haproxy";

/** How many clients come at once. */
const CLIENT_COUNT = 4;

/** As many conversations go well before and after one daemon is killed. */
const CONVERSATIONS = 100;

/** What the servers of a backend are told. */
const SENDS = {
  "version 1": "send-proxy",
  "version 2": "send-proxy-v2",
  "version 2 with a checksum": "send-proxy-v2 proxy-v2-options crc32c",
} as const;

/** HAProxy in front of servers. Ends with the scope: `await using`. */
class Haproxy implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess, readonly port: number) {
    this.#child = child;
  }

  /** Starts it, and waits until it listens. */
  static async start(
    folder: Folder,
    servers: readonly string[],
  ): Promise<Haproxy> {
    const port = freePort();
    const file = await folder.file(
      "haproxy.cfg",
      `defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  retries 3
  option redispatch
listen spawnd
  bind 127.0.0.1:${port}
  balance roundrobin
${servers.map((server, index) => `  server s${index} ${server}\n`).join("")}`,
    );
    const child = new Deno.Command(HAPROXY, {
      args: ["-db", "-f", file],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const haproxy = new Haproxy(child, port);
    await until("HAProxy listens", async () => {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        return true;
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
        return false;
      }
    });
    return haproxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.status;
  }
}

/** A daemon that takes a proxy's word. */
async function startProxied(...words: string[]): Promise<Daemon> {
  return await Daemon.start([
    ...["inet", "127.0.0.1:0", "-v", "--proxy-protocol"],
    ...["--proxy-clients=127.0.0.1", ...words],
  ]);
}

/** Where clients came from, but for the one that has looked for HAProxy. */
function peers(daemon: Daemon): string[] {
  return recordsOf(daemon, "connected")
    .map(({ fields }) => String(fields["peer"]).replace(/:\d+$/, ""))
    .filter((host) => host !== "127.0.0.1");
}

for (const [version, send] of Object.entries(SENDS)) {
  peerTest(
    `clients are who HAProxy says they are, in ${version}`,
    HAPROXY,
    async () => {
      await using folder = await Folder.create();
      await using daemon = await startProxied(
        ...["--clients", "127.0.0.0/29", "user=nobody", "argv=/bin/echo"],
        "here",
      );
      await using haproxy = await Haproxy.start(folder, [
        `127.0.0.1:${daemon.port} ${send}`,
      ]);
      assertEquals(await answerTo("127.0.0.5", haproxy.port), "here\n");
      assertEquals(await answerTo("127.0.0.6", haproxy.port), "here\n");
      assertEquals(await answerTo("127.0.0.9", haproxy.port), "");
      await becomes(["127.0.0.5", "127.0.0.6"], () => peers(daemon));
      await becomes(
        ["refused 127.0.0.9: not in spawnd_clients"],
        () => recordsOf(daemon, "client-refused").map(({ text }) => text),
      );
    },
  );
}

peerTest(
  "of two daemons behind HAProxy one is killed, and no connection that the other has accepted fails",
  HAPROXY,
  async () => {
    await using folder = await Folder.create();
    const words = ["--max-processes=50", "user=nobody", "argv=/bin/cat"];
    await using living = await startProxied(...words);
    await using killed = await startProxied(...words);
    const commandsBefore = new Set<number>();
    await using haproxy = await Haproxy.start(
      folder,
      [living, killed].map(({ port }) => `127.0.0.1:${port} send-proxy-v2`),
    );
    const stop = folder.join("stop");
    const loops = Array.from(
      { length: CLIENT_COUNT },
      () => closedLoop(`127.0.0.1:${haproxy.port}`, stop),
    );
    const served = (): number => recordsOf(living, "disconnected").length;
    await until("both are busy", () =>
      served() >= CONVERSATIONS &&
      recordsOf(killed, "disconnected").length >= CONVERSATIONS);
    for (const pid of await childrenOf(killed.pid)) commandsBefore.add(pid);
    killed.kill("SIGKILL");
    await killed.ended();
    const then = served();
    await until("the other goes on", () => served() >= then + CONVERSATIONS);
    await Deno.writeTextFile(stop, "");
    const figures = await Promise.all(loops);
    const lost = figures.reduce((sum, { lost, cut }) => sum + lost + cut, 0);
    // One for each client at the most: what the killed one had accepted.
    assert(lost <= CLIENT_COUNT, JSON.stringify(figures));
    const whole = figures.reduce((sum, { whole }) => sum + whole, 0);
    assert(whole >= 2 * CONVERSATIONS, JSON.stringify(figures));
    // All that the living one has accepted went well, to the last.
    await becomes(
      recordsOf(living, "connected").length,
      served,
    );
    assertEquals(recordsOf(living, "client-refused"), []);
    assertEquals(
      recordsOf(living, "disconnected")
        .filter(({ fields }) => fields["code"] !== 0),
      [],
    );
    for (const pid of commandsBefore) {
      await until("its commands have ended", async () => !await isAlive(pid));
    }
  },
);
