/**
 * Three machines in network namespaces behind a real HAProxy, with the
 * configuration that deploy/haproxy has.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { programWords } from "../e2e/daemon.ts";
import { peerTest } from "../e2e/load.ts";
import { Folder, output, until } from "../e2e/machine.ts";

const CONFIGURATION =
  new URL("../../deploy/haproxy/haproxy.cfg", import.meta.url).pathname;

const HAPROXY = "/usr/sbin/haproxy";
const IP = "/usr/sbin/ip";
const BALANCER = "192.0.2.10";
const PORT = 7007;
const MACHINES = [1, 2, 3] as const;

/** As many clients, each from an address of its own. */
const CLIENT_COUNT = 12;

/**
 * Talks from an address, one connection after the other, until a file appears.
 * Prints a line for each: its port, which machine it came to, and how it went.
 */
const CLIENT = `
  my ($from, $to, $port, $stop) = @ARGV;
  $| = 1;
  $SIG{PIPE} = "IGNORE";
  $SIG{ALRM} = sub { die "no answer\\n" };
  while (!-e $stop) {
    my ($answer, $own) = ("", 0);
    eval {
      alarm 60;
      socket(my $s, PF_INET, SOCK_STREAM, 0) or die $!;
      setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
      bind($s, pack_sockaddr_in(0, inet_aton($from))) or die $!;
      connect($s, pack_sockaddr_in($port, inet_aton($to))) or die $!;
      ($own) = unpack_sockaddr_in(getsockname($s));
      syswrite($s, "hello\\n");
      shutdown($s, 1);
      1 while sysread($s, $answer, 4096, length $answer);
    };
    my ($machine, $echo) = split /\\n/, $answer;
    my $how = ($echo // "") eq "hello" ? "whole" : "lost";
    printf "%s:%d %s %s\\n", $from, $own, $machine || "-", $how;
  }
`;

/** How one connection went. */
interface Connection {
  /** The client, as the log of HAProxy has it. */
  readonly client: string;
  readonly machine: string;
  readonly isWhole: boolean;
}

/** Runs a program behind other words. */
async function run(
  before: readonly string[],
  ...words: readonly string[]
): Promise<string> {
  const [program = "", ...rest] = [...before, ...words];
  return await output(program, ...rest);
}

/** Clients that talk until they are told to stop. */
async function clientsUntil(
  stop: string,
  within: readonly string[],
): Promise<Connection[]> {
  const texts = await Promise.all(
    Array.from({ length: CLIENT_COUNT }, (_, at) => {
      const words = [`192.0.2.${100 + at}`, BALANCER, String(PORT), stop];
      return run(within, "perl", "-MSocket=:all", "-e", CLIENT, ...words);
    }),
  );
  return texts.join("").trim().split("\n").map((line) => {
    const [client = "", machine = "", how] = line.split(" ");
    return { client, machine, isWhole: how === "whole" };
  });
}

/** A name that no other test has: namespaces are the whole machine's. */
function namespaceOf(prefix: string, machine: number): string {
  return `${prefix}-${machine}`;
}

/**
 * The machines, each a namespace with a daemon in it. The bridge between them,
 * HAProxy and the clients are in a namespace of their own: nothing is sent to
 * an address of the network that the tests run in.
 */
class Farm implements AsyncDisposable {
  readonly #folder: Folder;
  readonly #prefix = `spawnd-${crypto.randomUUID().slice(0, 6)}`;
  readonly #daemons = new Map<number, Deno.ChildProcess>();
  #balancer: Deno.ChildProcess | undefined;

  constructor(folder: Folder) {
    this.#folder = folder;
  }

