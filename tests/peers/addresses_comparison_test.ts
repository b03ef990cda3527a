/**
 * The names of inet services against the real master(8), on names made at
 * random: what it listens on, or that it refuses to start.
 *
 * Names that spawnd takes are given to one master, as each has a port of its
 * own; one that it refuses needs a master for itself. They run in namespaces
 * of their own, where every port is free and the hosts are the test's.
 *
 * `SPAWND_SEED` and `SPAWND_CASES` make another or a longer run.
 *
 * @module
 */

import { assert } from "@std/assert";
import { toBytes } from "../../lib/config/bytes.ts";
import { checkDaemon } from "../../lib/config/daemon_settings.ts";
import { ANY_MACHINE } from "../../lib/config/machine.ts";
import { loadConfiguration } from "../../lib/config/load_configuration.ts";
import { type Lookup, parseInetName } from "../../lib/net/inet_endpoint.ts";
import { formatAddress } from "../../lib/posix/sockets.ts";
import { peerTest } from "../e2e/load.ts";
import { Folder, output } from "../e2e/machine.ts";
import { Random } from "./random.ts";
import {
  HOSTS,
  KNOWN_PREFIX,
  randomName,
  SERVICE_PREFIX,
} from "./random_addresses.ts";

const MASTER = "/usr/lib/postfix/sbin/master";
const BUSYBOX = "/usr/bin/busybox";
const SEED = Number(Deno.env.get("SPAWND_SEED") ?? 10);
const CASES = Number(Deno.env.get("SPAWND_CASES") ?? 1000);

/** Names that are tried together. */
const GROUP = 200;

/** The first port, below those that the kernel gives to anybody. */
const PORT_MIN = 2000;

const IPV4_ALONE = "inet_protocols = ipv4";

/** What main.cf says for the names of a group. */
const SETTINGS: readonly string[] = [
  "",
  IPV4_ALONE,
  "inet_protocols = ipv6",
  "inet_interfaces = localhost, [::1]\n 127.1",
  "inet_interfaces = loopback-only",
];

/**
 * Where spawnd is not master(8). Names of such kinds are not made here.
 *
 * - Ports above 65535: the C library takes them modulo 65536, spawnd refuses
 *   them.
 * - Addresses of other machines: master(8) refuses to start as it binds, and
 *   so does spawnd, though the name as such is good.
 * - A host of which hosts(5) has ::1, for IPv4 alone: the C library makes
 *   127.0.0.1 of that, spawnd has no address.
 * - IPv4 in IPv6's form, for IPv4 alone: the C library makes IPv4 of it, and
 *   spawnd refuses it as with IPv6.
 * - Scopes: master(8) knows none, spawnd does, for link-local addresses.
 * - Two services of one address: master(8) has the kernel share connections
 *   out between them; spawnd, which finds no reason to want that, refuses.
 */
interface Case {
  /** One name, or two for one port. */
  readonly names: readonly string[];
  readonly port: number;
  /** The addresses by spawnd; `undefined` where it refuses. */
  readonly addresses: readonly string[] | undefined;
}

/** The resolver of the namespace. */
const LOOKUP: Lookup = {
  addresses: (host) => [...HOSTS[host.toLowerCase()] ?? []],
  port: servicePort,
};

function servicePort(name: string): number | undefined {
  return name.startsWith(SERVICE_PREFIX)
    ? Number(name.slice(SERVICE_PREFIX.length))
    : undefined;
}

function line(name: string): string {
  return `${name} inet n n n - 1 spawn user=nobody argv=/bin/cat\n`;
}

/** A group of names that share a main.cf. */
class Group {
  readonly cases: readonly Case[];
  readonly #folder: Folder;
  readonly #main: string;

