/**
 * The units, under a real systemd in a Debian of the tests' own: what they let
 * the daemon do, and what a command has of their sandbox.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  connectTo,
  freeAddress,
  isRefused,
  talkTo,
} from "../e2e/configuration.ts";
import { peerTest, readBytes } from "../e2e/load.ts";
import { until } from "../e2e/machine.ts";
import { Conversation } from "../e2e/reloading.ts";
import { DEBIAN_ROOT, DebianMachine } from "./debian_machine.ts";

const DEPLOY = new URL("../../deploy", import.meta.url).pathname;

const UNITS = ["spawnd.service", "spawnd@.service"] as const;

/** The most that `systemd-analyze security` may count, in tenths. */
const EXPOSURE_MAX = 30;

/** A machine with the units, and a configuration of the package's main.cf. */
async function machineWith(
  services: readonly string[],
  { name = "" }: { readonly name?: string } = {},
): Promise<DebianMachine> {
  const machine = await DebianMachine.boot();
  await machine.installProgram();
  await machine.copy(`${DEPLOY}/systemd`, "/root/systemd");
  await machine.ok(
    "sh",
    "-c",
    "cp /root/systemd/*.service /etc/systemd/system",
  );
  await configure(machine, services, { name });
  await machine.ok("systemctl", "daemon-reload");
  return machine;
}

async function configure(
  machine: DebianMachine,
  services: readonly string[],
  { name = "" }: { readonly name?: string } = {},
): Promise<void> {
  const suffix = name === "" ? "" : `-${name}`;
  const text = await Deno.readTextFile(`${DEPLOY}/config/main.cf`);
  const main = text.replace("/run/spawnd", `/run/spawnd${suffix}`);
  await machine.write(`/etc/spawnd${suffix}/main.cf`, main);
  const master = `${services.join("\n")}\n`;
  await machine.write(`/etc/spawnd${suffix}/master.cf`, master);
}

/** An inet service that runs a script, once for each connection. */
function script(address: string, path: string): string {
  return `${address} inet n n n - 5 spawn user=nobody argv=${path}`;
}

function cat(address: string): string {
  return script(address, "/bin/cat");
}

async function propertyOf(
  machine: DebianMachine,
  property: string,
  unit = "spawnd",
): Promise<string> {
  const words = ["show", "--value", `--property=${property}`, unit];
  return (await machine.ok("systemctl", ...words)).trim();
}

/** Puts drop-ins that the units come with in place, as their text says. */
async function dropIn(machine: DebianMachine, name: string): Promise<void> {
  await machine.ok("mkdir", "-p", "/etc/systemd/system/spawnd.service.d");
  await machine.ok(
    "cp",
    `/root/systemd/${name}`,
    "/etc/systemd/system/spawnd.service.d",
  );
  await machine.ok("systemctl", "daemon-reload");
  await machine.ok("systemctl", "restart", "spawnd");
}

function systemdTest(name: string, fn: () => Promise<void>): void {
  peerTest(name, DEBIAN_ROOT, fn);
}

systemdTest("the units are sound, and tight", async () => {
  await using machine = await machineWith([]);
  for (const unit of UNITS) {
    const path = `/etc/systemd/system/${unit}`;
    const words = ["verify", "--man=no", path];
    assertEquals(await machine.ok("systemd-analyze", ...words), "");
    const limit = `--threshold=${EXPOSURE_MAX}`;
    const { code, said } = await machine.run(
      ...["systemd-analyze", "security", "--no-pager", "--offline=yes"],
      ...[limit, path],
    );
    assertEquals(code, 0, said);
  }
});

systemdTest("the two units differ in nothing but names", async () => {
  const read = (unit: string): string[] =>
    Deno.readTextFileSync(`${DEPLOY}/systemd/${unit}`).split("\n")
      .filter((line) => !line.startsWith("#"))
      .map((line) => line.replaceAll("-%i", "").replace(" (%i)", ""));
  assertEquals(read(UNITS[1]), read(UNITS[0]));
  await Promise.resolve();
});

systemdTest(
  "a reload by systemd keeps the process, and fails where the new configuration does",
  async () => {
    const [address, other] = [freeAddress(), freeAddress()];
    await using machine = await machineWith([cat(address)]);
    await machine.ok("systemctl", "start", "spawnd");
    const pid = await propertyOf(machine, "MainPID");
    using held = await Conversation.start(address);

    await configure(machine, [cat(address), cat(other)]);
    await machine.ok("systemctl", "reload", "spawnd");
    assertEquals(await talkTo(other, "hello"), "hello");
    assertEquals(await propertyOf(machine, "StatusText"), "Serving 2 services");

    await configure(machine, ["nonsense"]);
    const { code } = await machine.run("systemctl", "reload", "spawnd");
    assert(code !== 0);
    assertEquals(await propertyOf(machine, "ActiveState"), "active");
    assertEquals(await talkTo(other, "hello"), "hello");
    await held.goOn();
    assertEquals(await propertyOf(machine, "MainPID"), pid);
  },
);

