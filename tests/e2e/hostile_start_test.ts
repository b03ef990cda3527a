import { assert, assertEquals, assertGreater } from "@std/assert";
import { Daemon, runToEnd } from "./daemon.ts";
import { BOUNDED, Folder, output, rootTest, statusFields } from "./machine.ts";
import { attackTest, compile } from "./hostile/attacker.ts";
import { within } from "./hostile/patience.ts";

const NO_CAPABILITIES = "0".repeat(16);

/** Some that every root process has, also in a container. */
const CAPABILITIES = "+chown,+kill,+setuid,+net_bind_service";

attackTest(
  "a command has no descriptor that a name service module leaves open",
  async () => {
    await using folder = await Folder.create();
    const untidy = folder.join("untidy");
    const module = await compile(folder, "nss_untidy", [
      "-shared",
      "-fPIC",
      `-DUNTIDY_FILE="${untidy}"`,
    ]);
    await Deno.rename(module, folder.join("libnss_untidy.so.2"));
    const nsswitch = await folder.file(
      "nsswitch.conf",
      "passwd: untidy files\ngroup: untidy files\nhosts: files\n",
    );
    await using daemon = await Daemon.start(
      ["inet", "127.0.0.1:0", "user=nobody", "argv=/bin/ls", "/proc/self/fd"],
      {
        prefix: [
          "unshare",
          "--mount",
          "sh",
          "-c",
          'mount --bind "$0" /etc/nsswitch.conf && exec "$@"',
          nsswitch,
        ],
        env: { LD_LIBRARY_PATH: folder.path },
      },
    );
    assertGreater((await Deno.readTextFile(untidy)).length, 0);
    // Without an argument of its own open, 3 is its handle on the folder.
    assertEquals(await within("an answer", daemon.talk()), "0\n1\n2\n3\n");
  },
);

rootTest("--ready-fd is refused for 0, 1 and 2", async () => {
  for (const fd of ["0", "1", "2"]) {
    const { code, stderr } = await runToEnd(
      [
        "run",
        "inet",
        "127.0.0.1:0",
        "--ready-fd",
        fd,
        "user=nobody",
        "argv=/bin/cat",
      ],
      { prefix: BOUNDED },
    );
    assertEquals(code, 64, `--ready-fd ${fd}: ${stderr}`);
    assert(stderr.includes("--ready-fd"), stderr);
  }
});

/** Words of setpriv(1) that leave a process more than its ids would. */
const LEFT_WITH_MORE: Readonly<Record<string, readonly string[]>> = {
  "the securebit no_setuid_fixup": ["--securebits", "+no_setuid_fixup"],
  "the securebit no_setuid_fixup, locked": [
    "--securebits",
    "+no_setuid_fixup,+no_setuid_fixup_locked",
  ],
  "the securebit no_setuid_fixup and ambient capabilities": [
    "--inh-caps",
    CAPABILITIES,
    "--ambient-caps",
    CAPABILITIES,
    "--securebits",
    "+no_setuid_fixup",
  ],
};

for (const [name, words] of Object.entries(LEFT_WITH_MORE)) {
  rootTest(
    `a daemon with ${name} rests without capabilities, and its commands have none`,
    async () => {
      await using daemon = await Daemon.start(
        [
          "inet",
          "127.0.0.1:0",
          "-v",
          "user=nobody",
          "argv=/bin/cat",
          "/proc/self/status",
        ],
        { prefix: ["setpriv", ...words] },
      ).catch(refuses);
      if (daemon === undefined) return;
      const command = statusFields(await within("it", daemon.talk()));
      for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"]) {
        assertEquals(command.get(set), NO_CAPABILITIES, `command: ${set}`);
      }
      await within("its end", daemon.event("disconnected"));
      await assertRests(daemon);
    },
  );
}

/** A daemon that cannot rest without capabilities may refuse to start. */
function refuses(error: unknown): undefined {
  assert(/capabilit|securebits/i.test(String(error)), String(error));
}

/** No thread of the daemon has a capability in effect. */
async function assertRests(daemon: Daemon): Promise<void> {
  const script = 'for task in /proc/"$0"/task/*; do cat "$task/status"; done';
  const text = await output("sh", "-c", script, String(daemon.pid));
  const threads = text.split(/^(?=Name:)/m).map(statusFields);
  assertGreater(threads.length, 0);
  for (const thread of threads) {
    assertEquals(thread.get("CapEff"), NO_CAPABILITIES);
  }
}
