/**
 * What a service asks for beside its command's user, seen from inside of the
 * commands of the compiled binary, by each way that it can be asked for, and
 * through a reload.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  freeAddresses,
  inet,
  refusals,
  Server,
  serveRefused,
  talkTo,
  writeConfiguration,
} from "./configuration.ts";
import { Daemon, runToEnd } from "./daemon.ts";
import { Account, Folder, rootTest, statusFields } from "./machine.ts";

/** A command that tells all of it. */
const TELL = "nice; ionice; pwd; cat /proc/self/status /proc/self/limits; " +
  "readlink /proc/self/fd/2; tail -n +3 /proc/net/dev";

const READABLE = ["/usr", "/bin", "/lib", "/lib64", "/etc", "/proc"]
  .map((path) => `read=${path}`).join(" ");

/** Everything that there is. */
const SETTINGS: Readonly<Record<string, string>> = {
  spawnd_limits: "nofile=60:64 nproc=50 as=1G core=0",
  spawnd_nice: "-3",
  spawnd_umask: "027",
  spawnd_directory: "/usr",
  spawnd_io_priority: "best-effort:7",
  spawnd_cpu_affinity: "0",
  spawnd_groups: "games, news",
  spawnd_no_new_privileges: "yes",
  spawnd_private_network: "yes",
  spawnd_landlock: READABLE,
  spawnd_standard_error: "null",
};

function assertTold(text: string, { uid, gid }: Account): void {
  assertEquals(text.split("\n").slice(0, 3), [
    "-3",
    "best-effort: prio 7",
    "/usr",
  ]);
  const fields = statusFields(text);
  for (
    const [name, value] of [
      ["Uid", `${uid} ${uid} ${uid} ${uid}`],
      ["Gid", `${gid} ${gid} ${gid} ${gid}`],
      ["Groups", `9 60 ${gid}`],
      ["Umask", "0027"],
      ["NoNewPrivs", "1"],
      ["Cpus_allowed_list", "0"],
      ["CapEff", "0".repeat(16)],
    ] as const
  ) {
    assertEquals(fields.get(name), value, name);
  }
  assertMatch(text, /^Max open files +60 +64 /m);
  assertMatch(text, /^Max processes +50 +50 /m);
  assertMatch(text, /^Max address space +1073741824 +1073741824 /m);
  assertMatch(text, /^\/dev\/null\n +lo: /m);
  assert(!/^ *eth/m.test(text), text);
}

rootTest("all of it by options of run", async () => {
  await using account = await Account.create();
  const options = Object.entries(SETTINGS).flatMap(([name, value]) => {
    const option = `--${name.replace("spawnd_", "").replaceAll("_", "-")}`;
    return value === "yes" ? [option] : [`${option}=${value}`];
  });
  await using daemon = await Daemon.start([
    ...["inet", "127.0.0.1:0", ...options],
    ...[`user=${account.name}`, "argv=/bin/sh", "-c", TELL],
  ]);
  assertTold(await daemon.talk(), account);
});

rootTest(
  "all of it by -o and by main.cf, and after a reload as it is by then",
  async () => {
    await using account = await Account.create();
    await using folder = await Folder.create();
    const [one = "", other = ""] = freeAddresses(2);
    const words = `user=${account.name} argv=/bin/sh -c {${TELL}}`;
    const options = Object.entries(SETTINGS)
      .map(([name, value]) => `-o {${name} = ${value}}`).join(" ");
    const directory = await writeConfiguration(folder, {
      master: [inet(one, `${options} ${words}`), inet(other, words)],
    });
    await using server = await Server.start(["-c", directory]);
    assertTold(await talkTo(one), account);
    assertMatch(await talkTo(other), /^NoNewPrivs:\t0$/m);
    await writeConfiguration(folder, {
      main: Object.entries(SETTINGS).map(([name, value]) =>
        `${name} = ${value}`
      ),
      master: [
        inet(
          one,
          `-o spawnd_no_new_privileges=no -o spawnd_landlock= ${words}`,
        ),
        inet(other, words),
      ],
    });
    await server.reload();
    assertTold(await talkTo(other), account);
    assertMatch(await talkTo(one), /^NoNewPrivs:\t0$/m);
  },
);

rootTest(
  "what is wrong is told where it stands, by serve and by a reload, which changes nothing",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const good = { master: [inet(address)] };
    const bad = {
      main: ["spawnd_limits = nofiles=3"],
      master: [
        inet(address, "-o spawnd_directory=/no/such user=nobody argv=/bin/cat"),
      ],
    };
    const directory = await writeConfiguration(folder, bad);
    const refused = await serveRefused(["-c", directory]);
    const told = "main.cf:2:17: spawnd_limits: unknown limit: nofiles";
    assert(
      refusals(refused.entries).some((text) => text.includes(told)),
      refused.stderr,
    );
    await writeConfiguration(folder, good);
    await using server = await Server.start(["-c", directory]);
    await writeConfiguration(folder, { ...bad, main: [] });
    await server.reloadInVain();
    const [why] = server.daemon.entries.filter(({ event }) =>
      event === "refused"
    );
    assertMatch(
      why?.text ?? "",
      /master\.cf:1:\d+: spawnd_directory: chdir \/no\/such: No such file/,
    );
    assertEquals(await talkTo(address, "still"), "still");
  },
);

