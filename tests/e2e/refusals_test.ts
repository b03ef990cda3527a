import { assert, assertEquals, assertMatch } from "@std/assert";
import { Daemon, type Ended, runToEnd, type StartOptions } from "./daemon.ts";
import { Account, Folder, ONE_AT_A_TIME, output, rootTest } from "./machine.ts";
import {
  exists,
  freeAddresses,
  inet,
  refusals,
  serveRefused,
  writeConfiguration,
} from "./configuration.ts";
import { AnybodysProgram } from "./anybodys_program.ts";

/** Runs a daemon that is expected to refuse; its log is text. */
async function refused(
  words: readonly string[],
  options: StartOptions = {},
): Promise<Ended> {
  return await runToEnd(["run", "inet", "127.0.0.1:0", ...words], options);
}

/**
 * Asserts that a daemon refuses with one line, which has a text to the letter
 * and after it, in parentheses, at the most what to do about it.
 */
async function assertRefused(
  words: readonly string[],
  text: string,
  exitCode: number,
  options: StartOptions = {},
): Promise<void> {
  const { code, stdout, stderr } = await refused(words, options);
  const [line = "", ...more] = stderr.split("\n");
  const said = line.replace(/^\S+ spawnd\[\d+\]: fatal: /, "");
  assertEquals(said.replace(/ \(.*\)$/, ""), text);
  assert(said !== line, line);
  assertEquals({ code, stdout, more }, {
    code: exitCode,
    stdout: "",
    more: [""],
  });
}

const ARGV = ["argv=/bin/cat"];

/** An id that no account has. */
const NAMELESS = 1_234_567;

rootTest("a service of an unknown user is refused", async () => {
  await assertRefused(
    ["user=no-such", ...ARGV],
    "unknown user name: no-such",
    67,
  );
  await assertRefused(["user=", ...ARGV], "unknown user name: ", 67);
});

rootTest("a number is no user's name, even if an account has it", async () => {
  const uid = (await output("id", "-u", "nobody")).trim();
  await assertRefused(
    [`user=${uid}`, ...ARGV],
    `unknown user name: ${uid}`,
    67,
  );
});

rootTest("a service of an unknown group is refused", async () => {
  await assertRefused(
    ["user=nobody:no-such", ...ARGV],
    "unknown group name: no-such",
    67,
  );
});

rootTest("an unknown attribute is refused", async () => {
  await assertRefused(
    ["user=nobody", "shell=/bin/sh", ...ARGV],
    "unknown attribute name: shell=/bin/sh",
    64,
  );
  await assertRefused(["/bin/cat"], "unknown attribute name: /bin/cat", 64);
});

rootTest("a missing attribute is refused", async () => {
  await assertRefused(ARGV, "missing user= attribute", 64);
  await assertRefused(["user=nobody"], "missing argv= attribute", 64);
  await assertRefused(["user=nobody", "argv="], "missing argv= attribute", 64);
});

rootTest("a service as root is refused", async () => {
  await assertRefused(["user=root", ...ARGV], "request to deliver as root", 78);
});

rootTest("a service as the daemon's owner is refused", async () => {
  await using owner = await Account.create();
  const text = "request to deliver as mail system owner";
  await assertRefused(["user=daemon", ...ARGV], text, 78);
  await assertRefused(
    ["--owner", owner.name, `user=${owner.name}`, ...ARGV],
    text,
    78,
  );
});

rootTest("a service with a privileged group is refused", async () => {
  await assertRefused(
    ["user=nobody:root", ...ARGV],
    "request to use privileged group id 0",
    78,
  );
});

rootTest(
  "a service with the group of the daemon's owner is refused",
  async () => {
    await using owner = await Account.create();
    await assertRefused(
      ["--owner", owner.name, `user=nobody:${owner.name}`, ...ARGV],
      `request to use mail system owner group id ${owner.gid}`,
      78,
    );
  },
);

rootTest("a service of the id that means none is refused", async () => {
  await using folder = await Folder.create();
  const none = 2 ** 32 - 1;
  for (
    const [ids, text] of [
      [`${none}:12345`, "user must not have user ID -1"],
      [`12345:${none}`, "user must not have group ID -1"],
    ] as const
  ) {
    const accounts = `${await Deno.readTextFile("/etc/passwd")}` +
      `spawnd-none:x:${ids}::/nonexistent:/bin/sh\n`;
    const file = await folder.file("passwd", accounts);
    // No tool makes such an account; the daemon gets a file of its own.
    const prefix = [
      ...ONE_AT_A_TIME,
      "unshare",
      "--mount",
      "sh",
      "-c",
      'mount --bind "$0" /etc/passwd && exec "$@"',
      file,
    ];
    await assertRefused(["user=spawnd-none", ...ARGV], text, 78, { prefix });
  }
});