systemdTest("a stop by systemd waits for commands", async () => {
  const address = freeAddress();
  await using machine = await machineWith([cat(address)]);
  await machine.ok("systemctl", "start", "spawnd");
  using connection = await connectTo(address);
  const say = async (text: string): Promise<void> => {
    await connection.write(new TextEncoder().encode(text));
    assertEquals(await readBytes(connection, text.length), text);
  };
  await say("before\n");
  await machine.ok("systemctl", "stop", "--no-block", "spawnd");
  await machine.logged("no more connections are accepted");
  await say("during\n");
  await connection.closeWrite();
  await until("it has stopped", async () => {
    return await propertyOf(machine, "ActiveState") === "inactive";
  });
  assertEquals(await propertyOf(machine, "Result"), "success");
});

systemdTest(
  "a daemon that is killed is started anew, and one that is misconfigured is not",
  async () => {
    const address = freeAddress();
    await using machine = await machineWith([cat(address)]);
    await machine.ok("systemctl", "start", "spawnd");
    await machine.ok("systemctl", "kill", "--signal=KILL", "spawnd");
    await until("it is started anew", async () => {
      return await propertyOf(machine, "NRestarts") === "1";
    });
    await until("it serves again", async () => !await isRefused(address));
    await machine.ok("systemctl", "stop", "spawnd");

    await configure(machine, ["nonsense"]);
    const { code } = await machine.run("systemctl", "start", "spawnd");
    assert(code !== 0);
    assertEquals(await propertyOf(machine, "ActiveState"), "failed");
    assertEquals(await propertyOf(machine, "ExecMainStatus"), "78");
    assertEquals(await propertyOf(machine, "NRestarts"), "0");
  },
);

systemdTest("spawnd@NAME is one more daemon, beside spawnd", async () => {
  const [address, other] = [freeAddress(), freeAddress()];
  await using machine = await machineWith([cat(address)]);
  await configure(machine, [cat(other)], { name: "more" });
  await machine.ok("systemctl", "start", "spawnd", "spawnd@more");
  assertEquals(await talkTo(address, "one"), "one");
  assertEquals(await talkTo(other, "more"), "more");
  await machine.ok("systemctl", "stop", "spawnd");
  assertEquals(await talkTo(other, "more"), "more");
  await machine.ok("systemctl", "reload", "spawnd@more");
});

systemdTest(
  "within the unit's capabilities all that a daemon does goes well",
  async () => {
    const address = freeAddress();
    await using machine = await machineWith([
      `${address} inet n n n - 5 spawn -o slow_time_limit=1s user=nobody ` +
      "argv=/bin/sleep 1000",
      "127.0.0.1:79 inet n n n - 5 spawn user=nobody argv=/bin/cat",
      "mine unix y n n - 5 spawn -o spawnd_socket_owner=nobody user=nobody " +
      "argv=/bin/cat",
    ]);
    await machine.ok(
      "sh",
      "-c",
      "echo command_time_limit = 1s >>/etc/spawnd/main.cf",
    );
    await machine.ok("systemctl", "start", "spawnd");
    assertEquals(await talkTo("127.0.0.1:79", "low"), "low");
    // Killed at its time limit: the conversation ends.
    assertEquals(await talkTo(address), "");
    assertMatch(
      await machine.ok("journalctl", "--no-pager", "--unit=spawnd"),
      /command time limit exceeded/,
    );
    assertEquals(
      await machine.ok("stat", "-c", "%U", "/run/spawnd/private/mine"),
      "nobody\n",
    );
    await machine.ok("systemctl", "reload", "spawnd");
    await machine.ok("systemctl", "stop", "spawnd");
    const { code } = await machine.run("test", "-e", "/run/spawnd");
    assertEquals(code, 1);
  },
);

/** A line of the unit, and what a command can tell of it. */
interface Reach {
  readonly line: string;
  /** A script, whose output tells whether the line holds for it. */
  readonly probe: string;
  readonly under: RegExp;
  /** What it says where commands.conf is in place. */
  readonly without: RegExp;
}

// asm/unistd.h
const [MMAP, PTRACE] = Deno.build.arch === "x86_64" ? [9, 101] : [222, 117];

