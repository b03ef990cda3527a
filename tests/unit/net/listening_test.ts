import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseInetName } from "../../../lib/net/inet_endpoint.ts";
import {
  listenInet,
  type ListeningSocket,
  type ListenOptions,
} from "../../../lib/net/listening.ts";
import { isOpen } from "../posix/descriptors.ts";
import { Acceptor, formatOrigin } from "../../../lib/posix/sockets.ts";
import {
  DEFAULT_TUNING,
  retuneConnections,
} from "../../../lib/net/connection_tuning.ts";
import { NO_BIND_OPTIONS } from "../../../lib/posix/socket_options.ts";
import { isDatagramSocket, isListening } from "../../../lib/posix/sockets.ts";
import { EX, type Mistake, type Result } from "../../../lib/result.ts";
import { proc, rootTest } from "../../e2e/machine.ts";
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

// asm-generic/socket.h, netinet/tcp.h, linux/in6.h
const SOL_SOCKET = 1;
const SO_KEEPALIVE = 9;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;

/** An option of a socket's, as a number. */
function optionOf(fd: number, level: number, name: number): number {
  const value = new Int32Array(1);
  const length = new Uint8Array(new Uint32Array([4]).buffer);
  const bytes = new Uint8Array(value.buffer);
  assertEquals(libc.c.getsockopt(fd, level, name, bytes, length), 0);
  return value[0] ?? -1;
}

/** Sockets on a name, with more to be said about them. */
function listeningWith(
  name: string,
  options: Partial<ListenOptions>,
): Sockets {
  const endpoints = parseInetName(name);
  if (!endpoints.ok) throw new Error(endpoints.mistake.text);
  const result = listenInet(endpoints.value, {
    ...{ acceptFrom: "fd", libc, backlogConnections: 16 },
    ...options,
  });
  if (!result.ok) throw new Error(result.mistake.text);
  return new Sockets(result.value);
}

function fdOf({ all: [socket] }: Sockets): number {
  if (socket === undefined || !("fd" in socket.source)) {
    throw new Error("no fd");
  }
  return socket.source.fd;
}

Deno.test("connections inherit what the listening socket was told", async () => {
  using sockets = listeningWith("127.0.0.1:0", {
    tuning: { ...DEFAULT_TUNING, keepAliveIdleSeconds: 77, noDelay: true },
  });
  using _client = await Deno.connect({ port: sockets.port });
  const accepted = new Acceptor(libc).accept(fdOf(sockets));
  assertEquals(
    [
      optionOf(accepted, SOL_SOCKET, SO_KEEPALIVE),
      optionOf(accepted, IPPROTO_TCP, TCP_KEEPIDLE),
      optionOf(accepted, IPPROTO_TCP, TCP_NODELAY),
    ],
    [1, 77, 1],
  );
  libc.c.close(accepted);
  // A socket that is taken over is told what is left to the system as well.
  retuneConnections(libc, fdOf(sockets), {
    ...DEFAULT_TUNING,
    keepAlive: false,
  });
  const time = await proc("sys/net/ipv4/tcp_keepalive_time");
  assertEquals(
    [
      optionOf(fdOf(sockets), SOL_SOCKET, SO_KEEPALIVE),
      optionOf(fdOf(sockets), IPPROTO_TCP, TCP_KEEPIDLE),
      optionOf(fdOf(sockets), IPPROTO_TCP, TCP_NODELAY),
    ],
    [0, Number(time), 0],
  );
});

Deno.test("several sockets share a port where all of them say so", () => {
  const bind = { ...NO_BIND_OPTIONS, reusePort: true };
  using one = listeningWith("127.0.0.1:0", { bind });
  using other = listeningWith(`127.0.0.1:${one.port}`, { bind });
  assertEquals(other.port, one.port);
  assertMatch(
    mistakeOf(listen(`127.0.0.1:${one.port}`)).text,
    /: Address already in use/,
  );
});

Deno.test("a socket listens on an address that the machine does not have, where that is said", () => {
  const bind = { ...NO_BIND_OPTIONS, freeBind: true };
  using sockets = listeningWith("192.0.2.1:0", { bind });
  assertMatch(sockets.all[0]?.address ?? "", /^192\.0\.2\.1:\d+$/);
});

Deno.test("an IPv6 socket takes IPv6 clients alone, where that is said", () => {
  const bind = { ...NO_BIND_OPTIONS, v6Only: true };
  using sockets = listeningWith("0", { bind });
  assertEquals(sockets.all.length, 2);
});

Deno.test("a socket for datagrams is no socket for connections, and beside one", () => {
  using stream = listeningWith("127.0.0.1:0", {});
  using datagrams = listeningWith(`127.0.0.1:${stream.port}`, {
    isDatagram: true,
  });
  assertEquals(isDatagramSocket(libc, fdOf(datagrams)), true);
  assertEquals(isListening(libc, fdOf(datagrams)), false);
  assertEquals(datagrams.all[0]?.isDatagram, true);
});
