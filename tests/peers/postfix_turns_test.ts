import {
  assert,
  assertEquals,
  assertGreater,
  assertLessOrEqual,
} from "@std/assert";
import { finish, readBytes, readLine } from "../e2e/load.ts";
import { isAlive, output, proc, statusFields, until } from "../e2e/machine.ts";
import { Postfix, postfixTest } from "./postfix.ts";

postfixTest(
  "a process whose loop hangs is killed after daemon_timeout, and replaced",
  async () => {
    // Master never hears that the process has served, as that would tell it to
    // start others beside it; so it takes this for a bad start, and waits.
    await using postfix = await Postfix.start("", "service_throttle_time = 1s");
    await postfix.setMasterCf(
      `hangs unix - n n - - spawnd -o daemon_timeout=3s
    user=nobody argv=/bin/cat`,
    );
    await postfix.control("reload");
    assertEquals(await postfix.ask("hangs", "before"), "before");
    const [pid = 0] = await postfix.daemons("hangs");
    {
      await using _delay = await Delay.of(pid, "accept4");
      using waits = await postfix.connect("hangs");
      await postfix.logged(
        new RegExp(`warning: process .*/spawnd pid ${pid} killed by signal 14`),
      );
      assert(!await isAlive(pid));
      waits.close();
    }
    assertEquals(await postfix.ask("hangs", "after"), "after");
  },
  { others: ["/usr/bin/strace"] },
);

postfixTest("signals that ask for nothing do not end a process", async () => {
  await using postfix = await Postfix.start(
    "stays unix - n n - - spawnd user=nobody argv=/bin/cat",
  );
  assertEquals(await postfix.ask("stays", "before"), "before");
  const [pid = 0] = await postfix.daemons("stays");
  for (const signal of ["USR1", "USR2", "PROF", "34", "64"]) {
    await output("kill", `-${signal}`, `${pid}`);
  }
  await postfix.logged(/spawnd.*: SIGRTMIN\+30 ignored: it asks for nothing/);
  assertEquals(await postfix.ask("stays", "after"), "after");
  assertEquals(await postfix.daemons("stays"), [pid]);
});

/** How long a system call is held up: for several times daemon_timeout. */
const DELAY_US = 12_000_000;