/** Every line that reaches the commands, as docs/install.md has them. */
const REACHES: readonly Reach[] = [
  {
    line: "MemoryDenyWriteExecute",
    probe: `perl -e 'print syscall(${MMAP}, 0, 4096, 7, 0x22, -1, 0) == -1 ` +
      `? "refused: $!" : "had"'`,
    under: /^refused: Operation not permitted/,
    without: /^had/,
  },
  {
    line: "SystemCallFilter",
    probe: `perl -e 'print syscall(${PTRACE}, 0, 0, 0, 0) == -1 ` +
      `? "refused: $!" : "had"'`,
    under: /^refused: Operation not permitted/,
    without: /^had/,
  },
  {
    line: "RestrictNamespaces",
    probe: "unshare --user true 2>&1 && echo had",
    under: /Operation not permitted/,
    without: /^had|Operation not permitted/,
  },
  {
    line: "LockPersonality",
    probe: "setarch --addr-no-randomize echo had 2>&1",
    under: /Operation not permitted/,
    without: /^had/,
  },
  {
    line: "RestrictSUIDSGID",
    probe: "cd /dev/shm && f=$(mktemp) && chmod u+s $f 2>&1 && echo had; rm $f",
    under: /Operation not permitted/,
    without: /^had/,
  },
  {
    line: "RestrictAddressFamilies",
    probe: `perl -MSocket -e 'print socket(my $s, 40, SOCK_STREAM, 0) ` +
      `? "had" : "refused: $!"'`,
    under: /^refused: Address family not supported/,
    without: /^had|^refused: (?!Address family)/,
  },
  {
    line: "PrivateTmp",
    probe: "cat /tmp/everybodys 2>&1",
    under: /No such file/,
    without: /^everybodys/,
  },
  {
    line: "PrivateDevices",
    probe: "test -e /dev/everybodys && echo had || echo none",
    under: /^none/,
    without: /^had/,
  },
  {
    line: "ProtectProc",
    probe: "test -e /proc/1 && echo had || echo none",
    under: /^none/,
    without: /^had/,
  },
  {
    line: "CapabilityBoundingSet",
    probe: "grep ^CapBnd: /proc/self/status",
    under: /^CapBnd:\s0{13}4cb/,
    without: /^CapBnd:\s(?!0{13}4cb)/,
  },
  {
    line: "ProtectSystem",
    probe: "touch /usr/x 2>&1; touch /var/tmp/x && echo had",
    under: /Read-only file system[^]*had/,
    without: /Read-only file system[^]*had/,
  },
];

systemdTest(
  "what a command has of the sandbox is what is said, and can be taken back",
  async () => {
    const addresses = REACHES.map(freeAddress);
    const services = addresses.map((address, at) =>
      script(address, `/opt/probe${at}`)
    );
    await using machine = await machineWith(services);
    for (const [at, { probe }] of REACHES.entries()) {
      await machine.write(`/opt/probe${at}`, `#!/bin/sh\n${probe}\n`, 0o755);
    }
    await machine.write("/tmp/everybodys", "everybodys\n");
    await machine.ok("mkdir", "/dev/everybodys");
    await machine.ok("systemctl", "start", "spawnd");
    for (const [at, { line, under }] of REACHES.entries()) {
      assertMatch(await talkTo(addresses[at] ?? ""), under, line);
    }
    await dropIn(machine, "commands.conf");
    for (const [at, { line, without }] of REACHES.entries()) {
      assertMatch(await talkTo(addresses[at] ?? ""), without, line);
    }
  },
);

systemdTest(
  "under the unit a command may still run a set-group-ID program",
  async () => {
    const address = freeAddress();
    await using machine = await machineWith([script(address, "/opt/id")]);
    await machine.ok(
      "sh",
      "-c",
      "cp /usr/bin/id /opt; chgrp staff /opt/id; chmod 2755 /opt/id",
    );
    await machine.ok("systemctl", "start", "spawnd");
    assertMatch(await talkTo(address), /egid=\d+\(staff\)/);
  },
);

systemdTest(
  "a service with a root directory of its own takes chroot.conf",
  async () => {
    const address = freeAddress();
    await using machine = await machineWith([
      `${address} inet n n y - 5 spawn user=nobody argv=/sh -c pwd`,
    ]);
    await machine.ok(
      "sh",
      "-c",
      "sed -i 's|^queue_directory.*|queue_directory = /srv/jail|' /etc/spawnd/main.cf",
    );
    const copied =
      "mkdir -p /srv/jail/lib64 /srv/jail/lib/x86_64-linux-gnu && cp /bin/sh /srv/jail &&" +
      " for f in $(ldd /bin/sh | grep -o '/[^ ]*'); do mkdir -p /srv/jail${f%/*}; cp $f /srv/jail$f; done";
    await machine.ok("sh", "-c", copied);
    await machine.ok("systemctl", "start", "spawnd");
    assertEquals(await talkTo(address), "");
    assertMatch(
      await machine.ok("journalctl", "--no-pager", "--unit=spawnd"),
      /chroot \S+: Operation not permitted/,
    );
    await dropIn(machine, "chroot.conf");
    assertEquals(await talkTo(address), "/\n");
  },
);
