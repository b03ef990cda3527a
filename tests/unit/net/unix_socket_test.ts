import { assert, assertEquals, assertRejects } from "@std/assert";
import { listenUnix } from "../../../lib/net/unix_socket.ts";
import { unchangingCredentials } from "../../../lib/posix/credentials.ts";
import { lookAt } from "../../../lib/posix/files.ts";
import { UNIX_PATH_BYTES_MAX } from "../../../lib/posix/sockets.ts";
import { EX, type Mistake } from "../../../lib/result.ts";
import { output, rootTest } from "../../e2e/machine.ts";
import { ALLOW_LIBC, Fixture } from "../fixture.ts";
import type { UnixReport, UnixRequest } from "../fixtures/listen_unix.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";

/**
 * A process that listens on a unix socket, or was refused to. Ends with the
 * scope, and leaves its socket behind then: `await using`.
 */
class UnixListener extends Fixture {
  static async start(
    request: Partial<UnixRequest> & { path: string },
  ): Promise<UnixListener & { report: UnixReport }> {
    const whole = { acceptFrom: "fd", mode: 0o666, ...request };
    const listener = new UnixListener("listen_unix.ts", {
      args: [JSON.stringify(whole)],
      allow: [...ALLOW_LIBC, "--allow-net", "--allow-read", "--allow-write"],
    });
    const report = await listener.entry<UnixReport>();
    return Object.assign(listener, { report });
  }

  /** Has it close its socket and end. */
  async close(): Promise<void> {
    await this.tell("close");
    const { code, stderr } = await this.ended();
    assertEquals(code, 0, stderr);
  }

  /** Kills it, so that its socket becomes a stale one. */
  async crash(): Promise<void> {
    this.kill("SIGKILL");
    await this.ended();
  }
}

/** Why a listener would not start. */
async function refusal(path: string): Promise<Mistake | undefined> {
  await using listener = await UnixListener.start({ path });
  return listener.report.mistake;
}

for (const acceptFrom of ["fd", "listener"] as const) {
  Deno.test(`listenUnix() listens, and removes the socket at the end: ${acceptFrom}`, async () => {
    using scratch = new Scratch();
    const path = scratch.path("socket");
    await using listener = await UnixListener.start({ path, acceptFrom });
    assertEquals(listener.report.mistake, undefined);
    assertEquals(listener.report.address, path);
    const connection = await Deno.connect({ transport: "unix", path });
    connection.close();
    await listener.close();
    assertEquals(lookAt(libc, path), undefined);
  });

  Deno.test(`listenUnix() replaces a socket on which nobody answers: ${acceptFrom}`, async () => {
    using scratch = new Scratch();
    const path = scratch.path("socket");
    await using first = await UnixListener.start({ path, acceptFrom });
    await first.crash();
    assertEquals(lookAt(libc, path)?.kind, "socket");
    await assertRejects(
      () => Deno.connect({ transport: "unix", path }),
      Deno.errors.ConnectionRefused,
    );
    await using second = await UnixListener.start({ path, acceptFrom });
    assertEquals(second.report.mistake, undefined);
    const connection = await Deno.connect({ transport: "unix", path });
    connection.close();
    await second.close();
    assertEquals(lookAt(libc, path), undefined);
  });

  Deno.test(`listenUnix() leaves what another has put in its place: ${acceptFrom}`, async () => {
    using scratch = new Scratch();
    const path = scratch.path("socket");
    await using listener = await UnixListener.start({ path, acceptFrom });
    Deno.removeSync(path);
    scratch.file("socket", "another's");
    await listener.close();
    assertEquals(Deno.readTextFileSync(path), "another's");
  });

  Deno.test(`listenUnix() gives the socket its mode from the first instant: ${acceptFrom}`, async () => {
    using scratch = new Scratch();
    for (const mode of [0o600, 0o660, 0o666, 0o622]) {
      const path = scratch.path(`socket-${mode.toString(8)}`);
      await using listener = await UnixListener.start({
        path,
        acceptFrom,
        mode,
      });
      const { firstMode, umaskBefore, umaskAfter } = listener.report;
      assertEquals(firstMode, mode);
      assertEquals(lookAt(libc, path)?.mode, mode);
      assertEquals(umaskAfter, umaskBefore);
    }
  });

  rootTest(
    `listenUnix() lets nobody connect before the socket has its owner: ${acceptFrom}`,
    async () => {
      using scratch = new Scratch();
      const path = scratch.path("socket");
      await using listener = await UnixListener.start({
        path,
        acceptFrom,
        mode: 0o660,
        owner: { uid: 65534, gid: 1 },
      });
      assertEquals(listener.report.firstMode, 0);
      assertEquals(
        (await output("stat", "--format", "%u %g %a", path)).trim(),
        "65534 1 660",
      );
    },
  );
}

