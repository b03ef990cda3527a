import { assert, assertEquals, assertLess } from "@std/assert";
import { readAll, writeAll } from "./daemon.ts";
import { childrenOf, ENGINES, Folder, proc, rootTest } from "./machine.ts";
import {
  ClientProcess,
  MIB,
  randomBytes,
  readBytes,
  rssAnonKiB,
  settled,
  sha256,
  startOnLoopback,
} from "./load.ts";

const TRANSFER_BYTES = 64 * MIB;

/** Clients, or commands, that do not read. */
const STUCK_COUNT = 4;

/** How much of it the daemon may keep, for all of them. */
const GROWTH_KIB_MAX = 32 * 1024;

/** How much of it the kernel may keep between two processes that do not read. */
const IN_KERNEL_BYTES_MAX = 24 * MIB;

/** Says "done", ends its output, and notes how much it still reads. */
const ENDS_OUTPUT_FIRST = `
  my ($note) = @ARGV;
  syswrite(STDOUT, "done\\n");
  # A socket is shut down for all its copies; a pipe has to be closed.
  shutdown(STDOUT, 1) or close(STDOUT) && close(STDERR);
  my $count = 0;
  while (my $read = sysread(STDIN, my $buffer, 65536)) { $count += $read }
  open(my $file, ">", $note) or exit 1;
  print $file $count;
`;

/** What a command that met the end of its client may be told of. */
const ENDS: readonly string[] = [
  "listening",
  "connected",
  "disconnected",
  "failed",
  "killed",
];

