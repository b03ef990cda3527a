/**
 * The environment and the limits of commands beside those of other servers, and
 * TLS by a command in front of the real one.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort, talkTo } from "../e2e/configuration.ts";
import { Daemon } from "../e2e/daemon.ts";
import { peerTest } from "../e2e/load.ts";
import { Folder, output, until } from "../e2e/machine.ts";

/** Names and values, but for what each server knows by itself. */
function variables(
  text: string,
  isMeant: (name: string) => boolean,
): Map<string, string> {
  return new Map(
    text.trim().split("\n").sort().flatMap((word) => {
      const at = word.indexOf("=");
      const name = word.slice(0, at);
      const value = word.slice(at + 1);
      return isMeant(name) ? [[name, /PORT$/.test(name) ? "N" : value]] : [];
    }),
  );
}

/** Asks a server of another kind, which ends with the scope. */
async function askOther(
  words: readonly string[],
  address: string,
): Promise<string> {
  const [program = "", ...args] = words;
  const child = new Deno.Command(program, {
    args,
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    let answer = "";
    await until(`${program} answers`, async () => {
      answer = await talkTo(address).catch(() => "");
      return answer !== "";
    });
    return answer;
  } finally {
    child.kill("SIGTERM");
    await child.status;
  }
}

async function askOurs(
  type: string,
  name: string,
  ...words: string[]
): Promise<string> {
  await using daemon = await Daemon.start([type, name, ...words]);
  return await daemon.talk();
}

const NOBODY = ["user=nobody", "argv=/usr/bin/env"];

peerTest(
  "ucspi's variables are those of tcpserver",
  "/usr/bin/tcpserver",
  async () => {
    const port = freePort();
    const theirs = variables(
      await askOther(
        ["tcpserver", "-HR", "-l0", "127.0.0.1", `${port}`, "/usr/bin/env"],
        `127.0.0.1:${port}`,
      ),
      (name) => /^PROTO$|^TCP(?:LOCAL|REMOTE)(?:IP|PORT)$/.test(name),
    );
    const ours = variables(
      await askOurs("inet", "127.0.0.1:0", ...NOBODY),
      (name) => theirs.has(name),
    );
    assertEquals(theirs.size, 5);
    assertEquals(ours, theirs);
  },
);

peerTest(
  "what is told of a unix client is what s6 tells",
  "/usr/bin/s6-ipcserver",
  async () => {
    await using folder = await Folder.create();
    const path = folder.join("theirs");
    const theirs = variables(
      await askOther(
        [
          ...["s6-ipcserver-socketbinder", path],
          ...["s6-ipcserverd", "/usr/bin/env"],
        ],
        path,
      ),
      (name) => /^PROTO$|^IPCREMOTEE[UG]ID$/.test(name),
    );
    const ours = variables(
      await askOurs("unix", folder.join("ours"), ...NOBODY),
      (name) => theirs.has(name),
    );
    assertEquals(theirs.size, 3);
    assertEquals(ours, theirs);
  },
);

peerTest(
  "limits, nice, umask and REMOTE_HOST are those of xinetd",
  "/usr/sbin/xinetd",
  async () => {
    await using folder = await Folder.create();
    const script = await folder.file(
      "tell",
      "#!/bin/sh\nexec 2>&1; umask; nice; echo $REMOTE_HOST\n" +
        "grep -E 'cpu time|data size|stack|resident|core' /proc/self/limits\n",
      0o755,
    );
    const port = freePort();
    const configuration = await folder.file(
      "xinetd.conf",
      `service tell
{
  type = UNLISTED
  bind = 127.0.0.1
  port = ${port}
  socket_type = stream
  protocol = tcp
  wait = no
  user = nobody
  server = ${script}
  umask = 022
  nice = 5
  rlimit_cpu = 60
  rlimit_data = 256M
  rlimit_stack = 8M
  rlimit_rss = 64M
}
`,
    );
    const theirs = await askOther(
      [
        ...["/usr/sbin/xinetd", "-dontfork", "-f", configuration],
        ...["-pidfile", folder.join("pid")],
      ],
      `127.0.0.1:${port}`,
    );
    const ours = await askOurs(
      ...["inet", "127.0.0.1:0", "--umask", "022", "--nice", "5"],
      ...["--limits", "cpu=60 data=256M stack=8M rss=64M"],
      ...["--connection-environment", "inetd", "user=nobody", `argv=${script}`],
    );
    assertEquals(ours, theirs);
    assertMatch(ours, /^0022\n5\n127\.0\.0\.1\n/);
  },
);

peerTest(
  "stunnel in inetd's mode speaks TLS for a command",
  "/usr/bin/stunnel4",
  async () => {
    await using folder = await Folder.create();
    const key = folder.join("server.pem");
    await output(
      ...["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"],
      ...["-subj", "/CN=localhost", "-days", "1", "-keyout", key, "-out", key],
    );
    await output("chown", "nobody", key);
    const configuration = await folder.file(
      "stunnel.conf",
      `cert = ${key}\nsyslog = no\nexec = /bin/cat\nexecArgs = cat\n`,
    );
    await using daemon = await Daemon.start([
      ...["inet", "127.0.0.1:0", "--standard-error", "null"],
      ...["user=nobody", `argv=/usr/bin/stunnel4`, configuration],
    ]);
    const client = new Deno.Command("timeout", {
      args: [
        ...["20", "openssl", "s_client", "-quiet", "-CAfile", key],
        ...["-verify_return_error", "-connect", `127.0.0.1:${daemon.port}`],
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = client.stdin.getWriter();
    await writer.write(new TextEncoder().encode("hello over TLS\n"));
    const reader = client.stdout.getReader();
    const { value } = await reader.read();
    assertEquals(new TextDecoder().decode(value), "hello over TLS\n");
    client.kill("SIGTERM");
    await writer.close().catch(() => {});
    await reader.cancel();
    await client.status;
    assert(daemon.entries.every(({ level }) => level === "info"));
  },
);
