/**
 * Services whose command is given the listening socket itself, as inetd's wait
 * services are.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  freeAddresses,
  inet,
  Server,
  talkTo,
  writeConfiguration,
} from "./configuration.ts";
import { Daemon } from "./daemon.ts";
import { becomes, peerTest } from "./load.ts";
import {
  childrenOf,
  Folder,
  isAlive,
  output,
  rootTest,
  until,
} from "./machine.ts";

/** Takes so many connections of the socket on standard input, then ends. */
function accepting(count: number): string {
  return `argv=/usr/bin/perl -e {for (1..${count}) { accept(my $c, STDIN) ` +
    `or die; print $c "$$ ", -S STDOUT ? "socket" : "", "\\n"; close $c }}`;
}

rootTest(
  "a command takes connections itself, one command at a time",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const directory = await writeConfiguration(folder, {
      master: [
        inet(address, `-o spawnd_wait=yes user=nobody ${accepting(3)}`),
      ],
    });
    await using server = await Server.start(["-c", directory]);
    const answers: string[] = [];
    for (let count = 0; count < 6; count++) answers.push(await talkTo(address));
    const pids = answers.map((answer) => answer.replace(" socket\n", ""));
    assertEquals(new Set(pids.slice(0, 3)).size, 1, answers.join());
    assertEquals(new Set(pids.slice(3)).size, 1, answers.join());
    assert(pids[0] !== pids[3]);
    await becomes([], () => childrenOf(server.pid));
  },
);

rootTest(
  "a command that waits stays through a reload, and no second one is started",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const line = inet(
      address,
      `-o spawnd_wait=yes user=nobody ${accepting(9)}`,
    );
    const directory = await writeConfiguration(folder, { master: [line] });
    await using server = await Server.start(["-c", directory]);
    const before = await talkTo(address);
    await server.reload();
    assertEquals(await talkTo(address), before);
    assertEquals((await childrenOf(server.pid)).length, 1);
    // Its socket may be held by whatever it has left behind.
    await writeConfiguration(folder, { master: [inet(address)] });
    await server.reloadInVain();
    const [why] = server.daemon.entries.filter(({ event }) =>
      event === "refused"
    );
    assertMatch(why?.text ?? "", /cannot take .* back: commands were given it/);
    assertEquals(await talkTo(address), before);
  },
);

rootTest(
  "a command that takes nothing is started again and again, but not without end",
  async () => {
    await using daemon = await Daemon.start([
      ...["inet", "127.0.0.1:0", "--wait", "--verbose"],
      ...["user=nobody", "argv=/bin/true"],
    ]);
    using _client = await daemon.connect();
    const { text } = await daemon.event("restarts");
    assertMatch(text, /was started 20 times in 2 seconds: what comes waits/);
    const starts = daemon.entries.filter(({ event }) => event === "connected");
    assert(starts.length <= 20, `${starts.length}`);
  },
);

rootTest("a stop ends a command that would wait for ever", async () => {
  await using daemon = await Daemon.start([
    ...["inet", "127.0.0.1:0", "--wait", "user=nobody"],
    ...["argv=/bin/sleep", "600"],
  ]);
  using _client = await daemon.connect();
  await until(
    "it runs",
    async () => (await childrenOf(daemon.pid)).length === 1,
  );
  const [pid = 0] = await childrenOf(daemon.pid);
  daemon.kill("SIGTERM");
  assertEquals((await daemon.ended()).code, 0);
  assertEquals(await isAlive(pid), false);
});

const TFTPD = "/usr/sbin/atftpd";

peerTest(
  "a real TFTP server of inetd's takes its datagrams, also through a reload",
  TFTPD,
  async () => {
    await using folder = await Folder.create();
    await Deno.mkdir(folder.join("files"));
    await Deno.chmod(folder.join("files"), 0o755);
    const text = "line\n".repeat(5000);
    await folder.file("files/file", text);
    const [address = ""] = freeAddresses(1);
    const [host = "", port = ""] = address.split(":");
    const options = `--user nobody.nogroup --tftpd-timeout 60 --logfile - ` +
      folder.join("files");
    const directory = await writeConfiguration(folder, {
      master: [
        `${address} udp n n n - - spawn -o spawnd_standard_error=null ` +
        `user=nobody argv=${TFTPD} ${options}`,
      ],
    });
    await using server = await Server.start(["-c", directory]);
    const get = async (name: string): Promise<string> => {
      const target = folder.join(name);
      await output(
        ...["timeout", "20", "tftp", "-m", "binary", host, port],
        ...["-c", "get", "file", target],
      );
      return await Deno.readTextFile(target);
    };
    assertEquals(await get("first"), text);
    const [pid = 0] = await childrenOf(server.pid);
    await server.reload();
    assertEquals(await get("second"), text);
    assertEquals(await childrenOf(server.pid), [pid]);
    // One that is gone is started again by the next datagram.
    Deno.kill(pid, "SIGKILL");
    await until("it is gone", async () => !await isAlive(pid));
    assertEquals(await get("third"), text);
  },
);