/** A tracer that holds up a process's main thread in a system call. */
class Delay implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  static async of(pid: number, call: string): Promise<Delay> {
    const child = new Deno.Command("strace", {
      args: [
        `--attach=${pid}`,
        `--inject=${call}:delay_enter=${DELAY_US}`,
        "--output=/dev/null",
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await until("the process is traced", async () => {
      const fields = statusFields(await proc(`${pid}/status`));
      return fields.get("TracerPid") === String(child.pid);
    });
    return new Delay(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // It ends with the process that it traces.
      assert(error instanceof TypeError, String(error));
    }
    await this.#child.status;
  }
}

postfixTest("-r ends a process after a time, with no command cut", async () => {
  await using postfix = await Postfix.start(
    `retires unix - n n - - spawnd -r 1 user=nobody argv=/bin/cat`,
  );
  using held = await postfix.connect("retires");
  await held.write(new TextEncoder().encode("held"));
  assertEquals(await readBytes(held, 4), "held");
  const [pid = 0] = await postfix.daemons("retires");
  const begun = performance.now();
  while (performance.now() - begun < 1500) {
    assertEquals(await postfix.ask("retires", "x"), "x");
  }
  assert(await isAlive(pid));
  assertEquals(await finish(held, " on"), " on");
  await until("it has ended", async () => !await isAlive(pid));
  assertEquals(await postfix.ask("retires", "anew"), "anew");
});

postfixTest("without max_use and max_idle a process stays", async () => {
  await using postfix = await Postfix.start(
    `stays unix - n n - 1 spawnd -o max_use=0 -o max_idle=0
    user=nobody argv=/bin/cat
ends unix - n n - 1 spawnd -o max_use=2 -o max_idle=1s
    user=nobody argv=/bin/cat`,
  );
  await postfix.ask("stays");
  const [pid = 0] = await postfix.daemons("stays");
  for (let index = 0; index < 20; index++) await postfix.ask("stays");
  await postfix.ask("ends");
  await until("the other is idle", async () => {
    return (await postfix.daemons("ends")).length === 0;
  });
  assertEquals(await postfix.daemons("stays"), [pid]);
});

postfixTest(
  "a process ends after maxproc times max_use connections, at twice that it accepts none",
  async () => {
    await using postfix = await Postfix.start(
      `turns unix - n n - 2 spawnd -o max_use=2
    user=nobody argv=/bin/sh -c { echo $PPID; cat }`,
    );
    // Its turn is four, so a command that runs keeps it to eight.
    using held = await postfix.connect("turns");
    const line = await readLine(held);
    const pid = Number(line);
    const served: number[] = [pid];
    while (served.length < 8) served.push(await whoServes(postfix));
    assertEquals(served, served.map(() => pid));
    const next = await whoServes(postfix);
    assert(next !== pid, "it goes on to accept");
    assertEquals(await postfix.daemons("turns"), [pid, next].sort(byNumber));
    assertEquals(await finish(held, "not cut"), "not cut");
    await until("it has ended", async () => !await isAlive(pid));
    // Without such a command it is four.
    for (let served = 1; served < 4; served++) {
      assertEquals(await whoServes(postfix), next);
    }
    await until("it has ended", async () => !await isAlive(next));
  },
);

async function whoServes(postfix: Postfix): Promise<number> {
  return Number(await postfix.ask("turns"));
}

function byNumber(a: number, b: number): number {
  return a - b;
}

postfixTest(
  "clients that wait are served in the order of arrival",
  async () => {
    await using postfix = await Postfix.start("");
    const record = await postfix.file("record", "", 0o666);
    const script = await postfix.file(
      "reads",
      `#!/bin/sh
read -r line
echo "$line" >>${record}
`,
      0o755,
    );
    await postfix.setMasterCf(
      `queue unix - n n - 1 spawnd user=nobody argv=${script}`,
    );
    await postfix.control("reload");
    const clients: Deno.Conn[] = [];
    for (let index = 0; index < 40; index++) {
      clients.push(await postfix.connect("queue"));
    }
    // The last is the first to speak, and has to wait for its turn nevertheless.
    for (const [index, client] of [...clients.entries()].reverse()) {
      await client.write(new TextEncoder().encode(`${index}\n`));
    }
    for (const client of clients) {
      assertEquals(await finish(client), "");
      client.close();
    }
    const order = (await Deno.readTextFile(record)).trim().split("\n")
      .map(Number);
    assertEquals(order, clients.map((_, index) => index));
  },
);

postfixTest(
  "a line that is not found leaves one command at a time, with a warning",
  async () => {
    await using postfix = await Postfix.start(
      `gone unix - n n - 5 spawnd user=nobody
    argv=/bin/sh -c { echo $PPID; cat }`,
    );
    // Master goes on with what it has read.
    await postfix.setMasterCf("");
    using first = await postfix.connect("gone");
    using second = await postfix.connect("gone");
    const pids = [await readLine(first), await readLine(second)];
    assertEquals(new Set(pids).size, 2);
    await postfix.logged(
      /warning: service gone: no such line in \S*master.cf: running one command at a time/,
    );
  },
);

postfixTest("reloads under load lose no connection", async () => {
  await using postfix = await Postfix.start(
    "loaded unix - n n - 32 spawnd user=nobody argv=/bin/cat",
  );
  let served = 0;
  let isOver = false;
  const client = async (): Promise<void> => {
    while (!isOver) {
      const text = `connection ${served++}`;
      assertEquals(await postfix.ask("loaded", text), text);
    }
  };
  const clients = Promise.all(Array.from({ length: 6 }, client));
  using held = await postfix.connect("loaded");
  for (let reload = 0; reload < 4; reload++) {
    const before = served;
    await postfix.control("reload");
    await until("it serves", () => served >= before + 100);
  }
  isOver = true;
  await clients;
  assertEquals(await finish(held, "held"), "held");
  const log = await postfix.log();
  assert(!/spawnd.*(?:warning|fatal|error):/.test(log), log);
  await until("one process is left at the most", async () => {
    return (await postfix.daemons("loaded")).length <= 1;
  });
});

postfixTest("reloads under load keep maxproc to the letter", async () => {
  const maxproc = 4;
  await using postfix = await Postfix.start(
    `full unix - n n - ${maxproc} spawnd user=nobody argv=/bin/cat`,
  );
  using held = await postfix.connect("full");
  await held.write(new TextEncoder().encode("held"));
  assertEquals(await readBytes(held, 4), "held");
  const [pid = 0] = await postfix.daemons("full");
  let served = 0;
  let isOver = false;
  const client = async (): Promise<void> => {
    while (!isOver) {
      const text = `connection ${served++}`;
      assertEquals(await postfix.ask("full", text), text);
    }
  };
  const clients = Promise.all(Array.from({ length: 8 }, client));
  const counts: number[] = [];
  const count = async (): Promise<void> => {
    const script = 'pgrep -c -x -P "$0" cat || :';
    while (!isOver) {
      counts.push(Number(await output("sh", "-c", script, String(pid))));
    }
  };
  const counted = count();
  for (let reload = 0; reload < 3; reload++) {
    const before = served;
    await postfix.control("reload");
    await until("it serves", () => served >= before + 100);
  }
  assertEquals(await postfix.daemons("full"), [pid]);
  isOver = true;
  await Promise.all([clients, counted]);
  assertEquals(await finish(held, " on"), " on");
  assertGreater(counts.length, 0);
  assertLessOrEqual(Math.max(...counts), maxproc);
});
