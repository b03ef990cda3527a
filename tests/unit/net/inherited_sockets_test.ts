import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseInetName } from "../../../lib/net/inet_endpoint.ts";
import {
  handOn,
  InheritedSockets,
} from "../../../lib/net/inherited_sockets.ts";
import {
  listenInet,
  type ListeningSocket,
} from "../../../lib/net/listening.ts";
import { unchangingCredentials } from "../../../lib/posix/credentials.ts";
import { lookAt } from "../../../lib/posix/files.ts";
import { duplicate } from "../../../lib/posix/process.ts";
import { Acceptor } from "../../../lib/posix/sockets.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";
import { isOpen } from "../posix/descriptors.ts";
import { ListeningUnix } from "../posix/listening_unix.ts";

/** Sockets on a name, as the direct engine has them. */
function listening(name: string): ListeningSocket[] {
  return listenWith(name, undefined);
}

/** Listens on a name, with what was handed on. */
function listenWith(
  name: string,
  inherited: InheritedSockets | undefined,
): ListeningSocket[] {
  const endpoints = parseInetName(name);
  if (!endpoints.ok) throw new Error(endpoints.mistake.text);
  const result = listenInet(endpoints.value, {
    acceptFrom: "fd",
    libc,
    backlogConnections: 16,
    inherited,
  });
  if (!result.ok) throw new Error(result.mistake.text);
  return result.value;
}

function only(sockets: readonly ListeningSocket[]): ListeningSocket {
  const [socket, ...others] = sockets;
  assertEquals(others, []);
  if (socket === undefined) throw new Error("no socket");
  return socket;
}

function fdOf({ source }: ListeningSocket): number {
  if (!("fd" in source)) throw new Error("no descriptor");
  return source.fd;
}

function portOf({ address }: ListeningSocket): number {
  return Number(address.match(/:(\d+)$/)?.[1]);
}

/**
 * What the next image of a process has of its sockets: copies of the
 * descriptors, for here it is the same image.
 */
function inheritedFrom(
  sockets: readonly ListeningSocket[],
): { inherited: InheritedSockets; fds: number[] } {
  const copies = sockets.map((socket) => ({
    ...socket,
    source: { fd: duplicate(libc, fdOf(socket)) },
  }));
  const handed = handOn(copies);
  const inherited = new InheritedSockets(libc, handed, unchangingCredentials);
  return { inherited, fds: handed.map(({ fd }) => fd) };
}

Deno.test("an inherited socket goes on with the queue before it", async () => {
  const old = only(listening("127.0.0.1:0"));
  using _waiting = await Deno.connect({
    hostname: "127.0.0.1",
    port: portOf(old),
  });
  const { inherited, fds } = inheritedFrom([old]);
  const socket = only(listenWith(old.address, inherited));
  assertEquals([fdOf(socket)], fds);
  assertEquals(socket.address, old.address);
  assertEquals(inherited.took(socket), true);
  assertEquals(inherited.took(old), false);
  old.close();
  const accepted = new Acceptor(libc).accept(fdOf(socket));
  assert(accepted > 0);
  libc.c.close(accepted);
  socket.close();
  assertEquals(isOpen(fdOf(socket)), false);
});

Deno.test("a service listens anew where nothing was handed on", () => {
  const { inherited, fds } = inheritedFrom(listening("127.0.0.1:0"));
  const socket = only(listenWith("127.0.0.1:0", inherited));
  assert(!fds.includes(fdOf(socket)));
  assertEquals(inherited.took(socket), false);
  socket.close();
  inherited.closeRest();
});

Deno.test("each socket is taken once", () => {
  const old = only(listening("127.0.0.1:0"));
  const { inherited } = inheritedFrom([old]);
  const socket = inherited.take(old.address);
  assert(socket !== undefined);
  assertEquals(inherited.take(old.address), undefined);
  socket?.close();
  old.close();
});

Deno.test("an inherited socket is found by an address that is written in another way", () => {
  const old = only(listening("[::1]:0"));
  const { inherited } = inheritedFrom([old]);
  const name = `[0:0:0:0:0:0:0:1]:${portOf(old)}`;
  try {
    const socket = only(listenWith(name, inherited));
    assertEquals(inherited.took(socket), true);
    socket.close();
  } finally {
    inherited.closeRest();
    old.close();
  }
});