  constructor(folder: Folder, seed: number, size: number) {
    this.#folder = folder;
    const random = new Random(seed);
    const known = Array.from(
      { length: size },
      (_, index) => `${KNOWN_PREFIX}${PORT_MIN + index}=${PORT_MIN + index}`,
    );
    const settings = SETTINGS[seed % SETTINGS.length] ?? "";
    const hosts = Object.keys(HOSTS).filter((host) =>
      settings !== IPV4_ALONE || !HOSTS[host]?.includes("::1")
    );
    this.#main = `${settings}\nknown_tcp_ports = ${known.join(", ")}\n`;
    this.cases = Array.from({ length: size }, (_, index) => {
      const port = PORT_MIN + index;
      const name = (): string => {
        const made = randomName(random, port, hosts);
        return settings === IPV4_ALONE && made.includes("::ffff:")
          ? `${port}`
          : made;
      };
      const names = random.chance(30) ? [name(), name()] : [name()];
      const addresses = this.#addressesOf(names);
      return addresses?.some(isElsewhere(port))
        ? {
          names: [`${port}`],
          port,
          addresses: this.#addressesOf([`${port}`]),
        }
        : { names, port, addresses };
    });
  }

  /** What spawnd would listen on. */
  #addressesOf(names: readonly string[]): string[] | undefined {
    const configuration = loadConfiguration(
      ".",
      (path) =>
        toBytes(
          path === "./main.cf" ? this.#main : names.map(line).join(""),
        ),
      { machine: { ...ANY_MACHINE, hostname: () => "x", servicePort } },
    );
    const { settings } = checkDaemon(configuration);
    const { problems, entries, knownPorts } = configuration;
    if (settings === undefined) return undefined;
    if (problems.some(({ level }) => level === "error")) return undefined;
    const addresses: string[] = [];
    for (const { name } of entries) {
      const found = parseInetName(name.text, {
        interfaces: settings.inetInterfaces,
        protocols: settings.inetProtocols,
        ports: knownPorts,
      }, LOOKUP);
      if (!found.ok) return undefined;
      addresses.push(
        ...found.value.endpoints.map((endpoint) =>
          formatAddress({ kind: "inet", ...endpoint })
        ),
      );
    }
    return addresses.sort();
  }

  /** Cases that master(8) takes in another way, as one line each. */
  async differences(): Promise<string[]> {
    const good = this.cases.filter(({ addresses }) => addresses !== undefined);
    const bad = this.cases.filter(({ addresses }) => addresses === undefined);
    const [together, ...alone] = await this.#run([
      good,
      ...bad.map((each) => [each]),
    ]);
    const wrongly = bad.filter((_, index) => alone[index] !== undefined);
    if (together !== undefined) {
      return [...good.filter(isOtherThan(together)), ...wrongly].map((each) =>
        this.#shown(each, together)
      );
    }
    // One of them keeps all from being served.
    const each = await this.#run(good.map((one) => [one]));
    return [
      ...good.filter((_, index) => each[index] === undefined),
      ...wrongly,
    ].map((one) => this.#shown(one, []));
  }

  /**
   * What masters listen on with some cases each; `undefined` for one that does
   * not start.
   */
  async #run(
    runs: readonly (readonly Case[])[],
  ): Promise<(string[] | undefined)[]> {
    for (const [index, cases] of runs.entries()) {
      const folder = this.#folder.join(`${index}`);
      await output("mkdir", "-p", `${folder}/data`, `${folder}/queue/pid`);
      await output("chown", "postfix", `${folder}/data`);
      const files = {
        "main.cf": `queue_directory = ${folder}/queue\n` +
          `data_directory = ${folder}/data\nmaillog_file = ${folder}/log\n` +
          `maillog_file_prefixes = ${folder}\n${this.#main}`,
        "master.cf": cases.flatMap(({ names }) => names).map(line).join(""),
      };
      for (const [name, text] of Object.entries(files)) {
        Deno.writeFileSync(`${folder}/${name}`, toBytes(text));
        // Postfix waits for a file that has just changed to change no more.
        Deno.utimeSync(`${folder}/${name}`, 1, 1);
      }
    }
    const { path } = this.#folder;
    await output("unshare", ...APART, "bash", `${path}/run`, path);
    const sockets = socketsIn(Deno.readTextFileSync(`${path}/sockets`));
    const found = runs.map((_, index) =>
      hasStarted(`${path}/${index}`) ? sockets : undefined
    );
    await output("sh", "-c", `rm -rf ${path}/[0-9]*`);
    return found;
  }

  #shown({ names, port, addresses }: Case, found: readonly string[]): string {
    const there = found.filter((address) => address.endsWith(`:${port}`));
    return `${JSON.stringify(names)} with ${
      JSON.stringify(this.#main.split("\n")[0])
    }: ` +
      `spawnd ${addresses?.join(" ") ?? "refuses"}, ` +
      `master ${there.join(" ") || "does otherwise"}`;
  }
}

