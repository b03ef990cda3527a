import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseInetName } from "../../../lib/net/inet_endpoint.ts";
import {
  listenInet,
  type ListeningSocket,
  type ListenOptions,
} from "../../../lib/net/listening.ts";
import { isOpen } from "../posix/descriptors.ts";
import { Acceptor, formatOrigin } from "../../../lib/posix/sockets.ts";
import { EX, type Mistake, type Result } from "../../../lib/result.ts";
import { rootTest } from "../../e2e/machine.ts";
import { ALLOW_LIBC, reportOf } from "../fixture.ts";
import { libc } from "../real_libc.ts";

/** Sockets of one test. Closed with the scope: `using`. */
class Sockets implements Disposable {
  constructor(readonly all: readonly ListeningSocket[]) {}

  /** The port of the first. */
  get port(): number {
    return Number(this.all[0]?.address.match(/:(\d+)$/)?.[1]);
  }

  [Symbol.dispose](): void {
    for (const socket of this.all) socket.close();
  }
}

function listen(
  name: string,
  acceptFrom: ListenOptions["acceptFrom"] = "fd",
  library: typeof libc | undefined = libc,
): Result<ListeningSocket[]> {
  const endpoints = parseInetName(name);
  if (!endpoints.ok) throw new Error(endpoints.mistake.text);
  return listenInet(endpoints.value, {
    acceptFrom,
    libc: library,
    backlogConnections: 16,
  });
}

function listening(
  name: string,
  acceptFrom?: ListenOptions["acceptFrom"],
): Sockets {
  const result = listen(name, acceptFrom);
  if (!result.ok) throw new Error(result.mistake.text);
  return new Sockets(result.value);
}

function mistakeOf(result: Result<ListeningSocket[]>): Mistake {
  if (!result.ok) return result.mistake;
  new Sockets(result.value)[Symbol.dispose]();
  throw new Error("it listens");
}

/** Connects, and shows that the connection arrives at the socket. */
async function assertReaches(
  hostname: string,
  port: number,
  { source }: ListeningSocket,
): Promise<void> {
  using connection = await Deno.connect({ hostname, port });
  const local = connection.localAddr as Deno.NetAddr;
  if ("listener" in source) {
    using accepted = await source.listener.accept();
    const remote = accepted.remoteAddr as Deno.NetAddr;
    assertEquals(remote.port, local.port);
    return;
  }
  const acceptor = new Acceptor(libc);
  const accepted = acceptor.accept(source.fd);
  try {
    assert(accepted > 0);
    assertMatch(
      formatOrigin(acceptor.origin(accepted)),
      new RegExp(`:${local.port}$`),
    );
  } finally {
    libc.c.close(accepted);
  }
}

