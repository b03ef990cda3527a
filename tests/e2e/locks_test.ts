import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Daemon, runToEnd } from "./daemon.ts";
import { traceTest } from "./load.ts";
import {
  ENGINES,
  Folder,
  output,
  proc,
  rootTest,
  traced,
  tracedCalls,
} from "./machine.ts";

/** What the self-test tries from inside, before the locks fall and after. */
interface SelfTest {
  readonly before: Readonly<Record<string, boolean>>;
  readonly after: Readonly<Record<string, boolean>>;
  readonly ids: {
    readonly real: { readonly uid: number; readonly gid: number };
    readonly effective: { readonly uid: number; readonly gid: number };
  };
}

rootTest("the locks refuse from inside what was granted before", async () => {
  const { code, stdout, stderr } = await runToEnd(["self-test"]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  const { before, after, ids }: SelfTest = JSON.parse(stdout);
  const granted = [
    "dlopen",
    "connect",
    "listen",
    "read",
    "write",
    "environment",
    "run",
    "system",
  ];
  assertEquals(before, {
    ...Object.fromEntries(granted.map((name) => [name, false])),
    // FFI is granted for one library alone, and pointers come with all of it.
    pointer: true,
  });
  assertEquals(
    after,
    Object.fromEntries([...granted, "pointer"].map((name) => [name, true])),
  );
  const [uid, gid] = await Promise.all(
    ["-u", "-g"].map(async (id) => Number(await output("id", id, "daemon"))),
  );
  assertEquals(ids, { real: { uid: 0, gid: 0 }, effective: { uid, gid } });
});

// From source the runtime reads sources wherever they are, and compiles as it
// goes; the binary does neither.
if (Deno.env.get("SPAWND_FROM_SOURCE") === undefined) {
  for (const engine of ENGINES) {
    traceTest(
      `the daemon opens nothing below /tmp with ${engine}`,
      async () => {
        await using folder = await Folder.create();
        const trace = folder.join("trace");
        const daemon = await Daemon.start([
          "inet",
          "127.0.0.1:0",
          "--engine",
          engine,
          "user=nobody",
          "argv=/bin/cat",
        ], { prefix: traced("%file", trace), cwd: "/" });
        {
          await using _ending = daemon;
          assertEquals(await daemon.talk("hello"), "hello");
        }
        const calls = await tracedCalls(trace, daemon.pid);
        assert(calls.some((call) => call.includes('"/bin/cat"')), "no command");
        // The program itself may be there, if that is where it was built.
        const theirs = [new URL("../../", import.meta.url).pathname]
          .filter((path) => path.startsWith("/tmp/"));
        const strange = calls.filter((call) =>
          /"\/(?:var\/)?tmp\//.test(call) &&
          !theirs.some((path) => call.includes(`"${path}`))
        );
        assertEquals(strange, []);
      },
    );
  }

  for (const engine of ENGINES) {
    rootTest(
      `no page of the daemon is both writable and executable with ${engine}`,
      async () => {
        await using daemon = await Daemon.start([
          "inet",
          "127.0.0.1:0",
          "--engine",
          engine,
          "user=nobody",
          "argv=/bin/cat",
        ]);
        assertEquals(await daemon.talk("hello"), "hello");
        const mappings = (await proc(`${daemon.pid}/maps`)).trim().split("\n");
        const executable = mappings.filter((line) => /^\S+ ..x/.test(line));
        assertNotEquals(executable, []);
        assertEquals(executable.filter((line) => /^\S+ .w/.test(line)), []);
      },
    );
  }
}
