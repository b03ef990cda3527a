/**
 * The scripts for s6, runit and OpenRC, each started by its own supervisor in a
 * Debian of the tests' own; and the program as process 1, as in a container.
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
import { childrenOf, until } from "../e2e/machine.ts";
import { Conversation } from "../e2e/reloading.ts";
import { DEBIAN_ROOT, DebianMachine, SBIN_SPAWND } from "./debian_machine.ts";

const DEPLOY = new URL("../../deploy", import.meta.url).pathname;

/** Collects orphans, and does nothing else. */
const NO_INIT = ["perl", "-e", '$SIG{CHLD} = "IGNORE"; sleep while 1'] as const;

async function configure(
  machine: DebianMachine,
  services: readonly string[],
): Promise<void> {
  await machine.copy(`${DEPLOY}/config/main.cf`, "/etc/spawnd/main.cf");
  await machine.write("/etc/spawnd/master.cf", `${services.join("\n")}\n`);
}

function cat(address: string): string {
  return `${address} inet n n n - 50 spawn user=nobody argv=/bin/cat`;
}

const OPENRC_FOLDERS = [
  ...["starting", "started", "stopping", "failed", "exclusive", "options"],
  ...["daemons", "inactive", "wasinactive", "hotplugged", "scheduled", "tmp"],
] as const;

/**
 * Whether a service serves: while a reload is tried, somebody listens there who
 * does not.
 */
async function answers(address: string): Promise<boolean> {
  try {
    return await talkTo(address, "hello") === "hello";
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    if (error instanceof Deno.errors.ConnectionReset) return false;
    throw error;
  }
}

/** A supervisor's words. */
interface Supervisor {
  readonly name: string;
  /** What is process 1. */
  readonly init: readonly string[];
  /** Puts the files in place. */
  readonly install: (machine: DebianMachine) => Promise<void>;
  /** Starts the service; all of them return when it serves. */
  readonly up: readonly string[];
  readonly reload: readonly string[];
  /** Stops it, and waits for that. */
  readonly down: readonly string[];
  readonly isUp: RegExp;
  /** What the status says where the next start would be somebody's wish. */
  readonly isGivenUp: RegExp;
  readonly status: readonly string[];
}

const SUPERVISORS: readonly Supervisor[] = [
  {
    name: "s6",
    init: ["sh", "-c", "mkdir -p /service && exec s6-svscan /service"],
    install: async (machine) => {
      await machine.copy(`${DEPLOY}/s6`, "/root/spawnd");
      await machine.ok("touch", "/root/spawnd/down");
      await machine.ok("mv", "/root/spawnd", "/service/spawnd");
      await machine.ok("s6-svscanctl", "-a", "/service");
      await until("it is supervised", async () => {
        return (await machine.run("s6-svstat", "/service/spawnd")).code === 0;
      });
    },
    up: ["s6-svc", "-wU", "-T", "60000", "-u", "/service/spawnd"],
    reload: ["s6-svc", "-h", "/service/spawnd"],
    down: ["s6-svc", "-wd", "-T", "60000", "-d", "/service/spawnd"],
    status: ["s6-svstat", "/service/spawnd"],
    isUp: /^up /,
    isGivenUp: /^down (?!.*want up)/,
  },
  {
    name: "runit",
    init: ["sh", "-c", "mkdir -p /service && exec runsvdir /service"],
    install: async (machine) => {
      await machine.copy(`${DEPLOY}/runit`, "/root/spawnd");
      await machine.ok("touch", "/root/spawnd/down");
      await machine.ok("mv", "/root/spawnd", "/service/spawnd");
      await until("it is supervised", async () => {
        return (await machine.run("sv", "status", "/service/spawnd"))
          .code === 0;
      });
    },
    up: ["sv", "up", "/service/spawnd"],
    reload: ["sv", "hup", "/service/spawnd"],
    down: ["sv", "-w", "60", "down", "/service/spawnd"],
    status: ["sv", "status", "/service/spawnd"],
    isUp: /^run: /,
    isGivenUp: /^down: (?!.*want up)/,
  },
  {
    name: "OpenRC",
    init: NO_INIT,
    install: async (machine) => {
      await machine.copy(`${DEPLOY}/openrc/spawnd`, "/etc/init.d/spawnd");
      // What a boot by OpenRC makes.
      const folders = OPENRC_FOLDERS.map((name) => `/run/openrc/${name}`);
      await machine.ok("mkdir", "-p", ...folders);
      await machine.ok("touch", "/run/openrc/softlevel");
    },
    up: ["rc-service", "--nodeps", "spawnd", "start"],
    reload: ["rc-service", "--nodeps", "spawnd", "reload"],
    down: ["rc-service", "--nodeps", "spawnd", "stop"],
    status: ["rc-service", "--nodeps", "spawnd", "status"],
    isUp: /started/,
    isGivenUp: /stopped/,
  },
];

async function machineWith(
  { init, install }: Supervisor,
  services: readonly string[],
): Promise<DebianMachine> {
  const machine = await DebianMachine.start(init);
  await machine.installProgram();
  await configure(machine, services);
  await install(machine);
  return machine;
}

