import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
} from "@std/assert";
import {
  CAT,
  exists,
  freeAddresses,
  inet,
  IS_FROM_SOURCE,
  isRefused,
  Server,
  talkTo,
  writeConfiguration,
} from "./configuration.ts";
import { launch, programWords, runToEnd } from "./daemon.ts";
import { peerTest } from "./load.ts";
import {
  childrenOf,
  Folder,
  output,
  proc,
  rootTest,
  statusFields,
  until,
} from "./machine.ts";
import { Conversation, LinkedProgram } from "./reloading.ts";

rootTest("the first process of a container stays that", async () => {
  await using folder = await Folder.create();
  const [address = "", added = ""] = freeAddresses(2);
  const directory = await writeConfiguration(folder, {
    master: [inet(address, CAT, 2)],
  });
  const child = launch(["serve", "-c", directory], {
    prefix: ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"],
  });
  const log: string[] = [];
  const read = (async () => {
    const text = child.stderr.pipeThrough(new TextDecoderStream());
    for await (const part of text) log.push(part);
  })();
  await child.stdout.cancel();
  await using _end = {
    async [Symbol.asyncDispose](): Promise<void> {
      // It is gone where the test went well.
      try {
        child.kill("SIGKILL");
      } catch (error) {
        assert(error instanceof TypeError, String(error));
      }
      await child.status;
      await read;
    },
  };
  const logged = (pattern: RegExp, count = 1): Promise<void> =>
    until(
      `logged: ${pattern}`,
      () =>
        [...log.join("").matchAll(new RegExp(pattern, "g"))].length >= count,
    );
  await logged(/serving 1 service/);
  const [pid = 0] = await childrenOf(child.pid);
  const namespaced = statusFields(await proc(`${pid}/status`)).get("NSpid");
  assertEquals(namespaced, `${pid} 1`);
  using held = await Conversation.start(address);
  await writeConfiguration(folder, {
    master: [inet(address, CAT, 2), inet(added)],
  });
  for (let reload = 1; reload <= 3; reload++) {
    Deno.kill(pid, "SIGHUP");
    await logged(/spawnd\[1\]: the new configuration serves/, reload);
    await held.goOn();
    assertEquals(await talkTo(added, "hello"), "hello");
  }
  assertEquals(await childrenOf(child.pid), [pid]);
  Deno.kill(pid, "SIGTERM");
  await logged(/SIGTERM: no more connections are accepted, 1 command left/);
  await held.goOn();
  assertEquals(await held.end(), "");
  assertEquals((await child.status).code, 0);
});

peerTest(
  "s6-svc -h reloads below a real s6-supervise",
  "/usr/bin/s6-supervise",
  async () => {
    await using folder = await Folder.create();
    const [address = "", added = ""] = freeAddresses(2);
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    const service = folder.join("service");
    await Deno.mkdir(service);
    const words = programWords().map((word) => `'${word}'`).join(" ");
    const log = folder.join("log");
    const run = await folder.file(
      "service/run",
      `#!/bin/sh
exec 2>>${log}
exec ${words} serve -c ${directory} --ready-fd 3
`,
      0o755,
    );
    assert(run.startsWith(service));
    await folder.file("service/notification-fd", "3\n");
    const supervise = new Deno.Command("/usr/bin/s6-supervise", {
      args: [service],
    }).spawn();
    await using _end = {
      async [Symbol.asyncDispose](): Promise<void> {
        await output("/usr/bin/s6-svc", "-xd", service);
        await supervise.status;
      },
    };
    await until(
      "it is supervised",
      () => exists(`${service}/supervise/control`),
    );
    await output("/usr/bin/s6-svwait", "-U", "-t", "10000", service);
    const pid = Number(await output("s6-svstat", "-o", "pid", service));
    using held = await Conversation.start(address);
    await writeConfiguration(folder, { master: [inet(address), inet(added)] });
    await output("/usr/bin/s6-svc", "-h", service);
    await until("it is reloaded", async () => !await isRefused(added));
    assertEquals(await talkTo(added, "hello"), "hello");
    await held.goOn();
    // The supervisor has seen no end and no start.
    assertEquals(
      (await output("s6-svstat", "-o", "pid,up,ready", service)).trim(),
      `${pid} true true`,
    );
    assertMatch(
      await Deno.readTextFile(log),
      new RegExp(
        `spawnd\\[${pid}\\]: the new configuration serves from now on`,
      ),
    );
    assertEquals(await held.end(), "");
  },
);

