import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  freeAddresses,
  inet,
  refusals as refusalsOf,
  Server,
  serveRefused,
  talkTo,
  writeConfiguration,
} from "./configuration.ts";
import { Daemon, runToEnd } from "./daemon.ts";
import {
  becomes,
  Clients,
  finish,
  readLine,
  recordsOf,
  startOnLoopback,
} from "./load.ts";
import {
  Account,
  childrenOf,
  ENGINES,
  Folder,
  output,
  rootTest,
} from "./machine.ts";
import { answerTo, GREETER, HeldClients } from "./sources.ts";

const CLIENT_COUNT = 200;
const LIMIT = 5;

/** What each refusal says, in their order. */
function refusals(daemon: Daemon): string[] {
  return recordsOf(daemon, "client-refused").map(({ text }) => text);
}

/** Writes a text of the same length in one go: who reads it reads either. */
async function overwrite(path: string, text: string): Promise<void> {
  using file = await Deno.open(path, { write: true });
  await file.write(new TextEncoder().encode(text));
}

for (const engine of ENGINES) {
  rootTest(
    `clients are served or refused by their addresses with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const table = await folder.file(
        "table",
        "127.0.0.3 allow WHO=three { WHAT = a b }\n127.0.0.4 deny\n" +
          "127.0.0.0/29 allow\n",
      );
      await using daemon = await startOnLoopback(engine, [
        "--clients",
        `!127.0.0.5, 127.0.0.1 cidr:${table}`,
        ...["user=nobody", "argv=/bin/sh", "-c", 'echo "$WHO $WHAT"'],
      ]);
      const { port } = daemon;
      const answers = [];
      for (const last of [1, 3, 4, 5, 6, 8]) {
        answers.push(await answerTo(`127.0.0.${last}`, port));
      }
      assertEquals(answers.map((answer) => answer.trim()), [
        "",
        "three a b",
        "",
        "",
        "",
        "",
      ]);
      await becomes(3, () => recordsOf(daemon, "disconnected").length);
      await becomes([
        "refused 127.0.0.4: not in spawnd_clients",
        "refused 127.0.0.5: not in spawnd_clients",
        "refused 127.0.0.8: not in spawnd_clients",
      ], () => refusals(daemon));
    },
  );

  rootTest(
    `${CLIENT_COUNT} clients of one address have ${LIMIT} commands, and another is served, with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(engine, [
        // With the other's, no more than there may be.
        ...["--max-processes", String(LIMIT + 1)],
        ...["--client-connection-count-limit", String(LIMIT)],
        ...["user=nobody", ...GREETER],
      ]);
      const { port } = daemon;
      {
        await using greedy = await HeldClients.connect(
          "127.0.0.9",
          port,
          CLIENT_COUNT,
        );
        assertEquals(greedy.served, LIMIT);
        // While all that it was given is held.
        using other = await daemon.connect();
        assertEquals(await readLine(other), "hello\n");
        assertEquals((await childrenOf(daemon.pid)).length, LIMIT + 1);
        assertEquals(await finish(other, "line\n"), "line\n");
      }
      await becomes(0, async () => (await childrenOf(daemon.pid)).length);
      await using again = await HeldClients.connect("127.0.0.9", port, LIMIT);
      assertEquals(again.served, LIMIT);
      await becomes([
        `refused 127.0.0.9: more than ${LIMIT} connections at once`,
      ], () => refusals(daemon));
    },
  );

  rootTest(
    `a client's count is given back when its command cannot be started with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const path = folder.join("command");
      await using daemon = await startOnLoopback(engine, [
        "--client-connection-count-limit=1",
        ...["user=nobody", `argv=${path}`],
      ]);
      for (let count = 0; count < 3; count++) {
        assertEquals(await daemon.talk(), "");
      }
      await daemon.event("start-failed");
      await folder.file("command", "#!/bin/sh\necho here\n", 0o755);
      await becomes("here\n", () => daemon.talk());
      await becomes([], () => refusals(daemon));
    },
  );

  rootTest(
    `a client that connects too often is refused until its time has passed with ${engine}`,
    async () => {
      await using daemon = await startOnLoopback(engine, [
        ...["--client-connection-rate-limit=3", "--rate-time-unit=1h"],
        ...["user=nobody", "argv=/bin/echo", "here"],
      ]);
      const answers = [];
      for (let count = 0; count < 5; count++) answers.push(await daemon.talk());
      const here = "here\n";
      assertEquals(answers, [here, here, here, "", ""]);
      assertEquals(await answerTo("127.0.0.2", daemon.port), here);
      await becomes([
        "refused 127.0.0.1: more than 3 connections in 3600 s",
      ], () => refusals(daemon));

      await using quick = await startOnLoopback(engine, [
        ...["--client-connection-rate-limit=1", "--rate-time-unit=1s"],
        ...["user=nobody", "argv=/bin/echo", "here"],
      ]);
      assertEquals(await quick.talk(), here);
      await becomes(here, () => quick.talk());
    },
  );

  rootTest(
    `a service above its rate keeps clients waiting, and refuses none, with ${engine}`,
    async () => {
      const startMs = performance.now();
      await using daemon = await startOnLoopback(engine, [
        ...["--connection-rate-limit=2", "--rate-time-unit=1s"],
        ...["user=nobody", "argv=/bin/echo", "here"],
      ]);
      using clients = await Clients.connect(daemon, 6);
      const answers = await Promise.all(
        clients.all.map((client) => finish(client)),
      );
      assertEquals(answers, Array.from({ length: 6 }, () => "here\n"));
      // Two at once, two a second later, and two again.
      assert(performance.now() - startMs >= 2000);
      assertEquals(
        recordsOf(daemon, "resting")[0]?.text,
        "connections wait: 2 were taken within 1 s, " +
          "as many as spawnd_connection_rate_limit allows",
      );
      await becomes([], () => refusals(daemon));
    },
  );

  rootTest(
    `clients wait while the machine is busier than it may be with ${engine}`,
    async () => {
      await using folder = await Folder.create();
      const busy = "99.99 1.00 1.00 1/100 4711\n";
      const load = await folder.file("load", busy);
      const waited = "some avg10=00.00 avg60=0.00 avg300=0.00 total=0\n";
      const pressure = await folder.file("pressure", waited);
      // The kernel's own files would have to be waited for.
      const prefix = [
        ...["unshare", "--mount", "sh", "-c"],
        'mount --bind "$0" /proc/loadavg && ' +
        'mount --bind "$1" /proc/pressure/cpu && shift && exec "$@"',
        ...[load, pressure],
      ];
      await using daemon = await startOnLoopback(engine, [
        ...["--load-limit=4.5", "--pressure-limit=cpu=40"],
        ...["user=nobody", "argv=/bin/echo", "here"],
      ], { prefix });
      const answers = Promise.all([daemon.talk(), daemon.talk()]);
      const { text } = await daemon.event("resting");
      assertEquals(
        text,
        "connections wait: the load is above 4.5, which is spawnd_load_limit",
      );
      assertEquals(recordsOf(daemon, "connected"), []);
      await overwrite(pressure, waited.replace("00.00", "40.01"));
      await overwrite(load, busy.replace("99.99", "04.50"));
      const { text: next } = await daemon.event("resting", 2);
      assertEquals(
        next,
        "connections wait: the pressure on cpu is above 40 %, " +
          "as spawnd_pressure_limit has it",
      );
      await overwrite(pressure, waited.replace("00.00", "40.00"));
      assertEquals(await answers, ["here\n", "here\n"]);
      assertEquals(recordsOf(daemon, "resting-over").length, 1);
    },
  );

  rootTest(
    `clients wait out of a service's hours, which are in its time zone, with ${engine}`,
    async () => {
      // Nine hours ahead of UTC, all the year.
      const env = { TZ: "Asia/Tokyo" };
      const hour = (new Date().getUTCHours() + 9) % 24;
      const clock = (offset: number): string =>
        `${`${(hour + offset + 24) % 24}`.padStart(2, "0")}:00`;
      const words = ["user=nobody", "argv=/bin/echo", "here"];
      const times = `--access-times=${clock(-1)}-${clock(2)}`;
      await using open = await startOnLoopback(engine, [times, ...words], {
        env,
      });
      assertEquals(await open.talk(), "here\n");
      await using closed = await startOnLoopback(engine, [times, ...words], {
        env: { TZ: "UTC" },
      });
      using _client = await closed.connect();
      const { text } = await closed.event("resting");
      assertEquals(
        text,
        "connections wait: it is none of the hours in spawnd_access_times",
      );
      assertEquals(recordsOf(closed, "connected"), []);
    },
  );
}