Deno.test("a service goes on everywhere with what was listened on everywhere", () => {
  const old = listening("0");
  const [first] = old;
  if (first === undefined) throw new Error("no socket");
  const { inherited, fds } = inheritedFrom(old);
  const sockets = listenWith(String(portOf(first)), inherited);
  assertEquals(sockets.map(fdOf), fds);
  for (const socket of [...sockets, ...old]) socket.close();
});

Deno.test("closeRest() closes what no service has taken over, and nothing else", () => {
  const sockets = [listening("127.0.0.1:0"), listening("127.0.0.1:0")].flat();
  const [kept] = sockets;
  if (kept === undefined) throw new Error("no socket");
  const { inherited, fds } = inheritedFrom(sockets);
  const taken = inherited.take(kept.address);
  inherited.closeRest();
  assertEquals(fds.map((fd) => isOpen(fd)), [true, false]);
  taken?.close();
  for (const socket of sockets) socket.close();
});

Deno.test("an inherited socket is found by the address that was asked for", () => {
  const old = only(listening("127.0.0.1:0"));
  const { inherited } = inheritedFrom([{ ...old, asked: "[::1%1]:25" }]);
  const socket = inherited.take("[::1%1]:25");
  assertEquals(socket?.address, old.address);
  socket?.close();
  old.close();
});

Deno.test("a unix socket is inherited only where its name is still its own", () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  using socket = new ListeningUnix(path);
  const old: ListeningSocket = {
    address: path,
    file: lookAt(libc, path),
    source: { fd: socket.fd },
    close: () => {},
  };
  const { inherited } = inheritedFrom([old]);
  const moved = scratch.path("moved");
  Deno.renameSync(path, moved);
  assertEquals(inherited.take(path), undefined);
  scratch.file("socket", "a stranger's");
  assertEquals(inherited.take(path), undefined);
  inherited.closeRest();
  assertEquals(Deno.readTextFileSync(path), "a stranger's");
  Deno.renameSync(moved, path);
});

Deno.test("a unix socket's file goes with the socket, unless another has the name by then", () => {
  using scratch = new Scratch();
  const path = scratch.path("socket");
  using socket = new ListeningUnix(path);
  const old: ListeningSocket = {
    address: path,
    file: lookAt(libc, path),
    source: { fd: socket.fd },
    close: () => {},
  };
  const take = (): ListeningSocket => {
    const taken = inheritedFrom([old]).inherited.take(path);
    if (taken === undefined) throw new Error("not handed over");
    return taken;
  };
  const moved = scratch.path("moved");
  const ours = take();
  Deno.renameSync(path, moved);
  scratch.file("socket", "another's");
  ours.close();
  assertEquals(Deno.readTextFileSync(path), "another's");

  Deno.renameSync(moved, path);
  const last = take();
  last.close();
  assertEquals(lookAt(libc, path), undefined);
  assertEquals(isOpen(fdOf(last)), false);
});

Deno.test("InheritedSockets refuses what is no listening socket", () => {
  for (const fd of [2, 1_000_000]) {
    assertThrows(
      () =>
        new InheritedSockets(
          libc,
          [{ fd, address: "127.0.0.1:25" }],
          unchangingCredentials,
        ),
      Error,
      `no listening socket: descriptor ${fd}`,
    );
  }
});

Deno.test("handOn() hands descriptors on, and no listeners of the runtime", () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const close = (): void => {};
  const file = { device: 2049n, inode: 77n };
  assertEquals(
    handOn([
      { address: "127.0.0.1:1", source: { listener }, close },
      { address: "127.0.0.1:2", source: { fd: 9 }, close },
      { address: "/run/socket", file, source: { fd: 10 }, close },
    ]),
    [
      { fd: 9, address: "127.0.0.1:2", asked: undefined, file: undefined },
      { fd: 10, address: "/run/socket", asked: undefined, file },
    ],
  );
});
