/**
 * What a command's environment says of its connection, beside what other
 * servers' commands see.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { ConnectionEnvironment } from "../../../lib/posix/connection_environment.ts";
import {
  Acceptor,
  peerNameInto,
  RawAddress,
  withDescriptor,
} from "../../../lib/posix/sockets.ts";
import type { PreparedCommand } from "../../../lib/posix/starter.ts";
import { libc } from "../real_libc.ts";
import { Scratch } from "../scratch.ts";
import { collectDying, outcome, starter } from "./start_command.ts";

const acceptor = new Acceptor(libc);

/** A command that prints its environment, which has a word of its own. */
function prepareEnv(
  connectionEnvironment: ConnectionEnvironment,
  environment: readonly string[] = ["A=b"],
): PreparedCommand {
  return starter.prepare({
    argv: ["/usr/bin/env"],
    environment,
    searchPath: [],
    identity: undefined,
    connectionEnvironment,
  });
}

interface Come {
  readonly address?: RawAddress;
  /** Whether the socket that it was accepted from is known. */
  readonly isAccepted?: boolean;
  readonly count?: number;
}

/** Accepts a connection, and gives what a command prints to it. */
async function told(
  command: PreparedCommand,
  { listening, client }: { listening: number; client: Deno.Conn },
  { address = acceptor.raw, isAccepted = true, count = 1 }: Come = {},
): Promise<string[]> {
  const connection = acceptor.accept(listening);
  starter.withoutSignals(() => {
    const start = command.start(connection, {
      keepsConnection: false,
      sharesDescriptors: false,
      caller: { address, listening: isAccepted ? listening : -1, count },
    });
    if (typeof start === "number") throw new Error(`error number ${start}`);
    collectDying(Number(outcome(command, start)));
  });
  const text = await new Response(client.readable).text();
  return text.trim().split("\n").sort();
}

/** A client of a listening socket on an address, and both their ports. */
async function come(
  hostname: string,
  through = hostname,
): Promise<{
  listening: number;
  client: Deno.TcpConn;
  local: number;
  remote: number;
  listener: Deno.TcpListener;
}> {
  const { opened: listener, fd } = withDescriptor(
    libc,
    () => Deno.listen({ hostname, port: 0 }),
  );
  const local = (listener.addr as Deno.NetAddr).port;
  const client = await Deno.connect({ hostname: through, port: local });
  const remote = (client.localAddr as Deno.NetAddr).port;
  return { listening: fd, client, local, remote, listener };
}

Deno.test("ucspi's variables have both ends of a connection, and how many the client has", async () => {
  const met = await come("127.0.0.1");
  using _listener = met.listener;
  assertEquals(await told(prepareEnv("ucspi"), met, { count: 23 }), [
    "A=b",
    "PROTO=TCP",
    "TCPCONNNUM=23",
    "TCPLOCALIP=127.0.0.1",
    `TCPLOCALPORT=${met.local}`,
    "TCPREMOTEIP=127.0.0.1",
    `TCPREMOTEPORT=${met.remote}`,
  ]);
});

Deno.test("an IPv6 address is an IPv6 address", async () => {
  const met = await come("::1");
  using _listener = met.listener;
  assertEquals(await told(prepareEnv("ucspi"), met), [
    "A=b",
    "PROTO=TCP",
    "TCPCONNNUM=1",
    "TCPLOCALIP=::1",
    `TCPLOCALPORT=${met.local}`,
    "TCPREMOTEIP=::1",
    `TCPREMOTEPORT=${met.remote}`,
  ]);
});

Deno.test("an IPv4 client of an IPv6 socket is an IPv4 client, at each end", async () => {
  const met = await come("::", "127.0.0.1");
  using _listener = met.listener;
  const lines = await told(prepareEnv("ucspi"), met);
  assertEquals(lines.filter((line) => /IP=/.test(line)), [
    "TCPLOCALIP=127.0.0.1",
    "TCPREMOTEIP=127.0.0.1",
  ]);
});

Deno.test("systemd's and inetd's variables have the other end", async () => {
  const met = await come("127.0.0.1");
  using _listener = met.listener;
  assertEquals(await told(prepareEnv("systemd"), met), [
    "A=b",
    "REMOTE_ADDR=127.0.0.1",
    `REMOTE_PORT=${met.remote}`,
  ]);
  const again = await Deno.connect({ port: met.local });
  assertEquals(await told(prepareEnv("inetd"), { ...met, client: again }), [
    "A=b",
    "REMOTE_HOST=127.0.0.1",
  ]);
});

