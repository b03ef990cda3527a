import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../e2e/configuration.ts";
import { programWords, readAll } from "../e2e/daemon.ts";
import { finish, readBytes } from "../e2e/load.ts";
import { childrenOf, output, until } from "../e2e/machine.ts";
import { Postfix, postfixTest } from "./postfix.ts";

/** Greets as an SMTP server does, and tells where the client comes from. */
const TELLS_PEER = `#!/usr/bin/perl
use Socket;
$| = 1;
my ($port, $host) = unpack_sockaddr_in(getpeername(STDIN));
print "220 ", inet_ntoa($host), " $port\\r\\n";
print "250 $_" while <STDIN>;
`;

postfixTest(
  "connections that postscreen(8) passes on are served as its clients'",
  async () => {
    const port = freePort();
    await using postfix = await Postfix.start(
      "",
      `postscreen_greet_wait = 1s
postscreen_greet_banner =
mynetworks = 192.0.2.0/24`,
    );
    const script = await postfix.file("tells", TELLS_PEER, 0o755);
    await postfix.setMasterCf(
      `127.0.0.1:${port} inet n - n - 1 postscreen
smtpd pass - n n - 2 spawnd -v user=nobody argv=${script}`,
    );
    await postfix.control("reload");
    for (let index = 0; index < 3; index++) {
      using client = await postfix.connect(`127.0.0.1:${port}`);
      const { port: ours } = client.localAddr as Deno.NetAddr;
      const greeting = `220 127.0.0.1 ${ours}\r\n`;
      assertEquals(await readBytes(client, greeting.length), greeting);
      // It blocks: the command reads lines as from any other connection.
      assertEquals(await finish(client, "hello\n"), "250 hello\n");
    }
    await postfix.logged(/spawnd\[\d+\]: connection closed/);
    // Postfix's own programs may warn of a machine that is slow.
    const log = await postfix.log();
    assert(!/spawnd.*warning:|warning:.*spawnd/.test(log), log);
  },
);

postfixTest(
  "a program that passes no connection on is given up, and the next is served",
  async () => {
    await using postfix = await Postfix.start(
      "passed pass - n n - - spawnd user=nobody argv=/bin/cat",
    );
    // It connects, and says nothing of what Postfix's programs say.
    using wrong = await postfix.connect("passed");
    await wrong.write(new TextEncoder().encode("hello"));
    await wrong.closeWrite();
    assertEquals((await readAll(wrong)).length, 0);
    await postfix.logged(
      "warning: command /bin/cat cannot be started: " +
        "no connection was passed on: what has arrived is not complete",
    );
    using silent = await postfix.connect("passed");
    await postfix.logged("no connection was passed on: it takes too long");
    assertEquals((await readAll(silent)).length, 0);
  },
);

postfixTest(
  "a service with several listening sockets serves all of them",
  async () => {
    const port = freePort();
    await using postfix = await Postfix.start(
      `${port} inet n n n - - spawnd user=nobody argv=/bin/cat`,
      "inet_protocols = all",
    );
    for (const hostname of ["127.0.0.1", "::1", "127.0.0.1"]) {
      using client = await Deno.connect({ hostname, port });
      assertEquals(await finish(client, hostname), hostname);
    }
    const [pid = 0, ...others] = await postfix.daemons(`${port}`);
    assertEquals(others, []);
    assertMatch(await output("ps", "-o", "args=", "-p", `${pid}`), / -s 2 /);
  },
);

postfixTest(
  "-S serves the one connection on standard input, as spawn(8) does",
  async () => {
    await using postfix = await Postfix.start("");
    for (const program of [programWords(), ["/usr/lib/postfix/sbin/spawn"]]) {
      const port = freePort();
      await using server = await Server.start(port, postfix.join("etc"), [
        ...program,
        "-S",
        "user=nobody",
        "argv=/bin/sh",
        "-c",
        "{ id -un; cat; }",
      ]);
      using client = await server.connect();
      assertEquals(await finish(client, "hello\n"), "nobody\nhello\n");
      await until("it has ended", async () => {
        return (await server.children()).length === 0;
      });
    }
  },
  { others: ["/usr/bin/tcpserver"] },
);

/** tcpserver(1), which gives a program each connection as its standard input. */
class Server implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #port: number;

  private constructor(child: Deno.ChildProcess, port: number) {
    this.#child = child;
    this.#port = port;
  }

  static async start(
    port: number,
    configuration: string,
    words: readonly string[],
  ): Promise<Server> {
    const child = new Deno.Command("tcpserver", {
      args: ["-RHv", "-l0", "127.0.0.1", `${port}`, ...words],
      env: { MAIL_CONFIG: configuration },
      stdout: "null",
      stderr: "piped",
    }).spawn();
    // It says how many it serves when it listens.
    const reader = child.stderr.getReader();
    await reader.read();
    await reader.cancel();
    return new Server(child, port);
  }

  /** The processes that it has started. */
  async children(): Promise<number[]> {
    return await childrenOf(this.#child.pid);
  }

  connect(): Promise<Deno.TcpConn> {
    return Deno.connect({ hostname: "127.0.0.1", port: this.#port });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
  }
}
