import { assert, assertEquals } from "@std/assert";
import {
  exists,
  freeAddresses,
  inet,
  queueOf,
  Server,
  talkTo,
  unix,
  writeConfiguration,
} from "./configuration.ts";
import { Daemon, readAll, writeAll } from "./daemon.ts";
import { readBytes, traceTest } from "./load.ts";
import { ENGINES, Folder, IS_ROOT, traced, tracedCalls } from "./machine.ts";

/**
 * Runs the rest where memory may not be made executable: prctl(2), PR_SET_MDWE
 * of Linux 6.3, which is what systemd's MemoryDenyWriteExecute= amounts to.
 */
const DENIES_EXECUTABLE_MEMORY = [
  "perl",
  "-e",
  `use Config;
   my $prctl = $Config{archname} =~ /^x86_64/ ? 157 : 167;
   syscall($prctl, 65, 1, 0, 0, 0) == 0 or die $!;
   exec @ARGV or die $!`,
];

/** A command that the user may start until it is removed. */
async function removableCommand(folder: Folder): Promise<string> {
  const path = folder.join("cat");
  await Deno.copyFile("/bin/cat", path);
  return path;
}

/** What the runtime says by itself. */
function strayLines(daemon: Daemon): string[] {
  return daemon.lines.filter((line) => !line.startsWith("{"));
}

/** From the first connection to the end of the last, and all that can go wrong. */
async function liveThrough(daemon: Daemon, command: string): Promise<void> {
  assertEquals(await daemon.talk("hello"), "hello");
  using overdue = await daemon.connect();
  assertEquals((await readAll(overdue)).length, 0);
  await Deno.remove(command);
  assertEquals(await daemon.talk(), "");
  await daemon.event("start-failed");
  await Deno.copyFile("/bin/cat", command);
  assertEquals(await daemon.talk("again"), "again");
  using held = await daemon.connect();
  await writeAll(held, new TextEncoder().encode("held"));
  assertEquals(await readBytes(held, 4), "held");
  daemon.kill("SIGTERM");
  await daemon.event("stopping");
  await held.closeWrite();
  const { code } = await daemon.ended();
  assertEquals(code, 0);
}

for (const engine of ENGINES) {
  Deno.test({
    name: `run serves where no memory may be made executable, with ${engine}`,
    ignore: !IS_ROOT || !canDeny(),
    fn: async () => {
      await using folder = await Folder.create();
      const socket = folder.join("socket");
      const command = await removableCommand(folder);
      await using daemon = await Daemon.start([
        "unix",
        socket,
        "--engine",
        engine,
        "--socket-owner",
        "nobody:daemon",
        "--time-limit",
        "3",
        "--verbose",
        "user=nobody",
        `argv=${command}`,
      ], { prefix: DENIES_EXECUTABLE_MEMORY });
      await liveThrough(daemon, command);
      assertEquals(strayLines(daemon), []);
      assertEquals(await exists(socket), false);
    },
  });
}

/** The kernel may be too old, or the interpreter missing. */
function canDeny(): boolean {
  const [program = "", ...args] = [...DENIES_EXECUTABLE_MEMORY, "true"];
  try {
    const command = new Deno.Command(program, { args, stderr: "null" });
    return command.outputSync().success;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
}

traceTest(
  "serve makes no memory executable, from start to stop and by a reload",
  async () => {
    await using folder = await Folder.create();
    const trace = folder.join("trace");
    const [address = ""] = freeAddresses(1);
    const directory = await writeConfiguration(folder, {
      master: [inet(address), unix("private")],
    });
    await Deno.mkdir(`${queueOf(folder)}/private`);
    const socket = `${queueOf(folder)}/private/private`;
    await using server = await Server.start(["-c", directory, "--verbose"], {
      prefix: traced("mprotect,accept4", trace),
    });
    assertEquals(await talkTo(address, "hello"), "hello");
    await Deno.rename(`${directory}/master.cf`, `${directory}/away`);
    await server.reloadInVain();
    await Deno.rename(`${directory}/away`, `${directory}/master.cf`);
    await server.reload();
    assertEquals(await talkTo(socket, "hello"), "hello");
    server.kill("SIGTERM");
    await server.ended();
    assertEquals(strayLines(server.daemon), []);
    const calls = await tracedCalls(trace, server.pid);
    assert(calls.some((call) => call.startsWith("accept4(")), "no record");
    assertEquals(calls.filter((call) => /\bmprotect\(.*EXEC/.test(call)), []);
  },
);