rootTest(
  "of several reasons to refuse, the first in order is told",
  async () => {
    await using owner = await Account.create();
    const ours = ["--owner", owner.name];
    for (
      const [words, text, code] of [
        // As the words are read, from left to right.
        [["user=no-such", "other=1"], "unknown user name: no-such", 67],
        [["other=1", "user=no-such"], "unknown attribute name: other=1", 64],
        [["user=no-such:neither"], "unknown user name: no-such", 67],
        [["user=root:neither"], "unknown group name: neither", 67],
        [
          ["user=no-such", "user=nobody", ...ARGV],
          "unknown user name: no-such",
          67,
        ],
        [["user=root", "user=no-such"], "unknown user name: no-such", 67],
        // Then what is missing, then whose rights they are.
        [[], "missing user= attribute", 64],
        [["user=root"], "missing argv= attribute", 64],
        [["user=root:root", ...ARGV], "request to deliver as root", 78],
        [
          [`user=root:${owner.name}`, ...ARGV],
          "request to deliver as root",
          78,
        ],
        [
          [`user=${owner.name}:root`, ...ARGV],
          "request to deliver as mail system owner",
          78,
        ],
        [
          [`user=${owner.name}`, ...ARGV],
          "request to deliver as mail system owner",
          78,
        ],
      ] as const
    ) {
      await assertRefused([...ours, ...words], text, code);
    }
  },
);

rootTest("a refusal is one object with --log-format json", async () => {
  const { code, stderr } = await refused(
    ["--log-format", "json", "user=root", ...ARGV],
  );
  const { level, event, fields } = JSON.parse(stderr);
  assertEquals({ code, level, event, text: fields.text }, {
    code: 78,
    level: "fatal",
    event: "cannot-start",
    text: "request to deliver as root",
  });
});

