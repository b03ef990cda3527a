import { assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { IS_FROM_SOURCE } from "./configuration.ts";
import { Daemon, programWords, readAll } from "./daemon.ts";
import { ENGINES, output, proc, rootTest, statusFields } from "./machine.ts";
import {
  becomes,
  type Engine,
  type Holdings,
  holdingsOf,
  recordsOf,
  rssAnonKiB,
  settled,
  startOnLoopback,
} from "./load.ts";

/** Clients at the same time. */
const CLIENT_COUNT = 8;

/** How much each engine is put to. */
interface Load {
  /** Connections until memory is about as large as it is going to be. */
  readonly early: number;
  /** Connections in all. */
  readonly all: number;
  /** How much own memory may come with those from `early` to `all`. */
  readonly growthKiBMax: number;
  /** Connections that are all to be found in the log. */
  readonly logged: number;
}

/** What the collector may leave lying about until it has been all round. */
const COLLECTED_LATE_KIB = 16 * 1024;

const LOADS: Readonly<Record<Engine, Load>> = {
  direct: {
    early: 2000,
    all: 10_000,
    // A newer runtime's collector goes all round less often.
    growthKiBMax: IS_FROM_SOURCE ? COLLECTED_LATE_KIB : 2048,
    logged: 2000,
  },
  // The bytes go through its memory, and the collector takes its time.
  relay: {
    early: 1000,
    all: 2000,
    growthKiBMax: COLLECTED_LATE_KIB,
    logged: 400,
  },
};

/** Connects again and again. A process of its own leaves the log's reader free. */
const CONNECTS = `
  my ($port, $count) = @ARGV;
  for (1 .. $count) {
    socket(my $s, PF_INET, SOCK_STREAM, 0) or die $!;
    connect($s, pack_sockaddr_in($port, INADDR_LOOPBACK)) or die $!;
    1 while sysread($s, my $nothing, 1);
  }
`;

/**
 * Reads the daemon's standard error as a log collector does, as it comes, and
 * hands it on as the test gets round to reading it. Before others: that it is
 * read is what the test takes for granted.
 */
const COLLECTS = `
  my ($lines, $open) = ("", 1);
  while ($open || length $lines) {
    my ($readable, $writable) = ("", "");
    vec($readable, 0, 1) = 1 if $open;
    vec($writable, 2, 1) = 1 if length $lines;
    select($readable, $writable, undef, undef);
    if (vec($readable, 0, 1)) {
      $open = sysread(STDIN, $lines, 65536, length $lines);
    }
    if (vec($writable, 2, 1)) {
      substr($lines, 0, syswrite(STDERR, $lines, 4096)) = "";
    }
  }
`;

/** Runs the words after it in this process, with their log collected. */
const COLLECTED = [
  "/bin/bash",
  "-c",
  `collector=$1; shift; exec "$@" 2> >(exec nice -n -10 /usr/bin/perl -e "$collector")`,
  "collected",
  COLLECTS,
];

for (const engine of ENGINES) {
  const { early, all, growthKiBMax, logged } = LOADS[engine];
  rootTest(
    `${all} connections leave nothing behind with ${engine}`,
    async () => {
      await using daemon = await Daemon.start([
        "inet",
        "127.0.0.1:0",
        "--engine",
        engine,
        "user=nobody",
        "argv=/bin/true",
      ]);
      const { pid } = daemon;
      await settled("threads", async () => (await holdingsOf(pid)).threads);
      const before = await holdingsOf(pid);
      // The runtime ends threads that it has had no use for for a while.
      const noMore = async (): Promise<Holdings> => {
        const { threads, ...others } = await holdingsOf(pid);
        return { ...others, threads: Math.max(threads, before.threads) };
      };
      await connectMany(daemon, early);
      await becomes(before, noMore);
      const earlyKiB = await rssAnonKiB(pid);
      await connectMany(daemon, all - early);
      await becomes(before, noMore);
      assertLessOrEqual(await rssAnonKiB(pid) - earlyKiB, growthKiBMax);
      // Nothing was to be told, and what is to be told comes through at once.
      daemon.kill("SIGHUP");
      await daemon.event("hangup");
      assertEquals(
        daemon.entries.map(({ event }) => event),
        ["listening", "hangup"],
      );
    },
  );

  rootTest(
    `a log that is read loses no connection under load with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(
        engine,
        ["user=nobody", "argv=/bin/true"],
        { prefix: COLLECTED },
      );
      const count = logged / CLIENT_COUNT;
      const clients = Array.from(
        { length: CLIENT_COUNT },
        () =>
          output(
            "/usr/bin/perl",
            "-MSocket",
            "-e",
            CONNECTS,
            String(daemon.port),
            String(count),
          ),
      );
      await Promise.all(clients);
      daemon.kill("SIGTERM");
      assertEquals((await daemon.ended()).code, 0);
      assertEquals(recordsOf(daemon, "log-dropped"), []);
      assertEquals(recordsOf(daemon, "connected").length, logged);
      assertEquals(recordsOf(daemon, "disconnected").length, logged);
    },
  );
}

/** Has a few clients connect, one after the other, until it has been `count` times. */
async function connectMany(daemon: Daemon, count: number): Promise<void> {
  let left = count;
  const connect = async (): Promise<void> => {
    while (left-- > 0) {
      using connection = await daemon.connect();
      assertEquals((await readAll(connection)).length, 0);
    }
  };
  await Promise.all(Array.from({ length: CLIENT_COUNT }, connect));
}

rootTest(
  "the end of a command wakes no idle thread of the daemon",
  async () => {
    await using daemon = await startOnLoopback(
      "direct",
      ["user=nobody", "argv=/bin/cat"],
    );
    assertEquals(await daemon.talk("served"), "served");
    await daemon.event("disconnected");
    const SIGCHLD = 1n << 16n;
    const all = (await output("ls", `/proc/${daemon.pid}/task`)).trim()
      .split("\n");
    assertGreater(all.length, 1);
    // Where the sources run, others are there before the program is.
    const isBinary = programWords().length === 1;
    const threads = isBinary ? all : [`${daemon.pid}`];
    for (const thread of threads) {
      const fields = statusFields(
        await proc(`${daemon.pid}/task/${thread}/status`),
      );
      const blocked = BigInt(`0x${fields.get("SigBlk")}`);
      assertEquals(blocked & SIGCHLD, SIGCHLD, fields.get("Name"));
    }
  },
);