for (const supervisor of SUPERVISORS) {
  const { name, up, reload, down, status, isUp, isGivenUp } = supervisor;

  peerTest(`${name} starts, reloads and stops it`, DEBIAN_ROOT, async () => {
    const [address, other] = [freeAddress(), freeAddress()];
    await using machine = await machineWith(supervisor, [cat(address)]);
    await machine.ok(...up);
    await until("it serves", async () => !await isRefused(address));
    assertMatch((await machine.run(...status)).said, isUp);
    using held = await Conversation.start(address);

    await configure(machine, [cat(address), cat(other)]);
    await machine.ok(...reload);
    await until("it has reloaded", () => answers(other));
    await held.goOn();
    assertEquals(await talkTo(address, "hello"), "hello");

    const stopped = machine.ok(...down);
    await until("it accepts no more", async () => {
      return (await machine.run("spawnd", "status")).code !== 0;
    });
    // The stop waits for this one.
    await held.goOn();
    assertEquals(await held.end(), "");
    await stopped;
    assertEquals(await isRefused(address), true);
    assert(!isUp.test((await machine.run(...status)).said));
  });

  peerTest(
    `${name} does not start again and again what is misconfigured`,
    DEBIAN_ROOT,
    async () => {
      await using machine = await machineWith(supervisor, ["nonsense"]);
      const script = `#!/bin/sh\necho "$1" >>/starts\nexit 78\n`;
      await machine.write(SBIN_SPAWND, script, 0o755);
      await machine.run(...up);
      await until("it is given up", async () => {
        const { said } = await machine.run(...status);
        return isGivenUp.test(said) &&
          (await machine.run("test", "-s", "/starts")).code === 0;
      });
      assertEquals((await machine.ok("cat", "/starts")).split("\n").length, 2);
    },
  );
}

/** As Containerfile says it. */
const CONTAINER = [SBIN_SPAWND, "serve", "-c", "/etc/spawnd"] as const;

/** What compose.yaml and kubernetes.yaml leave it. */
const CAPABILITIES = [
  ...["setuid", "setgid", "net_bind_service"],
  ...["chown", "fowner", "dac_override"],
] as const;

/** Waits for what the test puts there, and is then the program. */
const CONTAINER_INIT = [
  ...["sh", "-c", 'while [ ! -e /go ]; do sleep 0.05; done; exec "$@"', "sh"],
  "setpriv",
  `--bounding-set=-all${CAPABILITIES.map((name) => `,+${name}`).join("")}`,
  "--no-new-privs",
  ...CONTAINER,
] as const;

async function container(services: readonly string[]): Promise<DebianMachine> {
  const machine = await DebianMachine.start(CONTAINER_INIT);
  await machine.installProgram();
  await configure(machine, services);
  await machine.ok("mkdir", "-p", "/run/spawnd");
  await machine.ok("touch", "/go");
  return machine;
}

peerTest("the container is what the tests have", [], async () => {
  const text = await Deno.readTextFile(`${DEPLOY}/container/Containerfile`);
  const wordsOf = (what: string): string[] =>
    JSON.parse(new RegExp(`^${what} (.*)$`, "m").exec(text)?.[1] ?? "null");
  assertEquals([...wordsOf("ENTRYPOINT"), ...wordsOf("CMD")], [...CONTAINER]);
  for (const name of ["compose.yaml", "kubernetes.yaml"]) {
    const manifest = await Deno.readTextFile(`${DEPLOY}/container/${name}`);
    const [, added = ""] = /add: \[([^\]]*)\]/.exec(manifest) ?? [];
    assertEquals(added.toLowerCase().match(/\w+/g), [...CAPABILITIES], name);
  }
});

peerTest(
  "as process 1 it reloads, collects orphans, and stops when commands have",
  DEBIAN_ROOT,
  async () => {
    const [address, other, orphans] = [
      freeAddress(),
      freeAddress(),
      freeAddress(),
    ];
    const orphan = `${orphans} inet n n n - 50 spawn user=nobody ` +
      `argv=/bin/sh -c {setsid sleep 0.2 & echo left}`;
    const services = [cat(address), orphan];
    await using machine = await container(services);
    await until("it serves", async () => !await isRefused(address));
    using held = await Conversation.start(address);

    // Orphans of commands come to process 1, and leave no zombie there.
    assertEquals(await talkTo(orphans), "left\n");
    await until("the orphan is collected", async () => {
      return (await childrenOf(machine.init)).length === 1;
    });

    await configure(machine, [...services, cat(other)]);
    await machine.ok("kill", "-HUP", "1");
    await until("it has reloaded", () => answers(other));
    await held.goOn();

    using connection = await connectTo(address);
    await connection.write(new TextEncoder().encode("x"));
    assertEquals(await readBytes(connection, 1), "x");
    await machine.ok("kill", "-TERM", "1");
    await until("it accepts no more", async () => {
      return (await machine.run("spawnd", "status")).code !== 0;
    });
    await held.goOn();
    await held.end();
    await connection.closeWrite();
    assertEquals(await machine.ended(), 0);
  },
);