rootTest("a daemon that refuses has not listened", async () => {
  await using folder = await Folder.create();
  const path = folder.join("refused.sock");
  const { code } = await runToEnd(["run", "unix", path, "user=root", ...ARGV]);
  assertEquals(code, 78);
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

rootTest("--owner must be an account, and not a privileged one", async () => {
  const words = ["user=nobody", ...ARGV];
  await assertRefused(
    ["--owner", "no-such", ...words],
    "--owner: unknown user name: no-such",
    67,
  );
  await assertRefused(
    ["--owner", "root", ...words],
    "--owner: root is privileged",
    78,
  );
});

rootTest("an address in use is refused", async () => {
  using holder = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${holder.addr.port}`;
  const { code, stderr } = await runToEnd(
    ["run", "inet", address, "user=nobody", ...ARGV],
  );
  assertEquals(code, 71);
  assertMatch(
    stderr,
    new RegExp(`fatal: cannot listen on ${address}: .*in use`),
  );
});

rootTest(
  "an address in use on IPv4 alone is refused for a port alone",
  async () => {
    using holder = Deno.listen({ hostname: "0.0.0.0", port: 0 });
    const { code, stderr } = await runToEnd(
      ["run", "inet", `${holder.addr.port}`, "user=nobody", ...ARGV],
    );
    assertEquals(code, 71);
    assertMatch(stderr, /fatal: cannot listen on .*in use/);
  },
);

rootTest("an address that this machine does not have is refused", async () => {
  // Of TEST-NET-1, which nobody has.
  const { code, stderr } = await runToEnd(
    ["run", "inet", "192.0.2.1:0", "user=nobody", ...ARGV],
  );
  assertEquals(code, 71);
  assertMatch(stderr, /fatal: cannot listen on 192\.0\.2\.1:0: /);
});

rootTest("an unknown host is refused", async () => {
  const { code, stderr } = await runToEnd(
    ["run", "inet", "no-such.invalid:0", "user=nobody", ...ARGV],
  );
  assertEquals(code, 68);
  assertMatch(stderr, /fatal: unknown host: no-such\.invalid /);
});

/** Words that run the rest as an account, with nothing of root's left. */
function as({ uid, gid }: Pick<Account, "uid" | "gid">): string[] {
  return ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
}

rootTest("a normal account may serve as itself", async () => {
  await using account = await Account.create();
  await using anybodys = await AnybodysProgram.create();
  await using daemon = await Daemon.start(
    ["inet", "127.0.0.1:0", `user=${account.name}`, "argv=/usr/bin/id"],
    { prefix: as(account), program: anybodys.words, env: anybodys.env },
  );
  const { uid, gid, name } = account;
  assertEquals(
    await daemon.talk(),
    `uid=${uid}(${name}) gid=${gid}(${name}) groups=${gid}(${name})\n`,
  );
});

rootTest(
  "a uid without a name serves as itself, with user= left out",
  async () => {
    await using anybodys = await AnybodysProgram.create();
    await using folder = await Folder.create();
    const prefix = as({ uid: NAMELESS, gid: NAMELESS });
    const options = { prefix, program: anybodys.words, env: anybodys.env };
    {
      await using daemon = await Daemon.start(
        ["inet", "127.0.0.1:0", "argv=/usr/bin/id"],
        options,
      );
      assertMatch(await daemon.talk(), new RegExp(`^uid=${NAMELESS} gid=`));
    }
    const [address = ""] = freeAddresses(1);
    const directory = await writeConfiguration(folder, {
      master: [inet(address, "argv=/usr/bin/id")],
    });
    await using daemon = await Daemon.serve(["-c", directory], options);
    assertMatch(await daemon.talk(), new RegExp(`^uid=${NAMELESS} gid=`));
  },
);

rootTest("a normal account is refused as anybody else", async () => {
  await using account = await Account.create();
  await using anybodys = await AnybodysProgram.create();
  const options = {
    prefix: as(account),
    program: anybodys.words,
    env: anybodys.env,
  };
  await assertRefused(
    ["user=nobody", ...ARGV],
    "only root can run commands as nobody",
    77,
    options,
  );
  await assertRefused(
    [`user=${account.name}:nogroup`, ...ARGV],
    `only root can run commands as ${account.name}`,
    77,
    options,
  );
  await assertRefused(
    ["user=root", ...ARGV],
    "request to deliver as root",
    78,
    options,
  );
});

rootTest("a normal account is refused a privileged port", async () => {
  await using account = await Account.create();
  await using anybodys = await AnybodysProgram.create();
  // In a network of its own the port is free, and privileged for certain.
  const privileged = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
  const { code, stderr } = await runToEnd(
    ["run", "inet", "0.0.0.0:7", `user=${account.name}`, ...ARGV],
    {
      prefix: [
        "unshare",
        "--net",
        "sh",
        "-c",
        `echo 1024 >${privileged} && exec "$@"`,
        "sh",
        ...as(account),
      ],
      program: anybodys.words,
      env: anybodys.env,
    },
  );
  assertEquals(code, 77);
  assertMatch(
    stderr,
    /^\S+ spawnd\[\d+\]: fatal: cannot listen on 0\.0\.0\.0:7: .*\n$/,
  );
});

for (
  const [dropped, missing] of [
    ["-all", "CAP_SETGID and CAP_SETUID"],
    ["-setuid", "CAP_SETUID"],
    ["-setgid", "CAP_SETGID"],
  ]
) {
  rootTest(`root without ${missing} is told so on one line`, async () => {
    const prefix = ["setpriv", `--bounding-set=${dropped}`];
    await assertRefused(
      ["user=nobody", ...ARGV],
      `root without ${missing} cannot run commands as their users`,
      77,
      { prefix },
    );
  });
}

for (
  const [call, error, mend] of [
    ["close_range", "ENOSYS", "let the daemon call close_range(2)"],
    ["capset", "EPERM", "let the daemon give capabilities up"],
  ] as const
) {
  rootTest(
    `a sandbox that forbids ${call}(2) is told so on one line`,
    async () => {
      await using folder = await Folder.create();
      const trace = folder.join("trace");
      const prefix = [
        // Capabilities that a program would inherit are to be given up.
        ...["setpriv", "--inh-caps=+net_raw"],
        ...["strace", "-f", "-o", trace, "-e", `trace=${call}`],
        ...["-e", `inject=${call}:error=${error}`],
      ];
      const { code, stderr } = await refused(
        ["user=nobody", ...ARGV],
        { prefix },
      );
      assertEquals(code, 71, stderr);
      const [line = "", ...more] = stderr.split("\n");
      assertEquals(more, [""]);
      assertMatch(line, new RegExp(`: fatal: ${call}: .* \\(`));
      assert(line.includes(` (${mend}`), line);
    },
  );
}

rootTest(
  "a daemon that may not become its owner leaves no pid file",
  async () => {
    await using folder = await Folder.create();
    const directory = await writeConfiguration(folder, {
      master: freeAddresses(1).map((address) => inet(address)),
    });
    const pidFile = folder.join("spawnd.pid");
    for (
      const [exitCode, mistakes, ...prefix] of [
        [77, 1, "setpriv", "--bounding-set=-all"],
        // There is no other id than root's, for the daemon and its command.
        [71, 2, "unshare", "--user", "--map-root-user"],
      ] as const
    ) {
      const { code, entries, stderr } = await serveRefused(
        ["-c", directory, "--pid-file", pidFile],
        { prefix },
      );
      assertEquals(code, exitCode, stderr);
      assertEquals(refusals(entries).length, mistakes);
      assertEquals(entries.length, stderr.trimEnd().split("\n").length);
      assert(!await exists(pidFile), "the pid file was left behind");
    }
  },
);
