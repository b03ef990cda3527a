import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../e2e/configuration.ts";
import { becomes, finish, readBytes, readLine } from "../e2e/load.ts";
import { isAlive, output, proc, statusFields, until } from "../e2e/machine.ts";
import { writeAll } from "../e2e/daemon.ts";
import { Postfix, postfixTest } from "./postfix.ts";

/** Sends a line and waits for its echo, on a connection that stays. */
async function echo(connection: Deno.Conn, line: string): Promise<void> {
  const text = `${line}\n`;
  await writeAll(connection, new TextEncoder().encode(text));
  assertEquals(await readBytes(connection, text.length), text);
}

/** Processes of that name which a process has started. */
async function children(pid: number, name: string): Promise<number[]> {
  const { stdout } = await new Deno.Command("pgrep", {
    args: ["-x", "-P", `${pid}`, name],
  }).output();
  return numbers(new TextDecoder().decode(stdout).split("\n").slice(0, -1));
}

/** What a process says whose program was executed anew. */
const SERVES = "the new configuration serves from now on";

/** Finds what a process has said, which has nothing of a pattern in it. */
function saidBy(pid: number, text: string): RegExp {
  return new RegExp(`spawnd\\[${pid}\\]: ${text}`);
}

function numbers(texts: readonly string[]): number[] {
  return texts.map(Number);
}

postfixTest("master(8) runs spawnd for inet and unix services", async () => {
  const port = freePort();
  await using postfix = await Postfix.start(
    `127.0.0.1:${port} inet n n n - - spawnd user=nobody argv=/bin/cat
whoami unix - n n - - spawnd user=nobody argv=/usr/bin/id
failing unix - n n - - spawnd user=nobody argv=/bin/sh -c { exit 3 }
killed unix - n n - - spawnd user=nobody argv=/bin/sh -c { kill -9 $$ }`,
  );
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await echo(connection, "hello");
  assertEquals(
    await postfix.ask("whoami"),
    await output("setpriv", ...asNobody, "/usr/bin/id"),
  );
  const [pid = 0] = await postfix.daemons("whoami");
  const uid = Number(await output("id", "-u", "postfix"));
  const status = statusFields(await proc(`${pid}/status`));
  assertEquals(status.get("Uid"), `0 ${uid} 0 ${uid}`);
  await postfix.ask("failing");
  await postfix.ask("killed");
  await postfix.logged(
    /test postfix\/spawnd\[\d+\]: warning: command \/bin\/sh exit status 3\n/,
  );
  await postfix.logged(/warning: command \/bin\/sh killed by signal 9\n/);
});

const asNobody = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"];

postfixTest(
  "refusals are fatal at start, with the texts of spawn(8)",
  async () => {
    const attributes = [
      ["user=nosuch argv=/bin/cat", "unknown user name: nosuch"],
      ["user=nobody:nosuch argv=/bin/cat", "unknown group name: nosuch"],
      ["user=nobody foo=bar argv=/bin/cat", "unknown attribute name: foo=bar"],
      ["argv=/bin/cat", "missing user= attribute"],
      ["user=nobody", "missing argv= attribute"],
      ["user=root argv=/bin/cat", "request to deliver as root"],
      ["user=postfix argv=/bin/cat", "request to deliver as mail system owner"],
      [
        "user=nobody:root argv=/bin/cat",
        "request to use privileged group id 0",
      ],
      [
        "-o max_idle=x user=nobody argv=/bin/cat",
        "parameter max_idle: bad time",
      ],
      ["-x user=nobody argv=/bin/cat", "invalid option: x"],
    ];
    await using postfix = await Postfix.start(
      attributes.map(([words], index) =>
        `wrong${index} unix - n n - - spawnd ${words}`
      ).join("\n"),
    );
    const connections = await Promise.all(
      attributes.map((_, index) => postfix.connect(`wrong${index}`)),
    );
    for (const [, text] of attributes) {
      await postfix.logged(`fatal: ${text}`);
    }
    connections.forEach((connection) => connection.close());

    await postfix.setMasterCf(
      `unprivileged unix - y n - - spawnd user=nobody argv=/bin/cat
both unix - y y - - spawnd user=nobody argv=/bin/cat`,
    );
    await postfix.control("reload");
    for (const service of ["unprivileged", "both"]) {
      using _ = await postfix.connect(service);
      await postfix.logged(
        `fatal: service ${service} requires privileged operation`,
      );
    }
  },
);