for (const engine of ENGINES) {
  rootTest(
    `64 MiB go out and come back whole at once with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(
        engine,
        ["user=nobody", "argv=/bin/cat"],
      );
      const bytes = randomBytes(TRANSFER_BYTES);
      using connection = await daemon.connect();
      const answer = readAll(connection);
      await writeAll(connection, bytes);
      await connection.closeWrite();
      assertEquals(await sha256(await answer), await sha256(bytes));
    },
  );

  rootTest(`a command receives 64 MiB whole with ${engine}`, async () => {
    await using daemon = await startOnLoopback(
      engine,
      ["user=nobody", "argv=/usr/bin/sha256sum"],
    );
    const bytes = randomBytes(TRANSFER_BYTES);
    assertEquals(await daemon.talk(bytes), `${await sha256(bytes)}  -\n`);
  });

  rootTest(`a client receives 64 MiB whole with ${engine}`, async () => {
    await using folder = await Folder.create();
    const path = `${folder.path}/bytes`;
    const bytes = randomBytes(TRANSFER_BYTES);
    await Deno.writeFile(path, bytes, { mode: 0o644 });
    await using daemon = await startOnLoopback(
      engine,
      ["user=nobody", "argv=/bin/cat", path],
    );
    using connection = await daemon.connect();
    assertEquals(await sha256(await readAll(connection)), await sha256(bytes));
  });

  rootTest(
    `a client that has ended its sending still reads all with ${engine}`,
    async () => {
      const script = "count=$(wc -c); head -c 4194304 /dev/zero; echo $count";
      await using daemon = await startOnLoopback(
        engine,
        ["user=nobody", "argv=/bin/sh", "-c", script],
      );
      using connection = await daemon.connect();
      await writeAll(connection, new Uint8Array(MIB));
      await connection.closeWrite();
      const answer = await readAll(connection);
      assertEquals(
        new TextDecoder().decode(answer.subarray(4 * MIB)),
        `${MIB}\n`,
      );
    },
  );

  rootTest(
    `a command that has ended its output still reads all with ${engine}`,
    async () => {
      await using folder = await Folder.create(0o777);
      const note = `${folder.path}/count`;
      await using daemon = await startOnLoopback(
        engine,
        [
          "user=nobody",
          "argv=/usr/bin/perl",
          "-MSocket",
          "-e",
          ENDS_OUTPUT_FIRST,
          note,
        ],
      );
      using connection = await daemon.connect();
      const answer = await readAll(connection);
      assertEquals(new TextDecoder().decode(answer), "done\n");
      await writeAll(connection, new Uint8Array(4 * MIB));
      await connection.closeWrite();
      await daemon.event("disconnected");
      assertEquals(await Deno.readTextFile(note), String(4 * MIB));
      assertEquals(daemon.entries.map(({ level }) => level), [
        "info",
        "info",
        "info",
      ]);
    },
  );

  for (const end of ["reset", "close"] as const) {
    for (const command of ["/bin/cat", "/usr/bin/yes"]) {
      rootTest(
        `${command} ends when its client vanishes by ${end} with ${engine}`,
        async () => {
          await using daemon = await startOnLoopback(
            engine,
            ["user=nobody", `argv=${command}`],
          );
          await using client = await ClientProcess.start(daemon.port, end);
          await client.kill();
          await daemon.event("disconnected");
          for (const { event, level, text } of daemon.entries) {
            assert(ENDS.includes(event), text);
            assert(level === "info" || level === "warning", text);
          }
          using next = await daemon.connect();
          await writeAll(next, new TextEncoder().encode("y\n"));
          assertEquals(await readBytes(next, 2), "y\n");
        },
      );
    }
  }

  rootTest(
    `clients that never read cost the daemon bounded memory with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(
        engine,
        [
          "user=nobody",
          "argv=/usr/bin/head",
          "-c",
          String(TRANSFER_BYTES),
          "/dev/zero",
        ],
      );
      const beforeKiB = await rssAnonKiB(daemon.pid);
      const clients: Deno.Conn[] = [];
      try {
        for (let count = 0; count < STUCK_COUNT; count++) {
          clients.push(await daemon.connect());
        }
        await daemon.event("connected", STUCK_COUNT);
        const commands = await childrenOf(daemon.pid);
        let mostKiB = beforeKiB;
        const written = await settled("what the commands wrote", async () => {
          mostKiB = Math.max(mostKiB, await rssAnonKiB(daemon.pid));
          return await writtenBy(commands);
        });
        assertEquals(commands.length, STUCK_COUNT);
        assertLess(mostKiB - beforeKiB, GROWTH_KIB_MAX);
        assertLess(written, STUCK_COUNT * IN_KERNEL_BYTES_MAX);
        // They were held up, and have lost nothing by it.
        for (const client of clients.slice(0, 1)) {
          assertEquals((await readAll(client)).length, TRANSFER_BYTES);
        }
      } finally {
        for (const client of clients) client.close();
      }
      await daemon.event("disconnected", STUCK_COUNT);
    },
  );

  rootTest(
    `commands that never read cost the daemon bounded memory with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(
        engine,
        ["user=nobody", "argv=/bin/sleep", "1000"],
      );
      const beforeKiB = await rssAnonKiB(daemon.pid);
      const clients: Deno.Conn[] = [];
      const writing: Promise<void>[] = [];
      let sent = 0;
      const send = async (client: Deno.Conn): Promise<void> => {
        const chunk = new Uint8Array(MIB);
        try {
          while (sent < STUCK_COUNT * TRANSFER_BYTES) {
            sent += await client.write(chunk);
          }
        } catch {
          // The command was ended below, which is how this ends.
        }
      };
      try {
        for (let count = 0; count < STUCK_COUNT; count++) {
          const client = await daemon.connect();
          clients.push(client);
          writing.push(send(client));
        }
        let mostKiB = beforeKiB;
        await settled("what the clients sent", async () => {
          mostKiB = Math.max(mostKiB, await rssAnonKiB(daemon.pid));
          return sent;
        });
        assertLess(mostKiB - beforeKiB, GROWTH_KIB_MAX);
        assertLess(sent, STUCK_COUNT * IN_KERNEL_BYTES_MAX);
        await daemon.event("connected", STUCK_COUNT);
        assertEquals((await childrenOf(daemon.pid)).length, STUCK_COUNT);
      } finally {
        // A write that is under way ends by the other side's end alone.
        daemon.kill("SIGINT");
        await Promise.all(writing);
        for (const client of clients) client.close();
      }
    },
  );
}

async function writtenBy(pids: readonly number[]): Promise<number> {
  let sum = 0;
  for (const pid of pids) {
    const text = await proc(`${pid}/io`);
    sum += Number(/^wchar: (\d+)$/m.exec(text)?.[1]);
  }
  return sum;
}
