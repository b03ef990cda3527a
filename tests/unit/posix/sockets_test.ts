import { assert, assertEquals, assertThrows } from "@std/assert";
import { errorText, SystemError } from "../../../lib/posix/errno.ts";
import {
  Acceptor,
  decodeAddress,
  formatAddress,
  formatOrigin,
  isListening,
  peerProcess,
  setBacklog,
  socketAddress,
  whoListens,
  withDescriptor,
} from "../../../lib/posix/sockets.ts";
import { output } from "../../e2e/machine.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";
import { isOpen, OpenFile } from "./descriptors.ts";
import { ListeningUnix } from "./listening_unix.ts";

/**
 * A `struct sockaddr` as the system's own Perl makes it from its C headers.
 *
 * @param expression Calls of Perl's Socket module.
 */
async function structure(
  expression: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const hex = await output(
    "perl",
    "-MSocket=:DEFAULT,inet_pton,pack_sockaddr_in6",
    "-e",
    `print unpack "H*", ${expression}`,
  );
  return Uint8Array.from(
    hex.match(/../g) ?? [],
    (digits) => parseInt(digits, 16),
  );
}

/** The address as a user would read it. */
async function decoded(expression: string): Promise<string> {
  const bytes = await structure(expression);
  return formatAddress(decodeAddress(bytes, bytes.length));
}

/** Listens on an address of this machine. */
function listenOn(hostname: string): {
  opened: Deno.TcpListener;
  fd: number;
} {
  return withDescriptor(libc, () => Deno.listen({ hostname, port: 0 }));
}

function portOf(listener: Deno.TcpListener): number {
  return (listener.addr as Deno.NetAddr).port;
}

Deno.test("decodeAddress() reads an IPv4 address", async () => {
  assertEquals(
    await decoded('pack_sockaddr_in(2525, inet_aton("192.0.2.1"))'),
    "192.0.2.1:2525",
  );
});

Deno.test("decodeAddress() reads an IPv6 address and writes its shortest form", async () => {
  const of = (host: string): Promise<string> =>
    decoded(`pack_sockaddr_in6(25, inet_pton(AF_INET6, "${host}"))`);
  assertEquals(await of("2001:db8:0:0:1:0:0:1"), "[2001:db8::1:0:0:1]:25");
  assertEquals(await of("::1"), "[::1]:25");
  assertEquals(await of("::"), "[::]:25");
  assertEquals(
    await of("2001:DB8::ff00:42:8329"),
    "[2001:db8::ff00:42:8329]:25",
  );
});

Deno.test("decodeAddress() gives an IPv4 address that came over IPv6 as what it is", async () => {
  assertEquals(
    await decoded(
      'pack_sockaddr_in6(65535, inet_pton(AF_INET6, "::ffff:192.0.2.1"))',
    ),
    "192.0.2.1:65535",
  );
});

Deno.test("decodeAddress() names the interface of a link-local address", async () => {
  assertEquals(
    await decoded('pack_sockaddr_in6(25, inet_pton(AF_INET6, "fe80::1"), 7)'),
    "[fe80::1%7]:25",
  );
});

Deno.test("decodeAddress() reads the path of a unix socket", async () => {
  assertEquals(await decoded('pack_sockaddr_un("/run/é.sock")'), "/run/é.sock");
  const longest = `/${"x".repeat(107)}`;
  assertEquals(await decoded(`pack_sockaddr_un("${longest}")`), longest);
});

Deno.test("decodeAddress() gives a unix socket without a name an empty path", async () => {
  const bytes = await structure('pack_sockaddr_un("")');
  assertEquals(decodeAddress(bytes, 2), { kind: "unix", path: "" });
});

Deno.test("decodeAddress() reads a structure in the middle of a buffer", async () => {
  const bytes = await structure(
    'pack_sockaddr_in6(25, inet_pton(AF_INET6, "2001:db8::1"))',
  );
  const buffer = new Uint8Array(bytes.length + 13);
  buffer.set(bytes, 13);
  assertEquals(
    formatAddress(decodeAddress(buffer.subarray(13), bytes.length)),
    "[2001:db8::1]:25",
  );
});

Deno.test("decodeAddress() gives other families by their number", async () => {
  const AF_NETLINK = 16;
  const bytes = await structure('pack("S x14", 16)');
  assertEquals(
    formatAddress(decodeAddress(bytes, bytes.length)),
    `family ${AF_NETLINK}`,
  );
  assertEquals(decodeAddress(bytes, 0), { kind: "other", family: 0 });
});

for (
  const [kind, hostname, client] of [
    ["IPv4", "127.0.0.1", "127.0.0.1"],
    ["IPv6", "::1", "::1"],
    ["IPv4 over an IPv6 socket", "::", "127.0.0.1"],
  ] as const
) {
  Deno.test(`Acceptor.accept() takes a connection and tells its peer: ${kind}`, async () => {
    const { opened: listener, fd } = listenOn(hostname);
    using _listener = listener;
    const acceptor = new Acceptor(libc);
    const port = portOf(listener);
    using connection = await Deno.connect({ hostname: client, port });
    const accepted = acceptor.accept(fd);
    try {
      assert(accepted > 0);
      const local = connection.localAddr as Deno.NetAddr;
      const host = client === "::1" ? "[::1]" : client;
      assertEquals(
        formatOrigin(acceptor.origin(accepted)),
        `${host}:${local.port}`,
      );
      // It is that very connection.
      libc.c.write(accepted, new Uint8Array([42]), 1n);
      const byte = new Uint8Array(1);
      await connection.read(byte);
      assertEquals(byte[0], 42);
    } finally {
      libc.c.close(accepted);
    }
  });
}