rootTest("a client's count holds through a reload", async () => {
  await using folder = await Folder.create();
  const [address = ""] = freeAddresses(1);
  const port = Number(address.split(":")[1]);
  const line = (limit: number): string =>
    inet(
      address,
      `-o spawnd_client_connection_count_limit=${limit} ` +
        "user=nobody argv=/bin/sh -c { echo hello; exec cat }",
    );
  const directory = await writeConfiguration(folder, { master: [line(2)] });
  await using server = await Server.start(["-c", directory]);
  const { daemon } = server;
  {
    await using held = await HeldClients.connect("127.0.0.9", port, 3);
    assertEquals(held.served, 2);
    await server.reload();
    {
      await using more = await HeldClients.connect("127.0.0.9", port, 2);
      assertEquals(more.served, 0);
      await using other = await HeldClients.connect("127.0.0.8", port, 2);
      assertEquals(other.served, 2);
    }
    await writeConfiguration(folder, { master: [line(3)] });
    await server.reload();
    await using more = await HeldClients.connect("127.0.0.9", port, 2);
    assertEquals(more.served, 1);
  }
  await becomes(0, async () => (await childrenOf(daemon.pid)).length);
  await using again = await HeldClients.connect("127.0.0.9", port, 4);
  assertEquals(again.served, 3);
});

