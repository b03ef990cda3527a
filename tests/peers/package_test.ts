/**
 * The package and the tarball, as build.sh makes them: in a Debian of the
 * tests' own, with its dpkg and its systemd.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  connectTo,
  exists,
  freeAddress,
  talkTo,
} from "../e2e/configuration.ts";
import { peerTest, readBytes, sha256 } from "../e2e/load.ts";
import { Folder, output } from "../e2e/machine.ts";
import { closedLoop, Conversation } from "../e2e/reloading.ts";
import { DEBIAN_ROOT, DebianMachine } from "./debian_machine.ts";
import manifest from "../../deno.json" with { type: "json" };

const ROOT = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");

const DEBHELPER = "/usr/bin/dh";
const LINTIAN = "/usr/bin/lintian";

/** Packs what build.sh has built. */
async function pack(kind: "deb" | "release", checkout = ROOT): Promise<string> {
  const said = await output(`${checkout}/build.sh`, kind);
  const [, path = ""] = /built (dist\/.*\.(?:deb|tar\.gz))$/m.exec(said) ?? [];
  return `${checkout}/${path}`;
}

/** What was packed of the checkout itself: that is done once. */
const packed = new Map<string, Promise<string>>();

function packOnce(kind: "deb" | "release"): Promise<string> {
  const before = packed.get(kind);
  const path = before ?? pack(kind);
  packed.set(kind, path);
  return path;
}

function packageTest(
  name: string,
  fn: (machine: DebianMachine) => Promise<void>,
): void {
  peerTest(name, [DEBHELPER, DEBIAN_ROOT], async () => {
    await using machine = await DebianMachine.boot();
    await machine.copy(await packOnce("deb"), "/root/spawnd.deb");
    await fn(machine);
  });
}

/** Installs it, and uncomments the one line, with a port of the test's own. */
async function installAndServe(machine: DebianMachine): Promise<string> {
  const address = freeAddress();
  await machine.ok("dpkg", "--install", "/root/spawnd.deb");
  await machine.ok(
    "sed",
    "-i",
    `s/^#127.0.0.1:7007 /${address} /`,
    "/etc/spawnd/master.cf",
  );
  await machine.ok("systemctl", "enable", "--now", "spawnd");
  return address;
}

async function mainPid(machine: DebianMachine): Promise<string> {
  const words = ["show", "--value", "--property=MainPID", "spawnd"];
  return (await machine.ok("systemctl", ...words)).trim();
}

async function programOf(machine: DebianMachine, pid: string): Promise<string> {
  return (await machine.ok("stat", "-Lc", "%i", `/proc/${pid}/exe`)).trim();
}

/**
 * Makes another version of the package.
 *
 * @param change What a shell is to do in the unpacked package's folder.
 */
async function nextVersion(
  machine: DebianMachine,
  change = ":",
): Promise<string> {
  const script = `set -e
rm -rf /root/next
dpkg-deb --raw-extract /root/spawnd.deb /root/next
cd /root/next
sed -i 's/^Version: .*/&+next/' DEBIAN/control
${change}
dpkg-deb --root-owner-group -Znone --build . /root/next.deb`;
  await machine.ok("sh", "-c", script);
  return "/root/next.deb";
}

/** All files that a package could leave behind, and are not dpkg's own. */
async function filesOf(machine: DebianMachine): Promise<string[]> {
  const text = await machine.ok(
    ...["find", "/etc", "/usr", "/lib/systemd", "/var", "/run", "-xdev"],
    ...["-path", "/var/lib/dpkg", "-prune", "-o"],
    ...["-path", "/var/log", "-prune", "-o"],
    ...["-path", "/run/systemd", "-prune", "-o"],
    // Made by runit, which wants to be told of each package.
    ...["-path", "/run/runit", "-prune", "-o", "-print"],
  );
  return text.trim().split("\n").sort();
}

peerTest(
  "the package is one that lintian has nothing against",
  [DEBHELPER, LINTIAN],
  async () => {
    const words = ["--no-cfg", "--allow-root", "--tag-display-limit=0"];
    const said = await output(
      LINTIAN,
      ...words,
      "--fail-on=error,warning",
      await packOnce("deb"),
    );
    assertEquals(said, "");
  },
);

packageTest(
  "the package serves nothing when it is installed",
  async (machine) => {
    await machine.ok("dpkg", "--install", "/root/spawnd.deb");
    const { said: enabled } = await machine.run(
      "systemctl",
      "is-enabled",
      "spawnd",
    );
    const { said: active } = await machine.run(
      "systemctl",
      "is-active",
      "spawnd",
    );
    assertEquals([enabled, active], ["disabled\n", "inactive\n"]);
    assertMatch(
      await machine.ok("getent", "passwd", "spawnd"),
      /^spawnd:x:\d+:\d+:[^:]*:\/nonexistent:\/usr\/sbin\/nologin$/m,
    );
    // Nobody else's words in the configuration of a root daemon.
    assertEquals(
      await machine.ok("stat", "-c", "%U %G %a", "/etc/spawnd/main.cf"),
      "root root 644\n",
    );
    const { said } = await machine.run("spawnd", "check");
    assertMatch(said, /no service to serve/);
  },
);