postfixTest(
  "all who wait for a refused service are answered, and it rests",
  async () => {
    await using postfix = await Postfix.start(
      `refused unix - n n - - spawnd user=root argv=/bin/cat
misspelt unix - n n - - spawnd -x user=nobody argv=/bin/cat
another unix - n n - - spawnd user=root argv=/bin/true`,
      "service_throttle_time = 1s",
    );
    const timesLogged = async (text: string): Promise<number> => {
      return (await postfix.log()).split(`fatal: ${text}`).length - 1;
    };
    for (
      const [service, text] of [
        ["refused", "request to deliver as root"],
        ["misspelt", "invalid option: x"],
      ] as const
    ) {
      // One that has gone by the time that the process is there.
      (await postfix.connect(service)).close();
      const waiting = Array.from({ length: 20 }, () => postfix.ask(service));
      await postfix.logged(`fatal: ${text}`);
      // And one that comes while it is about to end.
      waiting.push(postfix.ask(service));
      for (const answer of await Promise.all(waiting)) assertEquals(answer, "");
      assertEquals(await timesLogged(text), 1);
    }
    // Nobody is left in the queue for whom it would be started again, while
    // another one is, as often as somebody comes.
    for (let times = 0; times < 3; times++) await postfix.ask("another");
    await becomes(4, () => timesLogged("request to deliver as root"));
    assertEquals(await timesLogged("invalid option: x"), 1);
  },
);

postfixTest(
  "one process runs a service's commands, never more than maxproc",
  async () => {
    await using postfix = await Postfix.start("");
    const record = await postfix.file("record", "", 0o666);
    const script = await postfix.file(
      "counted",
      `#!/bin/sh
echo + >>${record}
cat
echo - >>${record}
`,
      0o755,
    );
    await postfix.setMasterCf(
      `three unix - n n - 3 spawnd user=nobody argv=${script}`,
    );
    await postfix.control("reload");
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => {
        return postfix.ask("three", `client ${index}\n`);
      }),
    );
    answers.forEach((answer, index) =>
      assertEquals(answer, `client ${index}\n`)
    );
    assertEquals((await postfix.daemons("three")).length, 1);
    let running = 0;
    let most = 0;
    await until("all commands have ended", async () => {
      const steps = (await Deno.readTextFile(record)).trim().split("\n");
      running = most = 0;
      for (const step of steps) {
        running += step === "+" ? 1 : -1;
        most = Math.max(most, running);
      }
      return steps.length === 400;
    });
    assertEquals([running, most], [0, 3]);
    // A limit that is left again at once, as in a burst, is none to warn of.
    using _first = await postfix.connect("three");
    using _second = await postfix.connect("three");
    using _third = await postfix.connect("three");
    await postfix.logged(
      'warning: service three reached its process limit "3": ' +
        "new clients may experience noticeable delays",
    );
  },
);

postfixTest(
  "spawnd_concurrency=1 is a process a command, for max_use of them",
  async () => {
    await using postfix = await Postfix.start(
      `one unix - n n - 2 spawnd -o spawnd_concurrency=1 -o max_use=2
    user=nobody argv=/bin/sh -c { echo $PPID; cat }`,
    );
    const held = await Promise.all(
      ["first", "second"].map(() => postfix.connect("one")),
    );
    // Each answers, so each was accepted, by a process of its own.
    const before = await Promise.all(held.map(readLine)).then(numbers);
    assertEquals(new Set(before).size, 2);
    assertEquals((await postfix.daemons("one")).length, 2);
    held.forEach((connection) => connection.close());
    const served = [...before];
    for (let index = 0; index < 6; index++) {
      served.push(Number(await postfix.ask("one")));
    }
    for (const [, times] of Map.groupBy(served, (pid) => pid)) {
      assert(times.length <= 2, `${served}`);
    }
  },
);