Deno.test("a connection tells nothing where that is not asked for", async () => {
  const met = await come("127.0.0.1");
  using _listener = met.listener;
  assertEquals(await told(prepareEnv("none"), met), ["A=b"]);
});

Deno.test("what a connection tells comes before what was said for all of them", async () => {
  const met = await come("127.0.0.1");
  using _listener = met.listener;
  const command = prepareEnv("ucspi", [
    "TCPREMOTEIP=192.0.2.1",
    "PROTO=SCTP",
    "TCPREMOTEHOST=stays",
  ]);
  const lines = await told(command, met);
  assertEquals(lines.filter((line) => /^(?:PROTO|TCPREMOTE)/.test(line)), [
    "PROTO=TCP",
    "TCPREMOTEHOST=stays",
    "TCPREMOTEIP=127.0.0.1",
    `TCPREMOTEPORT=${met.remote}`,
  ]);
});

Deno.test("a slot tells the next connection's facts, whatever the last one's were", async () => {
  const command = prepareEnv("ucspi");
  using scratch = new Scratch();
  // A listening socket keeps its descriptor for as long as its service.
  using open = new DisposableStack();
  for (const host of ["127.0.0.1", "::1", "127.0.0.1"]) {
    const met = await come(host);
    open.use(met.listener);
    const lines = await told(command, met);
    assertEquals(
      [lines[3], lines[4], lines[5], lines[6]],
      [
        `TCPLOCALIP=${host}`,
        `TCPLOCALPORT=${met.local}`,
        `TCPREMOTEIP=${host}`,
        `TCPREMOTEPORT=${met.remote}`,
      ],
    );
    const path = scratch.path(`socket-${met.local}`);
    const { opened, fd } = withDescriptor(
      libc,
      () => Deno.listen({ transport: "unix", path }),
    );
    open.use(opened);
    const client = await Deno.connect({ transport: "unix", path });
    assertEquals(await told(command, { listening: fd, client }), [
      "A=b",
      `IPCREMOTEEGID=${Deno.gid()}`,
      `IPCREMOTEEUID=${Deno.uid()}`,
      `IPCREMOTEPID=${Deno.pid}`,
      "PROTO=IPC",
    ]);
  }
});

Deno.test("a connection that came some other way is asked for its ends", async () => {
  const met = await come("127.0.0.1");
  using _listener = met.listener;
  const address = new RawAddress();
  const command = prepareEnv("ucspi");
  const connection = acceptor.accept(met.listening);
  peerNameInto(libc, connection, address);
  starter.withoutSignals(() => {
    const start = command.start(connection, {
      keepsConnection: false,
      sharesDescriptors: false,
      caller: { address, listening: -1, count: 1 },
    });
    if (typeof start === "number") throw new Error(`error number ${start}`);
    collectDying(Number(outcome(command, start)));
  });
  const text = await new Response(met.client.readable).text();
  const words = text.trim().split("\n");
  assertEquals(
    words.filter((word) => /IP=/.test(word)).sort(),
    ["TCPLOCALIP=127.0.0.1", "TCPREMOTEIP=127.0.0.1"],
  );
});

Deno.test("what is no connection has no addresses", () => {
  const address = new RawAddress();
  peerNameInto(libc, 0, address);
  assertEquals([address.kind, address.client], ["other", undefined]);
});

Deno.test("clients are told from each other by their addresses, not by their ports", async () => {
  const met = await come("::", "127.0.0.1");
  using _listener = met.listener;
  using _client = met.client;
  const clientOf = (): number | string | undefined => {
    libc.c.close(acceptor.accept(met.listening));
    return acceptor.raw.client;
  };
  const first = clientOf();
  using _again = await Deno.connect({
    hostname: "127.0.0.1",
    port: met.local,
  });
  const second = clientOf();
  using _other = await Deno.connect({ hostname: "::1", port: met.local });
  const third = clientOf();
  assertEquals(first, second);
  assertEquals([typeof first, typeof third], ["number", "string"]);
});
