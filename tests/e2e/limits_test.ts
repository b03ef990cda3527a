import { assertEquals } from "@std/assert";
import { Daemon } from "./daemon.ts";
import { childrenOf, ENGINES, Folder, output, rootTest } from "./machine.ts";
import {
  becomes,
  Clients,
  finish,
  recordsOf,
  startOnLoopback,
} from "./load.ts";

const LIMIT = 10;
const CLIENT_COUNT = 200;

/** More than the default limit. */
const UNLIMITED_CLIENT_COUNT = 300;

/** Enters itself, says how many are entered, and is a cat until it leaves. */
const COUNTED = `
  my ($folder) = @ARGV;
  $| = 1;
  mkdir("$folder/$$") or die;
  opendir(my $entries, $folder) or die;
  print scalar(grep { !/^\\./ } readdir($entries)), "\\n";
  print while <STDIN>;
  rmdir("$folder/$$") or die;
`;

/** Connects until there is no room left, and says how often that went well. */
const FILLS_QUEUE = `
  my ($path) = @ARGV;
  my @connected;
  for (1 .. 1000) {
    socket(my $s, PF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0) or die $!;
    last unless connect($s, pack_sockaddr_un($path));
    push @connected, $s;
  }
  print scalar(@connected), " $!\\n";
`;

for (const engine of ENGINES) {
  rootTest(
    `200 clients are all served by 10 commands at once with ${engine}`,
    async () => {
      await using folder = await Folder.create(0o777);
      await using daemon = await startOnLoopback(
        engine,
        [
          "--max-processes",
          String(LIMIT),
          "user=nobody",
          "argv=/usr/bin/perl",
          "-e",
          COUNTED,
          folder.path,
        ],
      );
      using clients = await Clients.connect(daemon, CLIENT_COUNT);
      await daemon.event("process-limit");
      assertEquals((await childrenOf(daemon.pid)).length, LIMIT);
      // The last of the first ten to begin has counted all ten.
      await becomes(LIMIT, async () => (await folder.names()).length);
      const counts = await Promise.all(
        clients.all.map(async (client, index) => {
          const message = `client ${index}`;
          const answer = await finish(client, `${message}\n`);
          const [count, ...rest] = answer.split("\n");
          assertEquals(rest, [message, ""]);
          return Number(count);
        }),
      );
      assertEquals(Math.max(...counts), LIMIT);
      await becomes(
        CLIENT_COUNT,
        () => recordsOf(daemon, "disconnected").length,
      );
      assertEquals(
        recordsOf(daemon, "connected").map(({ fields }) => fields["peer"]),
        clients.addresses,
      );
      assertEquals(
        recordsOf(daemon, "process-limit").map(({ text }) => text),
        [
          'service 127.0.0.1:0 reached its process limit "10": ' +
          "new clients may experience noticeable delays",
        ],
      );
      assertEquals(
        daemon.entries.filter(({ level }) => level !== "info").length,
        1,
      );
    },
  );

  rootTest(
    `200 clients that come at once have 10 commands at the most with ${engine}`,
    async () => {
      await using folder = await Folder.create(0o777);
      await using daemon = await startOnLoopback(
        engine,
        [
          "--max-processes",
          String(LIMIT),
          "user=nobody",
          "argv=/usr/bin/perl",
          "-e",
          COUNTED,
          folder.path,
        ],
      );
      daemon.kill("SIGSTOP");
      using clients = await Clients.connect(daemon, CLIENT_COUNT);
      daemon.kill("SIGCONT");
      await becomes(LIMIT, async () => (await folder.names()).length);
      assertEquals((await childrenOf(daemon.pid)).length, LIMIT);
      const counts = await Promise.all(
        clients.all.map(async (client) => parseInt(await finish(client))),
      );
      assertEquals(Math.max(...counts), LIMIT);
    },
  );

  rootTest(
    `--max-processes 0 runs 300 commands at once with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(
        engine,
        ["--max-processes", "0", "user=nobody", "argv=/bin/cat"],
        { prefix: ["prlimit", "--nofile=4096"] },
      );
      using clients = await Clients.connect(daemon, UNLIMITED_CLIENT_COUNT);
      await becomes(
        UNLIMITED_CLIENT_COUNT,
        async () => (await childrenOf(daemon.pid)).length,
      );
      await Promise.all(clients.all.map(async (client, index) => {
        assertEquals(await finish(client, `${index}`), `${index}`);
      }));
      assertEquals(recordsOf(daemon, "process-limit"), []);
    },
  );

  rootTest(
    `--max-processes has the default of 100 with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(
        engine,
        ["user=nobody", "argv=/bin/cat"],
      );
      using clients = await Clients.connect(daemon, 101);
      await daemon.event("process-limit");
      assertEquals((await childrenOf(daemon.pid)).length, 100);
      for (const client of clients.all) {
        assertEquals(await finish(client, "bye"), "bye");
      }
    },
  );

  rootTest(
    `--backlog is how many connections may wait with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const path = `${folder.path}/socket`;
      await using daemon = await Daemon.start([
        "unix",
        path,
        "--engine",
        engine,
        "--max-processes",
        "1",
        "--backlog",
        "5",
        "user=nobody",
        "argv=/bin/cat",
      ]);
      using connection = await daemon.connect();
      await daemon.event("process-limit");
      const filled = await output(
        "/usr/bin/perl",
        "-MSocket=:all",
        "-e",
        FILLS_QUEUE,
        path,
      );
      // listen(2) has the kernel let one more wait than it was told.
      assertEquals(filled, "6 Resource temporarily unavailable\n");
      assertEquals(await finish(connection, "first"), "first");
    },
  );
}
