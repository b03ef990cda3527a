import { assertEquals, assertLess } from "@std/assert";
import { Daemon } from "./daemon.ts";
import {
  childrenOf,
  Folder,
  output,
  proc,
  statusFields,
  until,
} from "./machine.ts";
import { becomes, readLine, recordsOf } from "./load.ts";
import { connectTo } from "./configuration.ts";
import { attackTest, compile } from "./hostile/attacker.ts";
import { within } from "./hostile/patience.ts";
import { Scene } from "./hostile/scene.ts";
import { processorShare, signalIfThere, stateOf } from "./hostile/victims.ts";

/** The part of a processor that a daemon may take while it only waits. */
const IDLE_SHARE_MAX = 0.2;

/** Longer than processor time is measured, so that the limit comes after. */
const TIME_LIMIT_SECONDS = 4;

/** Within what two SIGTERMs end a daemon: commands are given five seconds. */
const END_MS = 15_000;

const ORPHAN_COUNT = 10;

/** Leaves a process without a parent behind, and ends as no other command. */
const LEAVES_ORPHAN = "{ sleep 60 & } <&- >&- 2>&-; exit 7";

attackTest(
  "a command that its own helper traces costs no processor and makes room",
  async () => {
    await using scene = await Scene.create({
      main: [`command_time_limit = ${TIME_LIMIT_SECONDS}`],
      maxProcesses: 1,
      argv: async (folder) => [await compile(folder, "traced_leader")],
    });
    const { daemon, attacked } = scene;
    using first = await connectTo(attacked);
    assertEquals(await within("the first", readLine(first)), "traced\n");
    const [zombie = 0] = await childrenOf(daemon.pid);
    await until("it is a zombie", async () => await stateOf(zombie) === "Z");
    const share = await processorShare(daemon.pid);
    console.log(`${(100 * share).toFixed(1)} % of a processor`);
    assertLess(share, IDLE_SHARE_MAX);
    using next = await connectTo(attacked);
    assertEquals(
      await within("the next", readLine(next), 3 * 1000 * TIME_LIMIT_SECONDS),
      "traced\n",
    );
    // Or zombies would take all descriptors, which other services need.
    assertEquals(await pidfdCount(daemon.pid), 1);
    assertLess(await processorShare(daemon.pid), IDLE_SHARE_MAX);
    daemon.kill("SIGTERM");
    await within("the first SIGTERM", daemon.event("stopping"));
    daemon.kill("SIGTERM");
    const { code } = await within("its end", daemon.ended(), END_MS);
    assertEquals(code, 0);
  },
);

attackTest(
  "a command that was given up is collected after a reload, too",
  async () => {
    await using scene = await Scene.create({
      main: ["command_time_limit = 1s"],
      maxProcesses: 1,
      argv: async (folder) => [await compile(folder, "traced_leader")],
    });
    const { daemon, attacked } = scene;
    using first = await connectTo(attacked);
    assertEquals(await within("the first", readLine(first)), "traced\n");
    const [zombie = 0] = await childrenOf(daemon.pid);
    const { TracerPid: tracer } = Object.fromEntries(
      statusFields(await proc(`${zombie}/status`)),
    );
    using next = await connectTo(attacked);
    assertEquals(await within("the next", readLine(next)), "traced\n");
    daemon.kill("SIGHUP");
    await within("the reload", daemon.event("reloaded"));
    signalIfThere(Number(tracer), "SIGKILL");
    await until(
      "it is collected",
      async () => !(await childrenOf(daemon.pid)).includes(zombie),
    );
  },
);

/** How many commands a daemon has descriptors for. */
async function pidfdCount(pid: number): Promise<number> {
  const links = await output("ls", "-l", `/proc/${pid}/fd`);
  return links.split("\n").filter((link) => link.includes("pidfd")).length;
}

attackTest(
  "a command that its own helper holds at its exit does not keep a daemon",
  async () => {
    await using scene = await Scene.create({
      argv: async (folder) => [await compile(folder, "held_at_exit")],
    });
    const { daemon, attacked } = scene;
    using client = await connectTo(attacked);
    assertEquals(await within("it is held", readLine(client)), "held\n");
    const [held = 0] = await childrenOf(daemon.pid);
    daemon.kill("SIGINT");
    const { level, service, fields } = await within(
      "it is left",
      daemon.event("left"),
    );
    assertEquals({ level, service }, { level: "warning", service: attacked });
    assertEquals(fields["pids"], [held]);
    const { code } = await within("its end", daemon.ended());
    assertEquals(code, 0);
  },
);

attackTest("a daemon as PID 1 collects orphans", async () => {
  await using daemon = await Daemon.start(orphanMaker(), {
    prefix: ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"],
  });
  const [first = 0] = await childrenOf(daemon.pid);
  try {
    await assertCollectsOrphans(daemon, first);
  } finally {
    // unshare(1) waits for it, whatever it is sent itself.
    signalIfThere(first, "SIGINT");
    await within("its end", daemon.ended(), END_MS);
  }
});

attackTest("a daemon that is a subreaper collects orphans", async () => {
  await using folder = await Folder.create();
  await using daemon = await Daemon.start(orphanMaker(), {
    prefix: [await compile(folder, "subreaper")],
  });
  await assertCollectsOrphans(daemon, daemon.pid);
});

/** The words of a service each of whose commands leaves an orphan behind. */
function orphanMaker(): string[] {
  return [
    "inet",
    "127.0.0.1:0",
    "user=nobody",
    "argv=/bin/sh",
    "-c",
    LEAVES_ORPHAN,
  ];
}

/**
 * Has commands leave orphans behind, which become the daemon's and are then
 * ended, while the ends of the commands themselves go on being told.
 *
 * @param pid The daemon's process id out here.
 */
async function assertCollectsOrphans(
  daemon: Daemon,
  pid: number,
): Promise<void> {
  for (let count = 1; count <= ORPHAN_COUNT; count++) {
    assertEquals(await within("an answer", daemon.talk()), "");
  }
  await within("all commands' ends", daemon.event("failed", ORPHAN_COUNT));
  await becomes(ORPHAN_COUNT, async () => (await orphansOf(pid)).length);
  const orphans = await orphansOf(pid);
  await output("kill", "-KILL", ...orphans.map(String));
  await becomes([], () => childrenOf(pid));
  assertEquals(await within("an answer", daemon.talk()), "");
  await within("its command's end", daemon.event("failed", ORPHAN_COUNT + 1));
  assertEquals(
    new Set(recordsOf(daemon, "failed").map(({ text }) => text)),
    new Set(["command /bin/sh exit status 7"]),
  );
  for (const orphan of await orphansOf(pid)) signalIfThere(orphan, "SIGKILL");
  await becomes([], () => childrenOf(pid));
}

/** The children of a daemon that are no commands of its own. */
async function orphansOf(pid: number): Promise<number[]> {
  const orphans: number[] = [];
  for (const child of await childrenOf(pid)) {
    const name = await proc(`${child}/comm`).catch(() => "");
    if (name === "sleep\n") orphans.push(child);
  }
  return orphans;
}
