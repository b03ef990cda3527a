/**
 * Names of inet services, and which of them there are, from master.cf to the
 * sockets that the daemon has.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Daemon, runToEnd } from "./daemon.ts";
import { inet, talkTo, writeConfiguration } from "./configuration.ts";
import { peerTest } from "./load.ts";
import { Folder, rootTest } from "./machine.ts";

/** Addresses of a network namespace of its own, where every port is free. */
const ALONE = [
  "unshare",
  "--net",
  "sh",
  "-c",
  'busybox ip link set lo up; exec "$@"',
];

/** A test in a network namespace, whose loopback busybox has to set up. */
function namespaceTest(name: string, fn: () => Promise<void>): void {
  peerTest(name, "/usr/bin/busybox", fn);
}

async function listening(
  main: readonly string[],
  names: readonly string[],
): Promise<string[]> {
  await using folder = await Folder.create();
  const directory = await writeConfiguration(folder, {
    main,
    master: names.map((name) => inet(name)),
  });
  await using daemon = await Daemon.serve(["-c", directory], {
    prefix: [...ALONE, "sh"],
  });
  return daemon.addresses.toSorted();
}

namespaceTest(
  "addresses may be written in every way that Postfix knows",
  async () => {
    assertEquals(
      await listening([], ["::1:22", "[ipv6:::1]:23", "[127.0.0.1]:22"]),
      ["127.0.0.1:22", "[::1]:22", "[::1]:23"],
    );
  },
);

namespaceTest("of two lines for one address, the last is served", async () => {
  assertEquals(
    await listening(["inet_protocols = ipv4"], ["22", ":22", "25", "smtp"]),
    ["0.0.0.0:22", "0.0.0.0:25"],
  );
});

namespaceTest(
  "known_tcp_ports names ports that the system does not know",
  async () => {
    assertEquals(
      await listening(["known_tcp_ports = foo=24"], ["127.0.0.1:foo"]),
      ["127.0.0.1:24"],
    );
  },
);

namespaceTest(
  "master_service_disable keeps services from being served",
  async () => {
    assertEquals(
      await listening(
        ["master_service_disable = 127.0.0.1:22/inet"],
        ["127.0.0.1:22", "127.0.0.1:23"],
      ),
      ["127.0.0.1:23"],
    );
  },
);

rootTest("without protocols, unix services alone are served", async () => {
  await using folder = await Folder.create();
  const directory = await writeConfiguration(folder, {
    main: ["inet_protocols ="],
    master: [
      inet("127.0.0.1:22"),
      "echo unix n n n - - spawn user=nobody argv=/bin/cat",
    ],
  });
  await using daemon = await Daemon.serve(["-c", directory]);
  const [address = "", ...others] = daemon.addresses;
  assertEquals(others, []);
  assertEquals(await talkTo(address, "hello"), "hello");
});

rootTest(
  "names that Postfix refuses are refused before anything is looked up",
  async () => {
    for (const name of ["0:22", "127.1:22", "a-:22", "a..b:22", "1.2.3:22"]) {
      const { code, stderr } = await runToEnd(
        ["run", "inet", name, "user=nobody", "argv=/bin/cat"],
      );
      assertEquals(code, 64);
      assertEquals(
        stderr.includes("valid hostname or network address required in"),
        true,
        stderr,
      );
    }
  },
);