postfixTest(
  "maxproc 1 is one command at a time, and 0 as many as there are clients",
  async () => {
    await using postfix = await Postfix.start(
      `single unix - n n - 1 spawnd user=nobody argv=/bin/cat
unlimited unix - n n - 0 spawnd user=nobody argv=/bin/cat`,
      "default_process_limit = 150",
    );
    using first = await postfix.connect("single");
    await echo(first, "first");
    using second = await postfix.connect("single");
    await writeAll(second, new TextEncoder().encode("second\n"));
    await echo(first, "still first");
    const [single = 0, ...others] = await postfix.daemons("single");
    assertEquals(others, []);
    assertEquals((await children(single, "cat")).length, 1);
    assertMatch(await output("ps", "-o", "args=", "-p", `${single}`), / -l /);
    first.close();
    assertEquals(await readLine(second), "second\n");

    const clients: Deno.Conn[] = [];
    while (clients.length < 200) {
      const client = await postfix.connect("unlimited");
      clients.push(client);
      await echo(client, "served");
    }
    const [unlimited = 0] = await postfix.daemons("unlimited");
    assertEquals((await children(unlimited, "cat")).length, 200);
    const args = await output("ps", "-o", "args=", "-p", `${unlimited}`);
    assertMatch(args, / -z /);
    clients.forEach((client) => client.close());
  },
);

postfixTest("a process without a client ends after max_idle", async () => {
  await using postfix = await Postfix.start(
    `idle unix - n n - - spawnd -v -o max_idle=1s user=nobody argv=/bin/cat`,
  );
  assertEquals(await postfix.ask("idle", "x"), "x");
  // By the log: it may have ended already.
  const started = /spawnd\[(\d+)\]: daemon started\n/;
  await postfix.logged(started);
  const pid = Number(started.exec(await postfix.log())?.[1]);
  await until("it has ended", async () => !await isAlive(pid));
  await becomes(
    [
      "daemon started",
      "connection established",
      "connection closed",
      "idle timeout -- exiting",
    ],
    async () =>
      (await postfix.log()).split("\n")
        .filter((line) => line.includes(`spawnd[${pid}]`))
        .map((line) => line.replace(/^.*?\]: /, "")),
  );
  assertEquals(await postfix.ask("idle", "y"), "y");
});

postfixTest(
  "a reload cuts no command, and an edited maxproc counts them all",
  async () => {
    const line = (maxproc: number): string =>
      `held unix - n n - ${maxproc} spawnd user=nobody argv=/bin/cat`;
    await using postfix = await Postfix.start(line(2));
    using held = await postfix.connect("held");
    await echo(held, "before");
    const [pid = 0] = await postfix.daemons("held");
    await postfix.setMasterCf(line(3));
    await postfix.control("reload");
    await postfix.logged(saidBy(pid, SERVES));
    const news: Deno.Conn[] = [];
    for (let index = 0; index < 2; index++) {
      const connection = await postfix.connect("held");
      news.push(connection);
      await echo(connection, `new ${index}`);
    }
    // The same process, with old commands and new ones, never more than three.
    assertEquals(await postfix.daemons("held"), [pid]);
    assertEquals((await children(pid, "cat")).length, 3);
    using waiting = await postfix.connect("held");
    await writeAll(waiting, new TextEncoder().encode("waits\n"));
    await echo(held, "after");
    assertEquals((await children(pid, "cat")).length, 3);
    await postfix.logged(/service held reached its process limit "3"/);

    // A free place is for who waits.
    held.close();
    assertEquals(await readLine(waiting), "waits\n");
    assertEquals((await children(pid, "cat")).length, 3);
    for (const one of news) await echo(one, "goes on");

    // At the first moment without a command, the turn is another's.
    news.forEach((connection) => connection.close());
    assertEquals(await finish(waiting), "");
    await until("the process has ended", async () => !await isAlive(pid));
    using next = await postfix.connect("held");
    await echo(next, "next");
    const [other = 0] = await postfix.daemons("held");
    assert(other !== pid);
  },
);

