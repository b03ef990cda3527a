import { assertEquals } from "@std/assert";
import { freePort, talkTo, writeConfiguration } from "./configuration.ts";
import { Daemon, runToEnd } from "./daemon.ts";
import { Folder, rootTest } from "./machine.ts";

const ENV = "user=nobody argv=/usr/bin/env";

/** What a client has from a service; nothing where it is refused. */
async function answerOf(address: string): Promise<string> {
  try {
    return await talkTo(address);
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return "";
    if (error instanceof Deno.errors.BrokenPipe) return "";
    if (error instanceof Deno.errors.NotConnected) return "";
    throw error;
  }
}

rootTest(
  "rules of tcpserver, translated, refuse clients and give others variables",
  async () => {
    await using folder = await Folder.create();
    const rules = await folder.file(
      "rules",
      '127.0.0.1:allow,RELAYCLIENT="",GREETING="good day, all"\n:deny\n',
    );
    const { code, stdout } = await runToEnd(["import", "tcprules", rules]);
    assertEquals(code, 0);
    const table = await folder.file("clients.cidr", stdout);
    const [first, second] = [freePort(), freePort()];
    const directory = await writeConfiguration(folder, {
      main: [`spawnd_clients = cidr:${table}`],
      master: [
        `127.0.0.1:${first} inet n n n - - spawn ${ENV}`,
        `[::1]:${second} inet n n n - - spawn ${ENV}`,
      ],
    });
    await using _daemon = await Daemon.serve(["-c", directory]);
    const lines = (await answerOf(`127.0.0.1:${first}`)).split("\n");
    assertEquals(lines.filter((line) => /^(?:RELAY|GREET)/.test(line)), [
      "RELAYCLIENT=",
      "GREETING=good day, all",
    ]);
    assertEquals(await answerOf(`[::1]:${second}`), "");
  },
);

rootTest(
  "a service of xinetd, translated, keeps out whom it kept out",
  async () => {
    await using folder = await Folder.create();
    const ports = { open: freePort(), closed: freePort() };
    const service = (port: number, noAccess: string): string =>
      `service test-${port}
{
  type        = UNLISTED
  flags       = NOLIBWRAP
  socket_type = stream
  protocol    = tcp
  wait        = no
  bind        = 127.0.0.1
  port        = ${port}
  user        = nobody
  only_from   = 127.0.0.0
  no_access   = ${noAccess}
  server      = /bin/echo
  server_args = served
}
`;
    const file = await folder.file(
      "xinetd.conf",
      service(ports.open, "127.0.0.2") + service(ports.closed, "127.0.0.1"),
    );
    const imported = await runToEnd(["import", "--master", "xinetd", file]);
    assertEquals([imported.code, imported.stderr], [0, ""]);
    const directory = await writeConfiguration(folder, {
      master: imported.stdout.split("\n"),
    });
    await using _daemon = await Daemon.serve(["-c", directory]);
    assertEquals(await answerOf(`127.0.0.1:${ports.open}`), "served\n");
    assertEquals(await answerOf(`127.0.0.1:${ports.closed}`), "");
  },
);
