import { assertEquals, assertMatch } from "@std/assert";
import {
  freeAddress,
  inet,
  talkTo,
  writeConfiguration,
} from "../e2e/configuration.ts";
import { launch } from "../e2e/daemon.ts";
import { becomes, peerTest } from "../e2e/load.ts";
import { Folder, output, until } from "../e2e/machine.ts";
import { JOURNALD, Journald, type JournalRecord } from "./journald.ts";
import { SYSLOGD, Syslogd } from "./syslogd.ts";

/** How many clients come while nobody takes a record. */
const MANY = 50;

/** A daemon whose log goes elsewhere. Ends with the scope: `await using`. */
class Daemon implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stderr: Promise<string>;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    void child.stdout.cancel();
    this.#stderr = new Response(child.stderr).text();
  }

  static start(
    directory: string,
    prefix: readonly string[],
    env: Record<string, string> = {},
  ): Daemon {
    return new Daemon(launch(["serve", "-c", directory], { prefix, env }));
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Ends it; what it has said to standard error. */
  async stop(): Promise<string> {
    this.#child.kill("SIGINT");
    await this.#child.status;
    return await this.#stderr;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.stop();
    } catch (error) {
      // It was stopped.
      if (!(error instanceof TypeError)) throw error;
    }
  }
}

/** A service whose command fails, and which tells of each connection. */
async function configured(
  folder: Folder,
  log: string,
): Promise<{ directory: string; address: string }> {
  const address = freeAddress();
  const directory = await writeConfiguration(folder, {
    main: [
      `spawnd_log = ${log}`,
      "spawnd_log_connections = yes",
      "syslog_name = some/name",
      "syslog_facility = local5",
    ],
    master: [inet(address, "user=nobody argv=/bin/false")],
  });
  return { directory, address };
}

peerTest(
  "a daemon's records come to syslogd, with the service, and nowhere else",
  SYSLOGD,
  async () => {
    await using folder = await Folder.create();
    await using syslogd = await Syslogd.start();
    const { directory, address } = await configured(folder, "syslog");
    await using daemon = Daemon.start(directory, syslogd.prefix);
    const texts = async () =>
      (await syslogd.records())
        .filter(({ ident }) => ident === "some/name/spawnd")
        .map(({ priority, pid, text }) => {
          assertEquals(pid, daemon.pid);
          return `${priority} ${text}`;
        });
    await until("it listens", async () => (await texts()).length === 1);
    await talkTo(address);
    await until("it has told", async () => (await texts()).length === 3);
    const [listening = "", failed, connection = ""] = await texts();
    assertMatch(listening, /^local5\.info serving 1 service of /);
    assertEquals(
      failed,
      `local5.warn ${address}: warning: command /bin/false exit status 1`,
    );
    assertMatch(
      connection,
      new RegExp(
        `^local5\\.info ${address}: connection from 127\\.0\\.0\\.1:\\d+: ` +
          "process id \\d+, exit status 1, ",
      ),
    );
    assertEquals(await daemon.stop(), "");
  },
);

peerTest(
  "a syslogd that hangs, or is started anew, costs no client and no record",
  SYSLOGD,
  async () => {
    await using folder = await Folder.create();
    await using syslogd = await Syslogd.start();
    const { directory, address } = await configured(folder, "syslog");
    await using daemon = Daemon.start(directory, syslogd.prefix);
    const countIn = async (text: Promise<string>) =>
      (await text).split("\n").filter((line) =>
        line.includes("connection from")
      )
        .length;
    const first = async () =>
      (await syslogd.records())
        .filter(({ text }) => text.includes("connection from")).length;
    await until("it listens", async () => (await syslogd.records()).length > 0);
    await syslogd.hold();
    for (let count = 0; count < MANY; count++) await talkTo(address);
    syslogd.release();
    await becomes(MANY, first);
    await syslogd.kill();
    for (let count = 0; count < MANY; count++) await talkTo(address);
    // Another, in the place where only the daemon is left.
    const messages = folder.join("messages");
    const words = ["--mount", "--target", `${daemon.pid}`];
    const another = new Deno.Command("nsenter", {
      args: [...words, SYSLOGD, "syslogd", "-n", "-O", messages],
      stdin: "null",
    }).spawn();
    try {
      await becomes(
        MANY,
        () => countIn(Deno.readTextFile(messages).catch(() => "")),
      );
    } finally {
      another.kill("SIGKILL");
      await another.status;
    }
  },
);

peerTest(
  "a daemon's records come to journald field by field, also after it was started anew",
  JOURNALD,
  async () => {
    await using folder = await Folder.create();
    await using journald = await Journald.start();
    const { directory, address } = await configured(folder, "journal");
    await using daemon = Daemon.start(directory, journald.prefix);
    const records = () => journald.records(`_PID=${daemon.pid}`);
    const of = async (event: string): Promise<JournalRecord | undefined> =>
      (await records()).find(({ EVENT }) => EVENT === event);
    await until("it listens", async () => await of("listening") !== undefined);
    await talkTo(address);
    await until(
      "it has told",
      async () => await of("connection") !== undefined,
    );
    const { MESSAGE, PRIORITY, SERVICE, EXIT_STATUS, COMMAND_PID } =
      await of("failed") ?? {};
    assertEquals(
      { MESSAGE, PRIORITY, SERVICE, EXIT_STATUS },
      {
        MESSAGE: "command /bin/false exit status 1",
        PRIORITY: "4",
        SERVICE: address,
        EXIT_STATUS: "1",
      },
    );
    assertMatch(COMMAND_PID ?? "", /^\d+$/);
    const connection = await of("connection");
    assertMatch(connection?.["PEER"] ?? "", /^127\.0\.0\.1:\d+$/);
    assertEquals(connection?.["SYSLOG_IDENTIFIER"], "spawnd");
    assertEquals(connection?.["_TRANSPORT"], "journal");
    const connections = async () =>
      (await records()).filter(({ EVENT }) => EVENT === "connection").length;
    await journald.kill();
    for (let count = 0; count < MANY; count++) await talkTo(address);
    await journald.restart();
    await becomes(MANY + 1, connections);
    assertEquals(await daemon.stop(), "");
  },
);

peerTest(
  "by default journald's own socket is used where it reads standard error",
  JOURNALD,
  async () => {
    await using folder = await Folder.create();
    await using journald = await Journald.start();
    const { directory } = await configured(folder, "auto");
    const file = await folder.file("stderr", "");
    const stream = (await output("stat", "--format=%d:%i", file)).trim();
    const shell = ["sh", "-c", 'file=$0; exec "$@" 2>"$file"', file];
    for (const [variable, count] of [[stream, 1], ["1:1", 0]] as const) {
      await Deno.truncate(file);
      await using daemon = Daemon.start(
        directory,
        [...journald.prefix, ...shell],
        { JOURNAL_STREAM: variable },
      );
      const listening = async () =>
        (await journald.records(`_PID=${daemon.pid}`))
          .filter(({ EVENT }) => EVENT === "listening").length;
      await until("it listens", async () => {
        return await listening() > 0 || (await Deno.stat(file)).size > 0;
      });
      assertEquals(await listening(), count);
      assertEquals((await Deno.stat(file)).size === 0, count === 1);
    }
  },
);