for (const acceptFrom of ["fd", "listener"] as const) {
  Deno.test(`listenInet() takes a free port for port 0 and tells it: ${acceptFrom}`, async () => {
    using sockets = listening("127.0.0.1:0", acceptFrom);
    const [socket, ...others] = sockets.all;
    if (socket === undefined) throw new Error("no socket");
    assertEquals(others, []);
    assertMatch(socket.address, /^127\.0\.0\.1:[1-9]\d*$/);
    await assertReaches("127.0.0.1", sockets.port, socket);
  });

  Deno.test(`listenInet() listens on IPv6: ${acceptFrom}`, async () => {
    using sockets = listening("[::1]:0", acceptFrom);
    const [socket] = sockets.all;
    if (socket === undefined) throw new Error("no socket");
    assertMatch(socket.address, /^\[::1\]:[1-9]\d*$/);
    await assertReaches("::1", sockets.port, socket);
  });

  Deno.test(`listenInet() listens everywhere on one port: ${acceptFrom}`, async () => {
    using sockets = listening("0", acceptFrom);
    const ports = sockets.all.map(({ address }) => address.split(":").at(-1));
    assertEquals(new Set(ports).size, 1, ports.join(" "));
    const [first] = sockets.all;
    if (first === undefined) throw new Error("no socket");
    await assertReaches("127.0.0.1", sockets.port, sockets.all.at(-1) ?? first);
    await assertReaches("::1", sockets.port, first);
  });

  Deno.test(`a socket of listenInet() is gone once it is closed: ${acceptFrom}`, () => {
    const sockets = listening("127.0.0.1:0", acceptFrom);
    sockets[Symbol.dispose]();
    using again = listening(`127.0.0.1:${sockets.port}`, acceptFrom);
    assertEquals(again.port, sockets.port);
  });

  Deno.test(`listenInet() tells that the port is in use: ${acceptFrom}`, () => {
    using taken = listening("127.0.0.1:0");
    const { text, mend, exitCode } = mistakeOf(
      listen(`127.0.0.1:${taken.port}`, acceptFrom),
    );
    assertMatch(
      text,
      new RegExp(`^cannot listen on 127\\.0\\.0\\.1:${taken.port}: Address`),
    );
    assertEquals(
      mend,
      'another program listens there; "ss -lntup" shows which',
    );
    assertEquals(exitCode, EX.OSERR);
  });

  Deno.test(`listenInet() tells that the machine does not have the address: ${acceptFrom}`, () => {
    const { text, mend, exitCode } = mistakeOf(
      listen("192.0.2.1:0", acceptFrom),
    );
    assertMatch(text, /^cannot listen on 192\.0\.2\.1:0: Cannot assign/);
    assertEquals(
      mend,
      'this machine has no such address; "ip address" shows those it has',
    );
    assertEquals(exitCode, EX.OSERR);
  });
}

Deno.test("listenInet() refuses everywhere where somebody has the port on all of IPv4", () => {
  using taken = listening("0.0.0.0:0");
  const { text } = mistakeOf(listen(String(taken.port)));
  assertMatch(text, new RegExp(`^cannot listen on .*:${taken.port}: Address`));
});

Deno.test("listenInet() keeps none of a name's sockets where one cannot be had", () => {
  using taken = listening("127.0.0.1:0");
  const { port } = taken;
  const endpoints = [{ host: "::1", port }, { host: "127.0.0.1", port }];
  const result = listenInet(
    { endpoints, everywhere: false },
    { acceptFrom: "fd", libc, backlogConnections: 16 },
  );
  assertMatch(mistakeOf(result).text, /^cannot listen on 127\.0\.0\.1:/);
  // The other address of it is free again.
  using free = listening(`[::1]:${port}`);
  assertEquals(free.port, port);
});

Deno.test("listenInet() gives a listener without the C library", async () => {
  const result = listen("127.0.0.1:0", "listener", undefined);
  assert(result.ok);
  if (!result.ok) return;
  using sockets = new Sockets(result.value);
  const [socket] = sockets.all;
  if (socket === undefined) throw new Error("no socket");
  await assertReaches("127.0.0.1", sockets.port, socket);
});

Deno.test("listenInet() keeps one descriptor for a socket that is accepted from by it", () => {
  const sockets = listening("127.0.0.1:0");
  const source = sockets.all[0]?.source;
  if (source === undefined || !("fd" in source)) throw new Error("no fd");
  assertEquals(isOpen(source.fd), true);
  sockets[Symbol.dispose]();
  assertEquals(isOpen(source.fd), false);
});

rootTest("listenInet() tells that a low port is root's", async () => {
  const mistake = await reportOf<Mistake | null>("listen_inet.ts", {
    args: ["127.0.0.1:1"],
    allow: [...ALLOW_LIBC, "--allow-net"],
  });
  assertMatch(
    mistake?.text ?? "",
    /^cannot listen on 127\.0\.0\.1:1: Permission denied/,
  );
  assertEquals([mistake?.mend, mistake?.exitCode], [
    "start as root",
    EX.NOPERM,
  ]);
});
