import { assertEquals, assertMatch } from "@std/assert";
import {
  freeAddress,
  inet,
  isRefused,
  queueOf,
  talkTo,
  unix,
  writeConfiguration,
} from "../e2e/configuration.ts";
import { programWords, runToEnd } from "../e2e/daemon.ts";
import { peerTest } from "../e2e/load.ts";
import { Folder, until } from "../e2e/machine.ts";
import { statusOf } from "../e2e/status.ts";

const ACTIVATE = "/usr/bin/systemd-socket-activate";

/** systemd's tool, which listens and starts a program for the first client. */
class Activation implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  static async start(
    words: readonly string[],
    addresses: readonly string[],
  ): Promise<Activation> {
    const listen = addresses.map((address) => `--listen=${address}`);
    const child = new Deno.Command(ACTIVATE, {
      args: [...listen, ...words],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    // A client would have the program started.
    await until("it listens", async () => {
      const { stdout } = await new Deno.Command("ss", {
        args: ["-Hlnxtp"],
      }).output();
      const text = new TextDecoder().decode(stdout);
      return addresses.every((address) =>
        text.split("\n").some((line) =>
          line.includes(` ${address} `) && line.includes(`pid=${child.pid},`)
        )
      );
    });
    return new Activation(child);
  }

  get pid(): number {
    return this.#child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGINT");
    await this.#child.status;
  }
}

peerTest(
  "sockets of the service manager go to their services, by name or address, also after a reload",
  ACTIVATE,
  async () => {
    await using folder = await Folder.create();
    const address = freeAddress();
    const path = folder.join("policy.sock");
    const directory = await writeConfiguration(folder, {
      master: [inet(address), unix("policy"), unix("own")],
    });
    await using daemon = await Activation.start([
      "--fdname=other:policy",
      ...[...programWords(), "serve", "-c", directory],
    ], [address, path]);
    // It waits for the program that it has started.
    assertEquals(await talkTo(address, "first"), "first");
    assertEquals(await talkTo(path, "second"), "second");
    const own = `${queueOf(folder)}/private/own`;
    assertEquals(await talkTo(own, "third"), "third");
    // It listens nowhere else.
    assertEquals(await isRefused(`${queueOf(folder)}/private/policy`), true);
    const addresses = async () =>
      (await statusOf(directory)).services.map(({ addresses }) => addresses);
    assertEquals(await addresses(), [[address], [path], [own]]);
    const before = await statusOf(directory);
    assertEquals(before.pid, daemon.pid);
    Deno.kill(daemon.pid, "SIGHUP");
    assertEquals(await talkTo(path, "fourth"), "fourth");
    await until("it has reloaded", async () => {
      const { services } = await statusOf(directory);
      return services.every(({ service, connections }) =>
        service === "own" || connections >= 1
      );
    });
    assertEquals(await addresses(), [[address], [path], [own]]);
    assertEquals(await talkTo(address, "fifth"), "fifth");
  },
);

peerTest("a socket that is of no service is a mistake", ACTIVATE, async () => {
  await using folder = await Folder.create();
  const directory = await writeConfiguration(folder, {
    master: [inet(freeAddress())],
  });
  const address = freeAddress();
  const log = folder.join("log");
  const words = [...programWords(), "serve", "-c", directory];
  const child = new Deno.Command(ACTIVATE, {
    args: [
      `--listen=${address}`,
      ...["sh", "-c", 'exec "$@" 2>"$0"', log, ...words],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until("a client is there", async () => !await isRefused(address));
  assertEquals((await child.status).code, 78);
  assertMatch(
    await Deno.readTextFile(log),
    new RegExp(`descriptor 3 of the service manager, ${address}.* is no ser`),
  );
});

peerTest("what is for another process is left alone", ACTIVATE, async () => {
  const { code, stderr } = await runToEnd([
    "run",
    "inet",
    "127.0.0.1:x",
    ...["user=nobody", "argv=/bin/cat"],
  ], { env: { LISTEN_FDS: "1", LISTEN_PID: "1" } });
  assertEquals(code, 64, stderr);
});

peerTest(
  "run stdin serves a connection of Accept=yes, and the client sees nothing of the log",
  ACTIVATE,
  async () => {
    const address = freeAddress();
    const run = [...programWords(), "run", "stdin", "--log-connections"];
    await using _daemon = await Activation.start([
      "--accept",
      "--inetd",
      ...["--setenv=PATH", "--setenv=HOME", "--setenv=DENO_DIR"],
      ...["sh", "-c", 'exec "$@" 2>&0', "sh", ...run],
      ...["user=nobody", "argv=/bin/cat"],
    ], [address]);
    for (const text of ["one", "two"]) {
      assertEquals(await talkTo(address, text), text);
    }
  },
);

peerTest("run stdin refuses what is no connection", ACTIVATE, async () => {
  const words = ["user=nobody", "argv=/bin/cat"];
  const { code, stderr } = await runToEnd(["run", "stdin", ...words]);
  assertEquals(code, 64);
  assertMatch(stderr, /standard input is no connection/);
});