rootTest(
  "`spawnd reload` tells at once whether the new configuration serves",
  async () => {
    await using folder = await Folder.create();
    const [address = "", added = ""] = freeAddresses(2);
    const run = folder.join("run");
    await Deno.mkdir(run);
    const pidFile = `${run}/spawnd.pid`;
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    await using server = await Server.start(
      ["-c", directory, "--pid-file", pidFile],
    );
    const reload = async (): Promise<
      { code: number; stdout: string; stderr: string; tookMs: number }
    > => {
      const beforeMs = performance.now();
      const { code, stdout, stderr } = await runToEnd(
        ["reload", "--pid-file", pidFile],
      );
      return { code, stdout, stderr, tookMs: performance.now() - beforeMs };
    };
    using held = await Conversation.start(address);
    for (let count = 0; count < 2; count++) {
      await writeConfiguration(folder, {
        master: [inet(address), inet(added)],
      });
      const taken = await reload();
      assertEquals([taken.code, taken.stdout, taken.stderr], [
        0,
        `process id ${server.pid} serves the new configuration\n`,
        "",
      ]);
      assertEquals(await talkTo(added, "hello"), "hello");
      await writeConfiguration(folder, { master: ["nonsense"] });
      const refused = await reload();
      assertEquals([refused.code, refused.stdout, refused.stderr], [
        78,
        "",
        `spawnd reload: process id ${server.pid} goes on with the old ` +
        "configuration (its log tells why, and so does spawnd check)\n",
      ]);
      // It waits for half a minute only where nobody answers.
      for (const { tookMs } of [taken, refused]) assert(tookMs < 10_000);
    }
    await held.goOn();
  },
);

rootTest(
  "commands have the number of descriptors that the daemon was started with",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const directory = await writeConfiguration(folder, {
      master: [
        inet(address, "user=nobody argv=/bin/sh -c { ulimit -Sn; ulimit -Hn }"),
      ],
    });
    await using server = await Server.start(["-c", directory], {
      prefix: ["prlimit", "--nofile=300:2000"],
    });
    // `deno run` has raised its own before the sources are read.
    const soft = IS_FROM_SOURCE ? 2000 : 300;
    for (let reload = 0; reload < 3; reload++) {
      assertEquals(await talkTo(address), `${soft}\n2000\n`);
      assertMatch(
        await proc(`${server.pid}/limits`),
        /^Max open files +2000 +2000 /m,
      );
      await server.reload();
    }
  },
);

rootTest(
  "the program is executed anew as it was executed first",
  async () => {
    await using folder = await Folder.create();
    const [address = ""] = freeAddresses(1);
    const directory = await writeConfiguration(folder, {
      master: [inet(address)],
    });
    const start = folder.join("start");
    await Deno.mkdir(start);
    const program = await LinkedProgram.create(folder);
    await using server = await Server.start(["-c", directory], {
      program: program.words,
      prefix: ["setpriv", "--groups=11,12", "--"],
      cwd: start,
      env: { KEPT: "as it is" },
    });
    // At rest it is its owner, with no group of root's.
    const atRest = statusFields(await proc(`${server.pid}/status`));
    assertNotEquals(atRest.get("Groups"), "11 12");
    const seen = folder.join("seen");
    await program.replace(
      `echo $$ "$(id -G)" "$(id -u)" "$(pwd)" "$KEPT" >>${seen}
exec ${programWords()[0]} "$@"`,
    );
    await server.reload();
    const [trial = "", executed, ...others] = (await Deno.readTextFile(seen))
      .trim().split("\n");
    assertMatch(trial, new RegExp(`^\\d+ 0 0 ${start} as it is$`));
    assertEquals(executed, `${server.pid} 0 11 12 0 ${start} as it is`);
    assertEquals(others, []);
    const again = statusFields(await proc(`${server.pid}/status`));
    for (const name of ["Uid", "Gid", "Groups", "Umask", "SigBlk", "SigPnd"]) {
      assertEquals(again.get(name), atRest.get(name), name);
    }
    assertEquals(await talkTo(address, "hello"), "hello");
  },
);

rootTest("a program in a folder of root's alone is executed anew", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const directory = await writeConfiguration(folder, {
    master: [inet(address)],
  });
  const closed = folder.join("closed");
  await Deno.mkdir(closed, { mode: 0o700 });
  const [binary = "", ...rest] = programWords();
  const link = `${closed}/program`;
  await Deno.symlink(binary, link);
  await using server = await Server.start(["-c", directory], {
    program: [link, ...rest],
  });
  await server.reload();
  await Deno.remove(link);
  assertEquals(
    (await server.reloadInVain()).text,
    `cannot start ${link} anew: No such file or directory`,
  );
  await Deno.symlink(binary, link);
  await server.reload();
  assertEquals(await talkTo(address, "hello"), "hello");
});