/** Finds addresses that a slip has made another machine's, or another port's. */
function isElsewhere(port: number): (address: string) => boolean {
  const here = RegExp(`^(?:(?:127|0)\\.[\\d.]+|\\[::1?\\]):${port}$`);
  return (address) => !here.test(address);
}

function hasStarted(folder: string): boolean {
  try {
    return Deno.statSync(`${folder}/log`).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function isOtherThan(found: readonly string[]): (each: Case) => boolean {
  return ({ port, addresses }) => {
    const there = found.filter((address) => address.endsWith(`:${port}`));
    return there.join() !== addresses?.join();
  };
}

/** Addresses as /proc/net/tcp and tcp6 have them, of sockets that listen. */
function socketsIn(text: string): string[] {
  return text.split("\n").flatMap((row) => {
    const [, local = "", , state] = row.trim().split(/\s+/);
    const [host = "", port = ""] = local.split(":");
    if (state !== "0A") return [];
    const bytes = host.match(/.{8}/g)?.flatMap((word) =>
      (word.match(/../g) ?? []).reverse().map((byte) =>
        parseInt(byte, 16)
      )
    ) ?? [];
    return [
      formatAddress({
        kind: "inet",
        host: bytes.length === 4
          ? bytes.join(".")
          : bytes.some((byte) => byte > 0)
          ? "::1"
          : "::",
        port: parseInt(port, 16),
      }),
    ];
  }).sort();
}

/**
 * The namespaces of its own that the script has. In that of processes, an id of
 * one that has ended can have come to be nobody else's, whom it would kill.
 */
const APART = [
  "--net",
  "--mount",
  "--pid",
  "--fork",
  "--kill-child",
  "--mount-proc",
] as const;

/** Starts each master, and notes what they listen on that come so far. */
const RUN = `
set -e
busybox ip link set lo up
for file in hosts services nsswitch.conf; do
  mount --bind "$1/$file" "/etc/$file"
done
ulimit -n "$(ulimit -Hn)"
declare -A pids
for folder in "$1"/[0-9]*; do
  ${MASTER} -d -c "$folder" >/dev/null 2>&1 &
  pids[$folder]=$!
done
for folder in "\${!pids[@]}"; do
  # It says that it has started, or it has gone.
  while [[ -d /proc/\${pids[$folder]} && ! -s $folder/log ]]; do sleep 0.01; done
done
# Rows may come twice where sockets come meanwhile.
cat /proc/net/tcp /proc/net/tcp6 >"$1/sockets"
for folder in "\${!pids[@]}"; do
  kill -KILL "\${pids[$folder]}" 2>/dev/null || rm -f "$folder/log"
done
wait 2>/dev/null
`;

peerTest(
  `${CASES} names at random, from seed ${SEED}, are the addresses that master(8) makes of them`,
  [MASTER, BUSYBOX],
  async () => {
    await using folder = await Folder.create();
    await folder.file("run", RUN);
    await folder.file("nsswitch.conf", "hosts: files\nservices: files\n");
    await folder.file(
      "hosts",
      Object.entries(HOSTS).flatMap(([host, addresses]) =>
        addresses.map((address) => `${address} ${host}\n`)
      ).join(""),
    );
    await folder.file(
      "services",
      Array.from(
        { length: GROUP },
        (_, index) =>
          `${SERVICE_PREFIX}${PORT_MIN + index} ${PORT_MIN + index}/tcp\n`,
      ).join(""),
    );
    const failures: string[] = [];
    let listened = 0;
    for (let from = 0; from < CASES && failures.length < 5; from += GROUP) {
      const size = Math.min(GROUP, CASES - from);
      const group = new Group(folder, SEED + from / GROUP, size);
      listened += group.cases.filter((each) => each.addresses).length;
      failures.push(...await group.differences());
    }
    assert(failures.length === 0, failures.join("\n"));
    assert(listened > CASES / 2, `names that are taken: ${listened}`);
  },
);