/** What run says of options that it refuses. */
async function refusedBy(...words: string[]): Promise<string> {
  const { code, stderr } = await runToEnd(["run", "inet", ...words], {
    prefix: ["timeout", "--signal=KILL", "20"],
  });
  assert(code !== 0 && code !== 137, stderr);
  return stderr.trimEnd().replace(
    /^\S+ spawnd\[\d+\]: fatal: |^spawnd run: /,
    "",
  );
}

rootTest(
  "what cannot be had is told at start, by the option's parameter",
  async () => {
    const cat = ["user=nobody", "argv=/bin/cat"];
    const [address = ""] = freeAddresses(1);
    assertEquals(
      await refusedBy(address, "--landlock=read=/no/such", ...cat),
      "--landlock: spawnd_landlock: no such path: /no/such " +
        "(change it, or leave it out)",
    );
    assertMatch(
      await refusedBy(address, "--cpu-affinity=4000", ...cat),
      /spawnd_cpu_affinity: sched_setaffinity: Invalid argument/,
    );
    assertMatch(
      await refusedBy(address, "--bind-to-device=no-such0", ...cat),
      /cannot listen on .*: SO_BINDTODEVICE no-such0: No such device/,
    );
    assertMatch(
      await refusedBy(address, "--engine=relay", "--nice=5", ...cat),
      /spawnd_nice: the relay engine cannot do that/,
    );
  },
);

rootTest("the relay engine has what the runtime can do", async () => {
  await using daemon = await Daemon.start([
    ...["inet", "127.0.0.1:0", "--engine", "relay", "--directory", "/usr"],
    ...["--standard-error", "null", "--login-environment"],
    ...["--connection-environment", "systemd", "user=nobody"],
    ...["argv=/bin/sh", "-c", "pwd; readlink /proc/self/fd/2; env | sort"],
  ]);
  const lines = (await daemon.talk()).split("\n");
  assertEquals(lines.slice(0, 2), ["/usr", "/dev/null"]);
  for (const word of ["HOME=/nonexistent", "REMOTE_ADDR=127.0.0.1"]) {
    assert(lines.includes(word), lines.join("\n"));
  }
});

rootTest(
  "an account's login is in the environment, and what is exported comes before",
  async () => {
    await using daemon = await Daemon.start([
      ...["inet", "127.0.0.1:0", "--login-environment"],
      ...["--export-environment", "HOME=/elsewhere"],
      ...["--connection-environment", "none"],
      ...["user=nobody", "argv=/usr/bin/env"],
    ]);
    assertEquals((await daemon.talk()).trim().split("\n").sort(), [
      "HOME=/elsewhere",
      "LOGNAME=nobody",
      "PATH=/usr/bin:/bin",
      "SHELL=/usr/sbin/nologin",
      "USER=nobody",
    ]);
  },
);

rootTest(
  "TCPCONNNUM counts a client's connections, and through a reload",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const words = "user=nobody argv=/bin/sh -c {echo $TCPCONNNUM; cat}";
    const directory = await writeConfiguration(folder, {
      master: [inet(address, words)],
    });
    await using server = await Server.start(["-c", directory]);
    using held = await Deno.connect({
      hostname: "127.0.0.1",
      port: Number(address.split(":")[1]),
    });
    const first = new Uint8Array(8);
    assertEquals(await held.read(first), 2);
    assertEquals(await talkTo(address), "2\n");
    await server.reload();
    assertEquals(await talkTo(address), "2\n");
  },
);

rootTest("limits keep a fork bomb within its service", async () => {
  await using bomber = await Account.create();
  await using folder = await Folder.create();
  const [bomb = "", other = ""] = freeAddresses(2);
  const script = "$| = 1; for (1 .. 9) { my $pid = fork; " +
    'if (!defined $pid) { print "fork: $!\\n"; last } ' +
    'if ($pid == 0) { sleep 60; exit } } kill "KILL", -$$';
  const directory = await writeConfiguration(folder, {
    master: [
      inet(
        bomb,
        `-o {spawnd_limits = nproc=5} user=${bomber.name} ` +
          `argv=/usr/bin/perl -e {${script}}`,
      ),
      inet(other),
    ],
  });
  await using server = await Server.start(["-c", directory]);
  const bombed = Promise.all(
    Array.from({ length: 10 }, () => talkTo(bomb).catch(() => "")),
  );
  for (let count = 0; count < 20; count++) {
    assertEquals(await talkTo(other, "served"), "served");
  }
  assert((await bombed).join("").includes("fork"), "nothing was limited");
  await server.reload();
});