  async start(): Promise<void> {
    await output(IP, "netns", "add", this.#hub);
    await output(...this.#ip, "link", "set", "lo", "up");
    await output(...this.#ip, "link", "add", this.#bridge, "type", "bridge");
    for (const host of [10, ...this.#clients]) {
      const address = `192.0.2.${host}/24`;
      await output(...this.#ip, "address", "add", address, "dev", this.#bridge);
    }
    await output(...this.#ip, "link", "set", this.#bridge, "up");
    for (const machine of MACHINES) await this.#startMachine(machine);
    for (const machine of MACHINES) {
      await until(`machine ${machine} serves`, () => this.#serves(machine));
    }
    const [program, ...words] = this.within;
    this.#balancer = new Deno.Command(program, {
      args: [...words, HAPROXY, "-L", "balancer1", "-f", CONFIGURATION],
      ...{ stdin: "null", stderr: "null" },
      stdout: "piped",
    }).spawn();
    this.#log = new Response(this.#balancer.stdout).text();
  }

  #log: Promise<string> = Promise.resolve("");

  get #hub(): string {
    return `${this.#prefix}-hub`;
  }

  /** ip(8) in the namespace of the bridge. */
  get #ip(): [string, ...string[]] {
    return [IP, "-n", this.#hub];
  }

  /** Words that have a program run where HAProxy and the clients do. */
  get within(): [string, ...string[]] {
    return [IP, "netns", "exec", this.#hub];
  }

  get #bridge(): string {
    return `${this.#prefix}-b`;
  }

  get #clients(): number[] {
    return Array.from({ length: CLIENT_COUNT }, (_, at) => 100 + at);
  }

  async #startMachine(machine: number): Promise<void> {
    const space = namespaceOf(this.#prefix, machine);
    const [inside, outside] = ["eth0", `${this.#prefix}${machine}`];
    const address = `192.0.2.${machine}`;
    await output(IP, "netns", "add", space);
    await output(
      ...this.#ip,
      ...["link", "add", outside, "type", "veth"],
      ...["peer", "name", inside, "netns", space],
    );
    const onBridge = ["master", this.#bridge, "up"];
    await output(...this.#ip, "link", "set", outside, ...onBridge);
    const within = [IP, "-n", space] as const;
    await output(...within, "address", "add", `${address}/24`, "dev", inside);
    await output(...within, "link", "set", inside, "up");
    await output(...within, "link", "set", "lo", "up");
    const directory = this.directory(machine);
    await Deno.mkdir(`${directory}/queue`, { recursive: true });
    await Deno.writeTextFile(
      `${directory}/main.cf`,
      `compatibility_level = 3.7
queue_directory = ${directory}/queue
spawnd_metrics_address = ${address}:9127
`,
    );
    await Deno.writeTextFile(
      `${directory}/master.cf`,
      `${PORT} inet n n n - 50 spawn
    -o spawnd_proxy_protocol=yes
    -o spawnd_proxy_clients=${BALANCER}
    user=nobody argv=/bin/sh -c {echo machine${machine}; exec cat}
`,
    );
    const [program = "", ...words] = programWords();
    const child = new Deno.Command(IP, {
      args: [
        ...["netns", "exec", space, program, ...words],
        ...["serve", "-c", directory],
      ],
      clearEnv: true,
      ...{ stdin: "null", stdout: "null", stderr: "null" },
    }).spawn();
    this.#daemons.set(machine, child);
  }

  async #serves(machine: number): Promise<boolean> {
    const [program = "", ...words] = programWords();
    const { success } = await new Deno.Command(program, {
      args: [...words, "status", "-c", this.directory(machine)],
      ...{ stdout: "null", stderr: "null" },
    }).output();
    return success;
  }

  /** Where a machine's configuration is. */
  directory(machine: number): string {
    return this.#folder.join(`machine${machine}`);
  }

  /** Which machines a client of each address comes to now. */
  async machines(): Promise<string[]> {
    const stop = this.#folder.join("now");
    await Deno.writeTextFile(stop, "");
    const script = CLIENT.replace("while (!-e $stop)", "for (1)");
    return await Promise.all(this.#clients.map(async (host) => {
      const words = [`192.0.2.${host}`, BALANCER, String(PORT), stop];
      const perl = ["perl", "-MSocket=:all", "-e", script];
      const text = await run(this.within, ...perl, ...words);
      return text.split(" ")[1] ?? "";
    }));
  }

  /** Ends all that a machine runs, and takes it from the network. */
  async kill(machine: number): Promise<void> {
    const space = namespaceOf(this.#prefix, machine);
    // Some end between being listed and being killed.
    const script = 'kill -KILL $("$0" netns pids "$1") 2>/dev/null; ' +
      '"$0" netns pids "$1"';
    // Then all that it had open is closed, and HAProxy was told so.
    await until("nothing runs there", async () => {
      return await output("sh", "-c", script, IP, space) === "";
    });
    const outside = `${this.#prefix}${machine}`;
    await output(...this.#ip, "link", "set", outside, "down");
  }

  /** How a daemon ended. */
  async ended(machine: number): Promise<number | undefined> {
    return (await this.#daemons.get(machine)?.status)?.code;
  }

  /** Ends HAProxy when its last connection has, and gives its log. */
  async log(): Promise<string> {
    this.#balancer?.kill("SIGUSR1");
    return await this.#log;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of [this.#balancer, ...this.#daemons.values()]) {
      try {
        child?.kill("SIGINT");
      } catch (error) {
        // It has ended already.
        if (!(error instanceof TypeError)) throw error;
      }
      await child?.status;
    }
    await this.#log;
    for (const machine of MACHINES) {
      await output(IP, "netns", "delete", namespaceOf(this.#prefix, machine));
    }
    await output(IP, "netns", "delete", this.#hub);
  }
}

peerTest("HAProxy takes its configuration", HAPROXY, async () => {
  await output(HAPROXY, "-c", "-L", "balancer1", "-f", CONFIGURATION);
});

peerTest(
  "of three machines one is drained and one is killed, and nothing is lost but the killed one's",
  [HAPROXY, IP],
  async () => {
    await using folder = await Folder.create();
    await using farm = new Farm(folder);
    await farm.start();
    let before: string[] = [];
    await until("a client always comes to the same machine", async () => {
      before = await farm.machines();
      return new Set(before).size === MACHINES.length &&
        (await farm.machines()).every((each, at) => each === before[at]);
    });

    const stop = folder.join("stop");
    const talking = clientsUntil(stop, farm.within);
    const [program = "", ...words] = programWords();
    const drain = ["drain", "-c", farm.directory(1), "--grace", "5s"];
    await output(program, ...words, ...drain);
    assertEquals(await farm.ended(1), 0);
    // Its clients go to others; those of the other two stay where they were.
    await until("the drained machine has no clients", async () => {
      return (await farm.machines()).every((machine, at) =>
        before[at] === "machine1"
          ? machine !== "machine1"
          : machine === before[at]
      );
    });
    await farm.kill(2);
    await until("all clients are with the third", async () => {
      return (await farm.machines()).every((each) => each === "machine3");
    });
    await Deno.writeTextFile(stop, "");

    const connections = await talking;
    const log = await farm.log();
    const sentTo = new Map(
      log.split("\n").map((line) => {
        const [client = "", machine = ""] = line.split(" ");
        return [client, machine];
      }),
    );
    const lost = connections.filter(({ isWhole }) => !isWhole);
    for (const { client } of lost) {
      assertEquals(sentTo.get(client), "machine2", client);
    }
    assert(lost.length <= CLIENT_COUNT, `${lost.length} lost`);
    for (const machine of ["machine1", "machine2", "machine3"]) {
      assert(connections.some((each) => each.machine === machine), machine);
    }
  },
);