postfixTest(
  "after a reload a process runs what master.cf says by then, if that serves",
  async () => {
    const line = (rest: string): string => `held unix - n n - 3 ${rest}`;
    const says = (word: string): string =>
      line(`spawnd -v user=nobody argv=/bin/sh -c { echo ${word}; cat }`);
    await using postfix = await Postfix.start(says("old"));
    using held = await postfix.connect("held");
    assertEquals(await readLine(held), "old\n");
    const [old = 0] = await postfix.daemons("held");

    // What cannot serve leaves things as they are.
    await postfix.setMasterCf(line("spawnd user=nosuch argv=/bin/cat"));
    await postfix.control("reload");
    await postfix.logged(saidBy(old, "error: unknown user name: nosuch"));
    await postfix.logged(
      saidBy(
        old,
        "error: the new configuration was not taken, 1 error; " +
          "the old one goes on",
      ),
    );
    assertEquals(await postfix.ask("held"), "old\n");
    held.close();
    await until("the process has ended", async () => !await isAlive(old));

    await postfix.setMasterCf(says("older"));
    await postfix.control("reload");
    using other = await postfix.connect("held");
    assertEquals(await readLine(other), "older\n");
    const [next = 0] = await postfix.daemons("held");
    await postfix.setMasterCf(says("new"));
    await postfix.control("reload");
    await postfix.logged(saidBy(next, SERVES));
    assertEquals(await postfix.ask("held"), "new\n");
    assertEquals(await postfix.daemons("held"), [next]);
    assertEquals(await finish(other, "not cut"), "not cut");
    await until("it leaves", async () => !await isAlive(next));
    assertEquals(await postfix.ask("held"), "new\n");
  },
);

postfixTest(
  "a command has its time limit, and its report, through a reload",
  async () => {
    await using postfix = await Postfix.start(
      `held unix - n n - 3 spawnd -o held_time_limit=8s
    user=nobody argv=/bin/cat`,
    );
    using held = await postfix.connect("held");
    await echo(held, "before");
    const [pid = 0] = await postfix.daemons("held");
    const [command] = await children(pid, "cat");
    await postfix.setMasterCf(
      `held unix - n n - 3 spawnd user=nobody argv=/bin/cat`,
    );
    await postfix.control("reload");
    await postfix.logged(saidBy(pid, SERVES));
    await echo(held, "after");
    assertEquals(await held.read(new Uint8Array(1)), null);
    await postfix.logged(
      saidBy(
        pid,
        `warning: /bin/cat: process id ${command}: command time limit exceeded`,
      ),
    );
    await postfix.logged(
      saidBy(pid, "warning: command /bin/cat killed by signal 9"),
    );
    await until("the process has ended", async () => !await isAlive(pid));
  },
);

postfixTest(
  "`postfix stop` ends commands; a dead master lets them finish",
  async () => {
    const line = "held unix - n n - - spawnd user=nobody argv=/bin/cat";
    await using postfix = await Postfix.start(line);
    using stopped = await postfix.connect("held");
    await echo(stopped, "before");
    const [first = 0] = await postfix.daemons("held");
    await postfix.control("stop");
    assertEquals(await stopped.read(new Uint8Array(1)), null);
    await until("the daemon has ended", async () => !await isAlive(first));

    await postfix.control("start");
    using held = await postfix.connect("held");
    await echo(held, "before");
    const [second = 0] = await postfix.daemons("held");
    Deno.kill(await postfix.masterPid(), "SIGKILL");
    await echo(held, "after");
    await held.closeWrite();
    assertEquals(await held.read(new Uint8Array(1)), null);
    await until("the daemon has ended", async () => !await isAlive(second));
  },
);

postfixTest(
  "below master(8) -o gives commands surroundings, and what cannot be had is fatal",
  async () => {
    const tell = "argv=/bin/sh -c { nice; umask; env; cat /proc/self/limits }";
    await using postfix = await Postfix.start(
      `tell unix - n n - - spawnd -o spawnd_nice=5 -o spawnd_umask=027
  -o { spawnd_limits = nofile=64 nproc=100 } user=nobody ${tell}
plain unix - n n - - spawnd user=nobody argv=/usr/bin/env
waits unix - n n - - spawnd -o spawnd_wait=yes user=nobody argv=/bin/cat`,
    );
    const told = await postfix.ask("tell");
    assertMatch(told, /^5\n0027\n/);
    assertMatch(told, /^Max open files +64 +64 /m);
    assertMatch(told, /^Max processes +100 +100 /m);
    // Nothing tells of the connection there, unless that is asked for.
    assert(!/^(?:PROTO|IPC|TCP)/m.test(await postfix.ask("plain")));
    await postfix.ask("waits");
    await postfix.logged(
      /fatal: spawnd_wait: master\(8\) has no such services/,
    );
  },
);
