/**
 * The variables that the runtime acts on before the first line of the program:
 * docs/security.md has them in a table, and says that there is nothing else.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { exists, IS_FROM_SOURCE } from "./configuration.ts";
import { Daemon, type Ended, runToEnd } from "./daemon.ts";
import { BOUNDED, Folder, rootTest } from "./machine.ts";

const PAGE = new URL("../../docs/security.md", import.meta.url);

async function versionWith(env: Record<string, string>): Promise<Ended> {
  return await runToEnd(["--version"], { env, prefix: BOUNDED });
}

async function assertIsTold(name: string): Promise<void> {
  const page = await Deno.readTextFile(PAGE);
  assert(page.includes(`\n| \`${name}\``), name);
}

if (!IS_FROM_SOURCE) {
  rootTest(
    "a variable has the runtime connect to a socket, as is said",
    async () => {
      await assertIsTold("DENO_UNSTABLE_CRON_SOCK");
      await using folder = await Folder.create();
      const path = folder.join("socket");
      using listener = Deno.listen({ transport: "unix", path });
      // It connects as the daemon's owner.
      await Deno.chmod(path, 0o666);
      const accepted = listener.accept();
      await using daemon = await Daemon.start(
        ["inet", "127.0.0.1:0", "user=nobody", "argv=/bin/cat"],
        { env: { DENO_UNSTABLE_CRON_SOCK: `unix:${path}` } },
      );
      (await accepted).close();
      assertEquals(await daemon.talk("hello"), "hello");
    },
  );

  rootTest("a variable has the runtime make a file, as is said", async () => {
    await assertIsTold("SSLKEYLOGFILE");
    await using folder = await Folder.create();
    const file = folder.join("keys");
    await versionWith({ SSLKEYLOGFILE: file });
    assert(await exists(file));
  });

  rootTest(
    "a variable has the runtime write to standard error, as is said",
    async () => {
      await assertIsTold("DENO_LOG");
      assert((await versionWith({ DENO_LOG: "debug" })).stderr !== "");
    },
  );

  rootTest("other variables of the runtime's have no effect", async () => {
    const plain = await versionWith({});
    assertEquals([plain.code, plain.stderr], [0, ""]);
    for (
      const [name, value] of [
        ["RUST_LOG", "trace"],
        ["RUST_BACKTRACE", "full"],
        ["DENO_V8_FLAGS", "--trace-gc"],
        ["DENO_AUTO_SERVE", "1"],
        ["DENO_SERVE_ADDRESS", "tcp:127.0.0.1:1"],
        ["DENO_TRACE_PERMISSIONS", "1"],
        ["NODE_OPTIONS", "--require=/nonexistent.js"],
        ["NODE_EXTRA_CA_CERTS", "/nonexistent"],
        ["OTEL_DENO", "true"],
      ] as const
    ) {
      assertEquals(await versionWith({ [name]: value }), plain, name);
    }
  });
}