Deno.test("Acceptor.accept() takes a connection and tells its peer: unix", async () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  using listening = new ListeningUnix(path);
  const acceptor = new Acceptor(libc);
  using _connection = await Deno.connect({ transport: "unix", path });
  const accepted = acceptor.accept(listening.fd);
  try {
    assertEquals(
      formatOrigin(acceptor.origin(accepted)),
      `unix:pid=${Deno.pid},uid=${Deno.uid()}`,
    );
    assertEquals(peerProcess(libc, accepted), {
      pid: Deno.pid,
      uid: Deno.uid() ?? -1,
      gid: Deno.gid() ?? -1,
    });
  } finally {
    libc.c.close(accepted);
  }
});

Deno.test("Acceptor.accept() does not wait where nobody has come", () => {
  const { opened: listener, fd } = listenOn("127.0.0.1");
  using _listener = listener;
  const code = -new Acceptor(libc).accept(fd);
  assertEquals(errorText(libc, code), "Resource temporarily unavailable");
});

Deno.test("peerProcess() knows no process behind what is no unix socket", () => {
  using scratch = new Scratch();
  using file = new OpenFile(scratch.file("file"));
  assertEquals(peerProcess(libc, file.fd), undefined);
});

Deno.test("withDescriptor() finds each listener's own descriptor", () => {
  const first = listenOn("127.0.0.1");
  using _first = first.opened;
  const second = listenOn("127.0.0.1");
  using _second = second.opened;
  for (const { opened, fd } of [first, second]) {
    assertEquals(socketAddress(libc, fd), {
      kind: "inet",
      host: "127.0.0.1",
      port: portOf(opened),
    });
  }
});

Deno.test("withDescriptor() finds the descriptor of a listener that fills a gap", () => {
  using scratch = new Scratch();
  const path = scratch.file("file");
  const gap = new OpenFile(path);
  const before = listenOn("127.0.0.1");
  using _before = before.opened;
  using _file = new OpenFile(path);
  gap[Symbol.dispose]();
  const { opened, fd } = listenOn("127.0.0.1");
  using _listener = opened;
  assertEquals(fd, gap.fd);
  const address = socketAddress(libc, fd);
  assertEquals(formatAddress(address), `127.0.0.1:${portOf(opened)}`);
});

Deno.test("withDescriptor() throws where nothing new listens, and what open throws", () => {
  const { opened } = listenOn("127.0.0.1");
  using _listener = opened;
  assertThrows(
    () => withDescriptor(libc, () => "nothing"),
    Error,
    "no descriptor of ours listens",
  );
  assertThrows(
    () => withDescriptor(libc, () => listenOn("192.0.2.1")),
    Deno.errors.AddrNotAvailable,
  );
});

Deno.test("isListening() tells listening sockets from everything else", async () => {
  const { opened, fd } = listenOn("127.0.0.1");
  using _listener = opened;
  assertEquals(isListening(libc, fd), true);
  using _connection = await Deno.connect({
    hostname: "127.0.0.1",
    port: portOf(opened),
  });
  const accepted = new Acceptor(libc).accept(fd);
  assertEquals(isListening(libc, accepted), false);
  libc.c.close(accepted);
  assertEquals(isListening(libc, accepted), false);
  using scratch = new Scratch();
  using file = new OpenFile(scratch.file("file"));
  assertEquals(isListening(libc, file.fd), false);
});

Deno.test("socketAddress() throws for a descriptor that is no socket", () => {
  using scratch = new Scratch();
  using file = new OpenFile(scratch.file("file"));
  assertThrows(
    () => socketAddress(libc, file.fd),
    SystemError,
    "getsockname: Socket operation on non-socket",
  );
});

Deno.test("setBacklog() sets how many connections wait", () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  using listening = new ListeningUnix(path);
  // The kernel lets one more wait than it was told.
  setBacklog(libc, listening.fd, 1);
  const answers = Array.from({ length: 3 }, () => {
    const answer = whoListens(libc, path);
    return "listener" in answer ? "waits" : errorText(libc, answer.code);
  });
  assertEquals(answers, ["waits", "waits", "Resource temporarily unavailable"]);
});

Deno.test("setBacklog() throws for a descriptor that cannot listen", () => {
  using scratch = new Scratch();
  using file = new OpenFile(scratch.file("file"));
  assertThrows(
    () => setBacklog(libc, file.fd, 1),
    SystemError,
    "listen: Socket operation on non-socket",
  );
});

Deno.test("whoListens() names the process that listens", () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  using _listener = Deno.listen({ transport: "unix", path });
  assertEquals(whoListens(libc, path), {
    listener: {
      pid: Deno.pid,
      uid: Deno.uid() ?? -1,
      gid: Deno.gid() ?? -1,
    },
  });
});

Deno.test("whoListens() tells why nobody answers", () => {
  using scratch = new Scratch();
  const reason = (path: string): string => {
    const answer = whoListens(libc, path);
    return "code" in answer ? errorText(libc, answer.code) : "somebody";
  };
  assertEquals(reason(scratch.path("missing")), "No such file or directory");
  assertEquals(reason(scratch.file("plain")), "Connection refused");
  assertEquals(reason(scratch.path("x".repeat(200))), "Invalid argument");
});

Deno.test("whoListens() keeps no descriptor", () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  using _listener = Deno.listen({ transport: "unix", path });
  using lowest = new OpenFile(scratch.file("file"));
  const next = lowest.fd + 1;
  const wasOpen = isOpen(next);
  for (let count = 0; count < 10; count++) {
    whoListens(libc, path);
    whoListens(libc, scratch.path("missing"));
  }
  assertEquals(isOpen(next), wasOpen);
});