rootTest(
  "listenUnix() removes the socket with the rights that the daemon has by then",
  async () => {
    using scratch = new Scratch();
    const path = scratch.path("socket");
    await using listener = await UnixListener.start({ path, rest: true });
    await listener.close();
    assertEquals(lookAt(libc, path), undefined);
  },
);

Deno.test("listenUnix() refuses a path on which somebody listens, and tells who", async () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  using _listener = Deno.listen({ transport: "unix", path });
  const mistake = await refusal(path);
  assertEquals(
    mistake?.text,
    `${path} is in use: process id ${Deno.pid} of user id ${Deno.uid()} ` +
      "listens on it",
  );
  assertEquals(mistake?.exitCode, EX.OSERR);
  assertEquals(lookAt(libc, path)?.kind, "socket");
});

Deno.test("listenUnix() refuses a path that is not a socket, and leaves it alone", async () => {
  using scratch = new Scratch();
  const path = scratch.file("file", "precious");
  assertEquals(
    (await refusal(path))?.text,
    `${path} exists and is not a socket`,
  );
  assertEquals(Deno.readTextFileSync(path), "precious");

  const link = scratch.path("link");
  Deno.symlinkSync(scratch.path("nothing"), link);
  assertEquals(
    (await refusal(link))?.text,
    `${link} exists and is not a socket`,
  );
});

Deno.test("listenUnix() refuses a path that is too long for a socket, and no other", async () => {
  using scratch = new Scratch();
  const room = UNIX_PATH_BYTES_MAX - scratch.path("").length;
  const longest = scratch.path("x".repeat(room));
  await using listener = await UnixListener.start({ path: longest });
  assertEquals(listener.report.mistake, undefined);
  const connection = await Deno.connect({ transport: "unix", path: longest });
  connection.close();

  const longer = scratch.path("é".repeat(Math.ceil((room + 1) / 2)));
  const mistake = await refusal(longer);
  assertEquals(mistake?.text, `bad socket path: ${longer}`);
  assertEquals(mistake?.mend, "a socket's path has 107 bytes at the most");
  assertEquals(mistake?.exitCode, EX.USAGE);
});

Deno.test("listenUnix() tells that the folder is not there", async () => {
  using scratch = new Scratch();
  const path = scratch.path("missing/socket");
  const mistake = await refusal(path);
  assert(
    mistake?.text.startsWith(`cannot listen on ${path}: No such file`),
    mistake?.text,
  );
  assertEquals(mistake?.exitCode, EX.OSERR);
});

Deno.test("listenUnix() needs the C library", () => {
  using scratch = new Scratch();
  const result = listenUnix(scratch.path("socket"), {
    libc: undefined,
    acceptFrom: "listener",
    mode: 0o666,
    owner: undefined,
    backlogConnections: 16,
    credentials: unchangingCredentials,
  });
  assertEquals(
    result.ok ? "" : result.mistake.text,
    "unix sockets need the C library",
  );
});