rootTest(
  "whoever may connect to a unix socket is known by user and groups",
  async () => {
    await using folder = await Folder.create();
    await using user = await Account.create();
    await using member = await Account.create();
    await using stranger = await Account.create();
    await using group = await Account.create();
    await output("usermod", "-a", "-G", group.name, member.name);
    const path = folder.join("socket");
    await using daemon = await Daemon.start([
      ...["unix", path, "-v"],
      ...["--peer-users", user.name, "--peer-groups", group.name],
      ...["user=nobody", "argv=/bin/echo", "here"],
    ]);
    const answer = ({ name }: Account): Promise<string> =>
      output(
        ...["setpriv", `--reuid=${name}`, `--regid=${name}`, "--init-groups"],
        ...[
          "sh",
          "-c",
          'exec socat -t10 - "$0" </dev/null 2>&1',
          `UNIX:${path}`,
        ],
      );
    assertEquals(await answer(user), "here\n");
    assertEquals(await answer(member), "here\n");
    assertEquals(await answer(stranger), "");
    assertEquals(await talkTo(path), "");
    await becomes([
      ...[stranger.uid, 0].map((uid) =>
        `refused unix:uid=${uid}: in neither spawnd_peer_users nor ` +
        "spawnd_peer_groups"
      ),
    ], () => refusals(daemon));
  },
);

rootTest("hours in a time zone that nobody knows are refused", async () => {
  for (const TZ of ["CET-1CEST,M3.5.0,M10.5.0/3", "Nowhere"]) {
    const { code, stderr } = await runToEnd([
      ...["run", "inet", "127.0.0.1:0", "--access-times=08:00-18:00"],
      ...["user=nobody", "argv=/bin/cat"],
    ], { env: { TZ } });
    assertEquals(code, 78);
    assertMatch(
      stderr,
      /--access-times: hours in a time zone that is not known: TZ=[^ ]+ \(set TZ/,
    );
  }
});

rootTest(
  "a bad rule is told alike by check, at the start and by a reload, which changes nothing",
  async () => {
    await using folder = await Folder.create();
    const table = await folder.file("table", "127.0.0.1 maybe\n");
    const [address = ""] = freeAddresses(1);
    const master = [inet(address)];
    const directory = await writeConfiguration(folder, { master });
    await using server = await Server.start(["-c", directory]);
    const main = [
      `spawnd_clients = cidr:${table}`,
      "spawnd_access_times = 25:00-26:00",
    ];
    await writeConfiguration(folder, { main, master });
    const mistakes = [
      `${directory}/main.cf:3:23: spawnd_access_times: ` +
      "bad access time: 25:00-26:00",
    ];
    await server.reloadInVain();
    assertEquals(refusalsOf(server.daemon.entries), mistakes);
    const refused = await serveRefused(["-c", directory]);
    assertEquals(refusalsOf(refused.entries), mistakes);
    const checked = await runToEnd(["check", "-c", directory]);
    assertEquals(checked.code, 78);
    assertMatch(checked.stdout, /main\.cf:3:23: error: spawnd_access_times: /);

    await writeConfiguration(folder, { main: main.slice(0, 1), master });
    const inTable = `${table}:1:11: unknown result: maybe`;
    await server.reloadInVain();
    assertEquals(refusalsOf(server.daemon.entries).at(-1), inTable);
    const refusedTable = await serveRefused(["-c", directory]);
    assertEquals(refusalsOf(refusedTable.entries), [inTable]);
    assertEquals(await talkTo(address, "still served"), "still served");
  },
);