packageTest(
  "one line that is uncommented makes the package serve",
  async (machine) => {
    const address = await installAndServe(machine);
    assertEquals(await talkTo(address, "hello\n"), "hello\n");
    const { said } = await machine.run("spawnd", "check");
    assertEquals(said, "");
    const words = ["show", "--value", "--property=Type,StatusText", "spawnd"];
    assertEquals(
      await machine.ok("systemctl", ...words),
      "notify\nServing 1 service\n",
    );
    assertMatch(await machine.ok("spawnd", "status"), /127\.0\.0\.1:/);
  },
);

packageTest(
  "an upgrade under load loses no connection and cuts no command short",
  async (machine) => {
    await using folder = await Folder.create();
    const address = await installAndServe(machine);
    const pid = await mainPid(machine);
    const before = await programOf(machine, pid);
    const next = await nextVersion(machine);
    using held = await Conversation.start(address);
    const stop = folder.join("stop");
    const clients = [1, 2, 3, 4].map(() => closedLoop(address, stop));

    const said = await machine.ok("dpkg", "--install", next);

    await folder.file("stop", "");
    for (const { whole, lost, cut } of await Promise.all(clients)) {
      assert(whole > 0);
      assertEquals({ lost, cut }, { lost: 0, cut: 0 }, said);
    }
    await held.goOn();
    assertEquals(await mainPid(machine), pid);
    assert(await programOf(machine, pid) !== before, said);
    assertMatch(said, new RegExp(`process id ${pid} serves`));
    // The administrator's line is there, and nobody was asked about it.
    assertEquals(await talkTo(address, "hello\n"), "hello\n");
  },
);

packageTest(
  "an upgrade to a program that does not serve leaves the old one serving",
  async (machine) => {
    const address = await installAndServe(machine);
    const pid = await mainPid(machine);
    // What is asked for a reload is the new program, too.
    const script = `cat >usr/sbin/spawnd <<'END'
#!/bin/sh
[ "$1" != serve ] || exit 1
exec /root/old/spawnd "$@"
END`;
    await machine.ok(
      "sh",
      "-c",
      "mkdir /root/old; cp /usr/sbin/spawnd /root/old",
    );
    const next = await nextVersion(machine, script);
    const said = await machine.ok("dpkg", "--install", next);
    assertMatch(said, /the daemon of \S+ was not upgraded/);
    assertEquals(await mainPid(machine), pid);
    assertEquals(await talkTo(address, "hello\n"), "hello\n");
  },
);

packageTest(
  "a package that is removed has waited for its commands, and one that is purged leaves nothing",
  async (machine) => {
    const before = await filesOf(machine);
    const address = await installAndServe(machine);
    using connection = await connectTo(address);
    await connection.write(new TextEncoder().encode("before\n"));
    assertEquals(await readBytes(connection, 7), "before\n");

    const removed = machine.ok("dpkg", "--remove", "spawnd");
    await machine.logged("no more connections are accepted");
    await connection.write(new TextEncoder().encode("during\n"));
    assertEquals(await readBytes(connection, 7), "during\n");
    connection.close();
    await removed;

    const { said } = await machine.run("systemctl", "is-active", "spawnd");
    assertEquals(said, "inactive\n");
    await machine.ok("test", "-e", "/etc/spawnd/master.cf");
    await machine.ok("dpkg", "--purge", "spawnd");
    const left = (await filesOf(machine)).filter((file) =>
      !before.includes(file)
    );
    // Accounts are never removed, or their ids would become somebody else's.
    assertEquals(left.filter((file) => !/^\/etc\/[a-z]*-$/.test(file)), []);
    await machine.ok("getent", "passwd", "spawnd");
  },
);

peerTest(
  "what is packed is the same bytes from two folders and at two times",
  [DEBHELPER],
  async () => {
    await using folder = await Folder.create();
    const copy = folder.join("a folder/copy");
    await Deno.mkdir(`${copy}/.cache`, { recursive: true });
    const script =
      `cd "$0" && tar --create --exclude=./dist --exclude=./.cache . |
      tar --extract --directory "$1" --touch &&
      cp -R "$0"/.cache/deno-* "$1/.cache"`;
    await output("sh", "-c", script, ROOT, copy);
    const files = [await packOnce("deb"), await packOnce("release")];
    for (const kind of ["deb", "release"] as const) await pack(kind, copy);
    for (const file of [`${ROOT}/dist/spawnd`, ...files]) {
      const there = file.replace(ROOT, copy);
      assertEquals(
        await sha256(await Deno.readFile(there)),
        await sha256(await Deno.readFile(file)),
        file,
      );
    }
  },
);

peerTest("the tarball's checksums are right, and it has all there is", [
  DEBHELPER,
], async () => {
  await using folder = await Folder.create();
  const tarball = await packOnce("release");
  await output("tar", "-xzf", tarball, "-C", folder.path);
  const dist = tarball.replace(/\/[^/]*$/, "");
  const check = 'cd "$0" && sha256sum --check --quiet "$1"';
  await output("sh", "-c", check, dist, `${tarball}.sha256`);
  const [name = ""] = await folder.names();
  assertMatch(name, new RegExp(`^spawnd-${manifest.version}-linux-\\w+$`));
  const tree = folder.join(name);
  await output("sh", "-c", check, tree, "SHA256SUMS");
  const listed = await output("sh", "-c", 'cd "$0" && wc -l <SHA256SUMS', tree);
  const there = await output("find", tree, "-type", "f");
  assertEquals(Number(listed), there.trim().split("\n").length - 1);
  assert(await exists(`${tree}/sbom.cdx.json`));
  assertMatch(await output(`${tree}/dist/spawnd`, "--version"), /^spawnd /);
});
